/**
 * Medians, geometric means, and a bootstrap interval for paired ratios.
 *
 * @module
 */

import * as d3 from "d3-array";
import { type Random, stream } from "../random.ts";
import { studentQuantile, Z } from "../study/interval.ts";
import { requireInteger } from "../validate.ts";

/** A ratio with its 95 % interval. */
export interface Interval {
  /** The geometric mean of the ratios. */
  readonly estimate: number;
  /** Lower end, or null if one prompt leaves nothing to judge the spread by. */
  readonly low: number | null;
  /** Upper end, or null likewise. */
  readonly high: number | null;
}

/** A ratio of paired times, and where it comes from. */
export interface PairedRatio {
  /** Time of plain / time of speculative decoding. */
  readonly ratio: number;
  /** Prompt id. */
  readonly prompt: string;
  /** Replicate. */
  readonly process: number;
}

/** Settings of the bootstrap. */
export interface BootstrapOptions {
  /** Seed of the resampling. */
  readonly seed: number | string;
  /** Resamples. Default 2,000. */
  readonly draws?: number;
}

/** Whether speculation helps, hurts, or cannot be told apart from neither. */
export type Judgement = "helps" | "hurts" | "undecided";

// d3-array ships no types.
const middle: (values: Iterable<number>) => number | undefined = d3.median;
const quantileSorted: (values: ArrayLike<number>, p: number) => number | undefined =
  d3.quantileSorted;

/**
 * The middle value; the mean of the two middle ones of an even number.
 *
 * @param values At least one.
 * @returns The median.
 * @throws {RangeError} If there are no values.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(median([5, 1, 2]), 2);
 * ```
 */
export function median(values: readonly number[]): number {
  return requireSome("take a median", middle(values));
}

/**
 * The median of absolute deviations from the median.
 *
 * @param values At least one.
 * @returns The deviation, in the values' unit.
 * @throws {RangeError} If there are no values.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(medianDeviation([1, 2, 9]), 1);
 * ```
 */
export function medianDeviation(values: readonly number[]): number {
  const centre = median(values);
  return median(values.map((value) => Math.abs(value - centre)));
}

/**
 * exp of the mean logarithm: the mean under which a doubling and a halving cancel.
 *
 * @param values Positive numbers, at least one.
 * @returns The geometric mean.
 * @throws {RangeError} If there are no values.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(geometricMean([0.5, 2]), 1);
 * ```
 */
export function geometricMean(values: readonly number[]): number {
  const total = values.reduce((sum, value) => sum + Math.log(value), 0);
  return Math.exp(
    requireSome("take a mean", values.length > 0 ? total / values.length : undefined),
  );
}

/**
 * The geometric mean of paired ratios with a 95 % bootstrap interval over prompts and processes.
 *
 * Prompts and processes are resampled apart, each with replacement, and a pair weighs as often as
 * both of its own were drawn (Owen 2007, "The pigeonhole bootstrap"). The percentile interval of few
 * clusters is too narrow, so its distances from the estimate, in logarithms, are stretched by
 * √(n/(n−1))·t₍n−1₎/z for n prompts, which gives Student's interval its due (Hesterberg 2015, §4.4.1).
 *
 * @param pairs The ratios, at least one.
 * @param options Seed and number of resamples.
 * @returns The estimate and its interval.
 * @throws {RangeError} If there are no pairs.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const pairs = [1.4, 1.5, 1.6].map((ratio, i) => ({ ratio, prompt: `p${i}`, process: 1 }));
 * const { estimate, low, high } = bootstrapRatio(pairs, { seed: 1 });
 * assert(1 < low! && low! < estimate && estimate < high! && high! < 2);
 * ```
 */
export function bootstrapRatio(pairs: readonly PairedRatio[], options: BootstrapOptions): Interval {
  const { seed, draws = 2000 } = options;
  requireInteger("bootstrap", "draws", draws, 1);
  const estimate = geometricMean(pairs.map((pair) => pair.ratio));
  const prompts = clusters(pairs.map((pair) => pair.prompt));
  const processes = clusters(pairs.map((pair) => pair.process));
  if (prompts.count < 2) return { estimate, low: null, high: null };
  const logs = pairs.map((pair) => Math.log(pair.ratio));
  const random = stream(seed, "bootstrap");
  const means = new Float64Array(draws);
  for (let i = 0; i < draws;) {
    const promptWeights = resample(prompts.count, random);
    const processWeights = resample(processes.count, random);
    let [total, weight] = [0, 0];
    for (let pair = 0; pair < logs.length; pair++) {
      const w = promptWeights[prompts.of[pair]!]! * processWeights[processes.of[pair]!]!;
      total += w * logs[pair]!;
      weight += w;
    }
    if (weight > 0) means[i++] = total / weight; // prompts and processes drawn may never have met
  }
  means.sort();
  const centre = Math.log(estimate);
  const end = (p: number) =>
    Math.exp(centre + stretch(prompts.count) * (quantileSorted(means, p)! - centre));
  return { estimate, low: end(0.025), high: end(0.975) };
}

/**
 * What an interval of speed-ups says.
 *
 * @param interval The interval.
 * @returns "helps" if all of it is above 1, "hurts" if all of it is below, else "undecided".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(judgeSpeedup({ low: 1.1, high: 1.4 }), "helps");
 * assertEquals(judgeSpeedup({ low: 0.9, high: 1.4 }), "undecided");
 * ```
 */
export function judgeSpeedup({ low, high }: Pick<Interval, "low" | "high">): Judgement {
  if (low !== null && low > 1) return "helps";
  if (high !== null && high < 1) return "hurts";
  return "undecided";
}

/** For each value, the number of its cluster. */
function clusters(values: readonly unknown[]): { readonly of: number[]; readonly count: number } {
  const distinct = [...new Set(values)];
  return { of: values.map((value) => distinct.indexOf(value)), count: distinct.length };
}

/** How often each of `count` clusters is drawn in a sample of as many. */
function resample(count: number, random: Random): Uint32Array {
  const weights = new Uint32Array(count);
  for (let i = 0; i < count; i++) weights[Math.floor(random() * count)]!++;
  return weights;
}

function stretch(count: number): number {
  return Math.sqrt(count / (count - 1)) * studentQuantile(count - 1) / Z;
}

function requireSome(action: string, value: number | undefined): number {
  if (value !== undefined) return value;
  throw new RangeError(`Cannot ${action} as there are no values: give at least one`);
}
