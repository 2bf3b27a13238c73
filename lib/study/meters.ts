/**
 * What a run cost besides its time, and whether other work got in its way.
 *
 * @module
 */

import { cpus } from "node:os";
import process from "node:process";

/** A reading of this machine's counters. */
export interface Reading {
  /** Monotonic clock in seconds. */
  readonly wall: number;
  /** CPU time of this process, all threads, in seconds. */
  readonly own: number;
  /** Time that each processor spent idle, summed, in seconds; null if the system does not tell. */
  readonly idle: number | null;
  /** Resident memory of this process, in bytes. */
  readonly residentBytes: number;
  /** The highest it was so far, in bytes. */
  readonly peakMemoryBytes: number;
}

/** Reads the counters. The study takes it as a parameter, so that tests can plant other values. */
export type Meter = () => Reading;

/**
 * The share of other work above which a pair counts as disturbed: a 20th of the machine. Counters
 * tick in hundredths of a second, so a pair of half a second on two processors cannot be read more
 * finely than a 50th, and an idle system's own housekeeping stays below.
 */
export const DISTURBED_ABOVE = 0.05;

/**
 * Reads this machine's counters. Costs a fraction of a millisecond; call it outside what is timed.
 *
 * @returns The reading.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(readMeters().peakMemoryBytes > 1e6);
 * ```
 */
export function readMeters(): Reading {
  const { user, system } = process.cpuUsage();
  const idle = cpus().reduce((sum, { times }) => sum + times.idle, 0) / 1000;
  return {
    wall: performance.now() / 1000,
    own: (user + system) / 1e6,
    idle: idle > 0 ? idle : null,
    residentBytes: Deno.memoryUsage().rss,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/**
 * The share of the machine's CPU time that was neither idle nor ours between two readings. Steal
 * (time the hypervisor gave to others) is in it: it is missing from idle time too.
 *
 * @param before The earlier reading.
 * @param after The later reading.
 * @param cores Logical processors.
 * @returns A share from 0 to 1, or null if idle time is not known.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const before = { ...readMeters(), wall: 0, own: 0, idle: 0 };
 * const after = { ...before, wall: 10, own: 12, idle: 5 };
 * assertAlmostEquals(otherLoad(before, after, 2)!, 0.15); // 3 of 20 processor seconds
 * ```
 */
export function otherLoad(before: Reading, after: Reading, cores: number): number | null {
  if (before.idle === null || after.idle === null) return null;
  const capacity = (after.wall - before.wall) * cores;
  const other = capacity - (after.own - before.own) - (after.idle - before.idle);
  // Counters tick at different moments, so a quiet machine may come out a little below 0.
  return Math.round(Math.min(1, Math.max(0, other / capacity)) * 1e4) / 1e4;
}

/**
 * Whether a pair of this load is left out of verdicts.
 *
 * @param load Share of other work, or null if it is not known.
 * @returns True above `DISTURBED_ABOVE`; null if not known.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([isDisturbed(0.01), isDisturbed(0.2), isDisturbed(null)], [false, true, null]);
 * ```
 */
export function isDisturbed(load: number | null): boolean | null {
  return load === null ? null : load > DISTURBED_ABOVE;
}
