/**
 * What was used between two readings, and what a machine uses at rest.
 *
 * @module
 */

import { requireNumber } from "../../validate.ts";
import type { EnergyMeter, EnergyReading } from "./meter.ts";

/**
 * The difference of two readings.
 *
 * @param before The earlier reading.
 * @param after The later reading.
 * @returns Energy and time between them; null if either is missing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const before = { joules: 5, memoryJoules: null, seconds: 1 };
 * const after = { joules: 9, memoryJoules: null, seconds: 3 };
 * assertEquals(energyBetween(before, after), { joules: 4, memoryJoules: null, seconds: 2 });
 * assertEquals(energyBetween(before, null), null);
 * ```
 */
export function energyBetween(
  before: EnergyReading | null,
  after: EnergyReading | null,
): EnergyReading | null {
  if (!before || !after) return null;
  const memory = before.memoryJoules !== null && after.memoryJoules !== null;
  return {
    joules: after.joules - before.joules,
    memoryJoules: memory ? after.memoryJoules - before.memoryJoules : null,
    seconds: after.seconds - before.seconds,
  };
}

/**
 * Power of a machine that waits, memory included where it has a counter. Take it once models are
 * loaded and before they run, for whatever else a machine does at rest is then in it.
 *
 * @param meter The meter.
 * @param seconds How long to wait. Default 1.
 * @returns Watts, or null if the meter could not be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * let seconds = 0;
 * const read = () => Promise.resolve({ joules: 7 * ++seconds, memoryJoules: null, seconds });
 * assertEquals(await idlePower({ read }, 0.001), 7);
 * ```
 */
export async function idlePower(
  meter: Pick<EnergyMeter, "read">,
  seconds = 1,
): Promise<number | null> {
  requireNumber("measure idle power", "seconds", seconds, 0);
  const before = await meter.read();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const used = energyBetween(before, await meter.read());
  return used && used.seconds > 0 ? (used.joules + (used.memoryJoules ?? 0)) / used.seconds : null;
}
