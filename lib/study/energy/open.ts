/**
 * The meter of this machine, if it has one.
 *
 * @module
 */

import { type EnergyMeter, EnergyMeterError } from "./meter.ts";
import { openNvml } from "./nvml.ts";
import { openPowermetrics } from "./powermetrics.ts";
import { openRapl } from "./rapl.ts";

/** Opens a meter, or throws an {@linkcode EnergyMeterError}. */
export type MeterOpener = () => EnergyMeter | Promise<EnergyMeter>;

/** What is to be metered. */
export interface EnergyMeterOptions {
  /** What executes the network: a meter of anything else would count the wrong energy. Default "cpu". */
  readonly device?: "cpu" | "gpu";
  /** Meters to try, in order. Default: those of the device on this operating system. */
  readonly openers?: readonly MeterOpener[];
}

/** A meter, or the reason why there is none: "no meter: Cannot use RAPL as …". */
export type OpenedMeter =
  | { readonly meter: EnergyMeter; readonly why: null }
  | { readonly meter: null; readonly why: string };

/**
 * Opens the first meter that works. None is no error: most machines let no one read theirs.
 *
 * @param options Device.
 * @returns The meter, or why there is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const { meter, why } = await openEnergyMeter({ openers: [] });
 * assertEquals([meter, why], [null, "no meter: none is known for the cpu of this system"]);
 * ```
 */
export async function openEnergyMeter(options: EnergyMeterOptions = {}): Promise<OpenedMeter> {
  const { device = "cpu", openers = openersOf(device, Deno.build.os) } = options;
  const reasons: string[] = [];
  for (const open of openers) {
    try {
      return { meter: await open(), why: null };
    } catch (error) {
      if (!(error instanceof EnergyMeterError)) throw error;
      reasons.push(error.message);
    }
  }
  const why = reasons.join("; ") || `none is known for the ${device} of this system`;
  return { meter: null, why: `no meter: ${why}` };
}

function openersOf(device: "cpu" | "gpu", os: typeof Deno.build.os): MeterOpener[] {
  if (os === "darwin") return [openPowermetrics];
  if (device === "gpu") return [openNvml];
  return os === "linux" ? [openRapl] : [];
}
