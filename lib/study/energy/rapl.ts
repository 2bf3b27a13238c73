/**
 * Energy of processor packages and of memory: RAPL, as Linux shows it under `powercap`
 * (docs.kernel.org/power/powercap/powercap.html). AMD's counters appear under the same names.
 *
 * @module
 */

import { type EnergyMeter, type EnergyReading, unusable } from "./meter.ts";

/** Where to look. */
export interface RaplOptions {
  /** Folder of the zones. Default `/sys/class/powercap`. */
  readonly folder?: string;
}

/** Joules that a zone counted since it was opened. */
type Counter = () => number;

/**
 * Opens the counters of all packages, and those of memory where there are any. Other zones are
 * parts of a package (core, uncore), contain it (psys), or show it again (intel-rapl-mmio).
 *
 * Counters wrap around, after three quarters of an hour at 100 W on common machines: read more
 * often than that.
 *
 * @param options Where the zones are.
 * @returns The meter.
 * @throws {EnergyMeterError} If there are none, or they may not be read: Deno reads `/sys` only with
 *   --allow-all, Linux lets only root read the counters.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => openRapl({ folder: "no/such/folder" }), Error, "Cannot use RAPL as");
 * ```
 */
export function openRapl({ folder = "/sys/class/powercap" }: RaplOptions = {}): EnergyMeter {
  const zones = guarded(() => readZones(folder));
  const open = (kind: RegExp): Counter[] =>
    zones.filter(({ name }) => kind.test(name)).map(({ path }) => guarded(() => openZone(path)));
  const packages = open(/^package-/);
  const memory = open(/^dram$/);
  if (packages.length === 0) throw unusable("RAPL", `${folder} has no zone of a package`);
  return {
    name: "rapl",
    read: () => Promise.resolve(readOrNull(packages, memory)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function readOrNull(
  packages: readonly Counter[],
  memory: readonly Counter[],
): EnergyReading | null {
  try {
    return {
      joules: sum(packages),
      memoryJoules: memory.length > 0 ? sum(memory) : null,
      seconds: performance.now() / 1000,
    };
  } catch {
    return null;
  }
}

function readZones(folder: string): { readonly path: string; readonly name: string }[] {
  return [...Deno.readDirSync(folder)]
    .filter(({ name }) => /^intel-rapl:\d+(:\d+)?$/.test(name))
    .map(({ name }) => `${folder}/${name}`)
    .map((path) => ({ path, name: Deno.readTextFileSync(`${path}/name`).trim() }));
}

function openZone(path: string): Counter {
  const range = readMicrojoules(`${path}/max_energy_range_uj`);
  let last = readMicrojoules(`${path}/energy_uj`);
  let total = 0;
  return () => {
    const now = readMicrojoules(`${path}/energy_uj`);
    total += now < last ? now + range - last : now - last;
    last = now;
    return total / 1e6;
  };
}

function readMicrojoules(path: string): number {
  const text = Deno.readTextFileSync(path).trim();
  if (/^\d+$/.test(text)) return Number(text);
  throw new TypeError(`${path} holds "${text}" where a number was expected`);
}

function sum(counters: readonly Counter[]): number {
  return counters.reduce((joules, counter) => joules + counter(), 0);
}

function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { message } = error as Error;
    const wayOut = error instanceof Deno.errors.PermissionDenied
      ? ": run as root, or let others read energy_uj"
      : "";
    throw unusable("RAPL", message + wayOut, error);
  }
}
