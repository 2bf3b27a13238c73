/**
 * What sizes of drafts teach: which is best, what explains the speed-up, whether training paid.
 *
 * @module
 */

import * as d3 from "d3-array";
import { type Random, stream } from "../random.ts";
import { requireInteger } from "../validate.ts";
import type { DraftKind, DraftSize } from "./draft_sizes.ts";
import { bootstrapRatio, type Interval } from "./statistics.ts";

/** The sizes, as shares of the target, that claim C8 recommends. */
export const RECOMMENDED_SIZES: readonly [least: number, most: number] = [1 / 20, 1 / 10];

/** What may explain S. */
export const SIZE_FACTORS = ["ratio", "c", "alpha"] as const;

/** How far S goes with a factor, by rank. */
export interface Explanation {
  /** The factor. */
  readonly factor: typeof SIZE_FACTORS[number];
  /** Spearman's rank correlation; null of fewer than four drafts, or where all are alike. */
  readonly correlation: number | null;
  /** Lower end of its 95 % interval, over drafts; null likewise. */
  readonly low: number | null;
  /** Upper end likewise. */
  readonly high: number | null;
}

/** Drafts held against each other on the same prompts. */
export interface DraftContest {
  /** The target's precision. */
  readonly precision: string;
  /** The draft of the greatest S of one side; null where that side is empty. */
  readonly first: DraftSize | null;
  /** That of the other side. */
  readonly second: DraftSize | null;
  /** S of the first / S of the second, paired by prompt; null where a side is empty. */
  readonly ratio: Interval | null;
}

// d3-array ships no types. Ties share the lower rank.
const ranksOf: (values: readonly number[]) => Float64Array = d3.rank;
const quantileSorted: (values: ArrayLike<number>, p: number) => number | undefined =
  d3.quantileSorted;

/** Of fewer, ranks say nothing. */
const LEAST_DRAFTS = 4;

/**
 * How far the best S of model drafts goes with their size, their cost and their acceptance: Spearman's
 * rank correlation over all drafts in all precisions. A draft is the same size in each precision of
 * the target, but not the same cost, which is what tells the two apart. Its interval resamples drafts,
 * each with all its precisions.
 *
 * @param sizes The drafts; tables of n-grams, which have no size, are passed over.
 * @param options Seed and number of resamples. Default 1 and 2,000.
 * @returns One entry a factor.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const draft = (ratio: number, speedup: number) => ({
 *   name: `${ratio}`, kind: "trained", ratio, c: { estimate: ratio / 2 }, alpha: { alpha: 0.5 },
 *   best: { predicted: { estimate: speedup } },
 * });
 * const drafts = [draft(0.1, 1.5), draft(0.2, 1.3), draft(0.3, 1.2), draft(0.4, 1.1)];
 * const [ratio, c] = explainSpeedup(drafts as never);
 * assertEquals([ratio!.correlation, c!.correlation], [-1, -1]);
 * ```
 */
export function explainSpeedup(
  sizes: readonly DraftSize[],
  options: { readonly seed?: number | string; readonly draws?: number } = {},
): Explanation[] {
  const { seed = 1, draws = 2000 } = options;
  requireInteger("explain speed-ups", "draws", draws, 1);
  const models = sizes.filter(({ kind }) => kind !== "table");
  const drafts = [...Map.groupBy(models, ({ name }) => name).values()];
  return SIZE_FACTORS.map((factor) => {
    const correlationOf = (points: readonly DraftSize[]) =>
      rankCorrelation(
        points.map((point) => valueOf(point, factor)),
        points.map(({ best }) => best.predicted.estimate),
      );
    const correlation = drafts.length < LEAST_DRAFTS ? null : correlationOf(models);
    if (correlation === null) return { factor, correlation, low: null, high: null };
    const random = stream(seed, "drafts");
    const drawn = Array.from(
      { length: draws },
      () => correlationOf(resample(drafts, random).flat()),
    )
      .filter((value) => value !== null).sort((a, b) => a - b);
    const [low, high] = [quantileSorted(drawn, 0.025)!, quantileSorted(drawn, 0.975)!];
    return { factor, correlation, low, high };
  });
}

