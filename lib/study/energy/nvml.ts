/**
 * Energy of an NVIDIA board, its memory included, through the driver's management library
 * (docs.nvidia.com/deploy/nvml-api).
 *
 * @module
 */

import { requireInteger, requireNumber } from "../../validate.ts";
import { type EnergyMeter, type EnergyMeterError, unusable } from "./meter.ts";

/** Which board, and how to reach it. */
export interface NvmlOptions {
  /** The board's place in the driver's order. Default 0. */
  readonly index?: number;
  /** The library. Default: the one that the driver installed. */
  readonly library?: string;
  /** Milliseconds between samples of power, for boards that count no energy. Default 50. */
  readonly everyMs?: number;
}

const SYMBOLS = {
  nvmlInit_v2: { parameters: [], result: "i32" },
  nvmlShutdown: { parameters: [], result: "i32" },
  nvmlErrorString: { parameters: ["i32"], result: "pointer" },
  nvmlDeviceGetHandleByIndex_v2: { parameters: ["u32", "buffer"], result: "i32" },
  nvmlDeviceGetTotalEnergyConsumption: { parameters: ["pointer", "buffer"], result: "i32" },
  nvmlDeviceGetPowerUsage: { parameters: ["pointer", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * Opens a board's energy counter. Boards before Volta have none: their power is sampled and
 * integrated, and the meter's name says so ("nvml sampled"). Newer boards report power averaged over
 * a second, so only runs of several seconds tell much there.
 *
 * @param options Board, library, interval.
 * @returns The meter.
 * @throws {EnergyMeterError} If there is no driver, no such board, or native code is not permitted.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => openNvml({ library: "no-such-library.so" }), Error, "Cannot use NVML as");
 * ```
 */
export function openNvml(options: NvmlOptions = {}): EnergyMeter {
  const { index = 0, library: path = libraryName(), everyMs = 50 } = options;
  requireInteger("use NVML", "index", index, 0);
  requireNumber("use NVML", "everyMs", everyMs, 1);
  using opened = new DisposableStack();
  const library = openLibrary(path);
  opened.defer(() => library.close());
  const { symbols } = library;
  check(library, "nvmlInit_v2", symbols.nvmlInit_v2());
  opened.defer(() => symbols.nvmlShutdown());

  const out = new BigUint64Array(1);
  check(library, "find the board", symbols.nvmlDeviceGetHandleByIndex_v2(index, out));
  const board = Deno.UnsafePointer.create(out[0]!);
  const millijoules = (): number | null => {
    const value = new BigUint64Array(1);
    const status = symbols.nvmlDeviceGetTotalEnergyConsumption(board, value);
    return status === 0 ? Number(value[0]) : null;
  };
  const milliwatts = (): number | null => {
    const value = new Uint32Array(1);
    return symbols.nvmlDeviceGetPowerUsage(board, value) === 0 ? value[0]! : null;
  };

  if (millijoules() !== null) return meterOf("nvml", millijoules, opened.move());
  check(library, "read the power", symbols.nvmlDeviceGetPowerUsage(board, new Uint32Array(1)));
  const integral = integrate(milliwatts, everyMs);
  opened.use(integral);
  return meterOf("nvml sampled", integral.read, opened.move());
}

function meterOf(
  name: string,
  millijoules: () => number | null,
  opened: DisposableStack,
): EnergyMeter {
  return {
    name,
    read() {
      const joules = opened.disposed ? null : millijoules();
      const seconds = performance.now() / 1000;
      return Promise.resolve(
        joules === null ? null : { joules: joules / 1000, memoryJoules: null, seconds },
      );
    },
    [Symbol.asyncDispose]: () => Promise.resolve(opened.dispose()),
  };
}

/** The integral of power by the trapezoid rule. After one failed sample it is not known any more. */
function integrate(
  power: () => number | null,
  everyMs: number,
): Disposable & { read(): number | null } {
  let total: number | null = 0;
  let last = { seconds: performance.now() / 1000, value: power() };
  const read = (): number | null => {
    const now = { seconds: performance.now() / 1000, value: power() };
    total = total === null || last.value === null || now.value === null
      ? null
      : total + (now.seconds - last.seconds) * (now.value + last.value) / 2;
    last = now;
    return total;
  };
  const timer = setInterval(read, everyMs);
  return { read, [Symbol.dispose]: () => clearInterval(timer) };
}

function openLibrary(path: string): Library {
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (error) {
    const { message } = error as Error;
    throw unusable("NVML", message, error);
  }
}

function check({ symbols }: Library, action: string, status: number): void {
  if (status === 0) return;
  throw refused(symbols.nvmlErrorString(status), action);
}

function refused(message: Deno.PointerValue, action: string): EnergyMeterError {
  const text = message ? Deno.UnsafePointerView.getCString(message) : "no reason given";
  return unusable("NVML", `it refused to ${action}: ${text}`);
}

function libraryName(): string {
  return Deno.build.os === "windows" ? "nvml.dll" : "libnvidia-ml.so.1";
}
