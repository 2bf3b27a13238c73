/**
 * What an energy meter is.
 *
 * @module
 */

/** What a meter's counters stood at. Only differences of two readings mean anything. */
export interface EnergyReading {
  /** Joules counted so far. */
  readonly joules: number;
  /** Of memory modules that have a counter of their own, not in `joules`; null without one. */
  readonly memoryJoules: number | null;
  /** When the counters stood so, in seconds of a monotonic clock. */
  readonly seconds: number;
}

/** Something that counts energy. Dispose of it to end what it started. */
export interface EnergyMeter extends AsyncDisposable {
  /** Name for records: "rapl", "nvml", "nvml sampled", "powermetrics". */
  readonly name: string;
  /** Reads the counters; null once they cannot be read any more. */
  read(): Promise<EnergyReading | null>;
}

/** Raised where a meter is not there or may not be read. */
export class EnergyMeterError extends Error {
  /** The error's name, "EnergyMeterError". */
  override readonly name = "EnergyMeterError";
}

/**
 * The error of a meter that cannot be used.
 *
 * @param meter The meter.
 * @param reason Why.
 * @param cause What was thrown, if anything was.
 * @returns The error, to be thrown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(unusable("RAPL", "it is not there").message, "Cannot use RAPL as it is not there");
 * ```
 */
export function unusable(meter: string, reason: string, cause?: unknown): EnergyMeterError {
  return new EnergyMeterError(`Cannot use ${meter} as ${reason}`, { cause });
}