/**
 * Spearman's rank correlation; ties have their mean rank.
 *
 * @param xs Values.
 * @param ys As many.
 * @returns From −1 to 1; null where one of them does not vary.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(rankCorrelation([1, 2, 3], [1, 10, 100]), 1);
 * assertEquals(rankCorrelation([1, 1], [3, 4]), null);
 * ```
 */
export function rankCorrelation(xs: readonly number[], ys: readonly number[]): number | null {
  const [a, b] = [deviations(xs), deviations(ys)];
  const product = (u: readonly number[], v: readonly number[]) =>
    u.reduce((sum, value, i) => sum + value * v[i]!, 0);
  const scale = Math.sqrt(product(a, a) * product(b, b));
  return scale === 0 ? null : product(a, b) / scale;
}

/**
 * The fastest draft model of each precision against the fastest of the recommended sizes (C8).
 *
 * @param sizes The drafts.
 * @param options Seed of the intervals. Default 1.
 * @returns One entry a precision: first the best of all models, second the best within the band.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(contestSizes([]), []);
 * ```
 */
export function contestSizes(
  sizes: readonly DraftSize[],
  options: { readonly seed?: number | string } = {},
): DraftContest[] {
  const [least, most] = RECOMMENDED_SIZES;
  return contest(
    sizes.filter(({ kind }) => kind !== "table"),
    () => true,
    ({ ratio }) => least <= ratio && ratio <= most,
    options,
  );
}

/**
 * The fastest draft that was trained for its target against the fastest that was not (C9, C21).
 *
 * @param sizes The drafts.
 * @param generic Kinds that count as not trained. Default: the target's own weights, and tables.
 * @param options Seed of the intervals. Default 1.
 * @returns One entry a precision: first the trained one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(contestTraining([]), []);
 * ```
 */
export function contestTraining(
  sizes: readonly DraftSize[],
  generic: readonly DraftKind[] = ["own", "table"],
  options: { readonly seed?: number | string } = {},
): DraftContest[] {
  return contest(
    sizes,
    ({ kind }) => kind === "trained",
    ({ kind }) => generic.includes(kind),
    options,
  );
}

function contest(
  sizes: readonly DraftSize[],
  isFirst: (size: DraftSize) => boolean,
  isSecond: (size: DraftSize) => boolean,
  { seed = 1 }: { readonly seed?: number | string },
): DraftContest[] {
  return [...Map.groupBy(sizes, ({ precision }) => precision)].map(([precision, same]) => {
    const [first, second] = [fastest(same.filter(isFirst)), fastest(same.filter(isSecond))];
    return { precision, first, second, ratio: first && second && compare(first, second, seed) };
  });
}

function fastest(sizes: readonly DraftSize[]): DraftSize | null {
  const speed = ({ best }: DraftSize) => best.predicted.estimate;
  return sizes.reduce<DraftSize | null>((a, b) => a && speed(a) >= speed(b) ? a : b, null);
}

/** Both at their best K: the costs' errors, most of which are the target's, are left out. */
function compare(first: DraftSize, second: DraftSize, seed: number | string): Interval {
  const others = new Map(second.best.prompts.map(({ prompt, ratio }) => [prompt, ratio]));
  const ratios = first.best.prompts.map((own) => ({
    ...own,
    ratio: own.ratio / others.get(own.prompt)!,
  }));
  return bootstrapRatio(ratios, { seed });
}

function valueOf({ ratio, c, alpha }: DraftSize, factor: typeof SIZE_FACTORS[number]): number {
  return { ratio, c: c.estimate, alpha: alpha?.alpha ?? 0 }[factor];
}

/** Ranks about their mean, of ties the mean of their ranks. */
function deviations(values: readonly number[]): number[] {
  const [up, down] = [ranksOf(values), ranksOf(values.map((value) => -value))];
  return values.map((_, i) => (up[i]! - down[i]!) / 2);
}

function resample<T>(values: readonly T[], random: Random): T[] {
  return values.map(() => values[Math.floor(random() * values.length)]!);
}
