/**
 * What a tally costs on a machine at a context, and an interval for ratios of such costs.
 *
 * @module
 */

import type { CostPair } from "../analysis/boundary.ts";
import { type CostModel, prefillTime, type TimeEstimate } from "../analysis/cost_model.ts";
import type { Interval } from "../analysis/statistics.ts";
import { type Random, stream } from "../random.ts";
import { PREFILL_WIDTH } from "../study/cost_plan.ts";
import { studentQuantile, Z } from "../study/interval.ts";
import { requireInteger } from "../validate.ts";
import type { RoundTally, TallyItem } from "./tally.ts";

/** The costs of a target and what drafts for it. */
export interface DraftCosts extends CostPair {
  /** Chunks of the draft's reading of a prompt; null where nothing is read. */
  readonly reading: CostModel | null;
}

/** Where a tally is priced. */
export interface PricedPlace {
  /** n: tokens in the text. */
  readonly context: number;
  /** B. */
  readonly batch: number;
}

/** The time of one of an item. */
export type PriceList = (item: Pick<TallyItem, "kind" | "width">) => TimeEstimate;

/** Milliseconds of a tally, at estimated costs or at drawn ones. */
export type Price = (tally: RoundTally) => number;

/** Settings of intervals. */
export interface DrawOptions {
  /** Seed of the draws. Default 1. */
  readonly seed?: number | string;
  /** Draws of costs and of prompts together. Default 400. */
  readonly draws?: number;
}

/**
 * The costs of a pair at a place.
 *
 * @param pair The costs.
 * @param place n, B.
 * @returns Looks an item's time up, once for all.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const target = { pass: constant(20), host: constant(1) };
 * const list = priceList({ target, draft: null, reading: null }, { context: 64, batch: 1 });
 * assertEquals(list({ kind: "pass", width: 5 }).ms, 20);
 * ```
 */
export function priceList(pair: DraftCosts, { context, batch }: PricedPlace): PriceList {
  const { target, draft, reading } = pair;
  const known = new Map<string, TimeEstimate>();
  const find = ({ kind, width }: Pick<TallyItem, "kind" | "width">): TimeEstimate => {
    switch (kind) {
      case "pass":
        return target.pass.time(width, context, batch);
      case "host":
        return target.host.time(width, 0, batch);
      case "draft":
        return draft!.pass.time(width, context, batch);
      case "draft host":
        return draft!.host.time(width, 0, batch);
      case "reading":
        return reading ? prefillTime(reading, context, PREFILL_WIDTH, batch) : FREE;
    }
  };
  return (item) => {
    const name = `${item.kind} ${item.width}`;
    const time = known.get(name) ?? find(item);
    known.set(name, time);
    return time;
  };
}

const FREE: TimeEstimate = { ms: 0, low: 0, high: 0, error: 0 };

/**
 * Prices at the estimated costs.
 *
 * @param list The costs.
 * @returns Milliseconds of a tally.
 * @throws {CostModelError} Where asked for what was not measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const price = estimatedPrice(() => ({ ms: 20, low: 20, high: 20, error: 0 }));
 * assertEquals(price([{ kind: "pass", width: 5, count: 3 }]), 60);
 * ```
 */
export function estimatedPrice(list: PriceList): Price {
  return priceBy((item) => list(item).ms);
}

/**
 * The geometric mean over prompts of ratios that depend on costs, with a 95 % interval that carries
 * the errors of both: in each draw every cost errs once, wherever it occurs, and prompts are drawn
 * with replacement. Deviations by prompts are stretched as {@linkcode bootstrapRatio} does, since
 * percentiles of few are too narrow.
 *
 * @param prompts The prompts.
 * @param ratio A prompt's ratio at a price.
 * @param list The costs.
 * @param options Seed and number of draws.
 * @returns The mean; without an interval where there are fewer than two prompts.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const list = () => ({ ms: 20, low: 18, high: 22, error: 0.05 });
 * const { low, high } = drawnRatio([1.2, 1.5, 1.4, 1.3], (ratio) => ratio, list);
 * assert(1 < low! && high! < 2);
 * ```
 */
export function drawnRatio<Prompt>(
  prompts: readonly Prompt[],
  ratio: (prompt: Prompt, price: Price) => number,
  list: PriceList,
  options: DrawOptions = {},
): Interval {
  const { seed = 1, draws = 400 } = options;
  requireInteger("draw", "draws", draws, 2);
  const count = prompts.length;
  const logsAt = (price: Price) => prompts.map((prompt) => Math.log(ratio(prompt, price)));
  const estimate = Math.exp(mean(logsAt(estimatedPrice(list))));
  if (count < 2) return { estimate, low: null, high: null };
  const stretch = Math.sqrt(count / (count - 1)) * studentQuantile(count - 1) / Z;
  const random = stream(seed, "advice");
  const means = Float64Array.from({ length: draws }, () => {
    const logs = logsAt(drawnPrice(list, random));
    const centre = mean(logs);
    const resampled = mean(logs.map(() => logs[Math.floor(random() * count)]!));
    return centre + stretch * (resampled - centre);
  }).sort();
  const quantile = (p: number) => Math.exp(means[Math.round(p * (draws - 1))]!);
  return { estimate, low: quantile(0.025), high: quantile(0.975) };
}

/** Prices at costs drawn log-normally. */
function drawnPrice(list: PriceList, random: Random): Price {
  const drawn = new Map<string, number>();
  return priceBy((item) => {
    const name = `${item.kind} ${item.width}`;
    const known = drawn.get(name);
    if (known !== undefined) return known;
    const { ms, error } = list(item);
    const one = ms * Math.exp(error * normal(random));
    drawn.set(name, one);
    return one;
  });
}

function priceBy(one: (item: TallyItem) => number): Price {
  return (tally) => tally.reduce((sum, item) => sum + item.count * one(item), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A standard normal number (Box and Muller 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
