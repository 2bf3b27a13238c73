/**
 * Where speculation pays: the cost layer put together with an acceptance.
 *
 * @module
 */

import { type Random, stream } from "../random.ts";
import type { CostRecord } from "../study/cost_records.ts";
import { slotsFor } from "../engine/onnx_model.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import { type CostModel, fitCosts, type TimeEstimate } from "./cost_model.ts";
import { type MeasuredCosts, predictSpeedup } from "./costs.ts";
import { measuredTimes } from "./measured_times.ts";
import { expectedTokens } from "./metrics.ts";

/** Looks up what a shape costs. */
export type Times = Pick<CostModel, "time">;

/** What a model's passes cost, and its rounds outside of passes. */
export interface CostLayer {
  /** T(w, n, B). */
  readonly pass: Times;
  /** What a round that emits w tokens takes outside of passes, at any context. */
  readonly host: Times;
}

/** A target and what drafts for it. */
export interface CostPair {
  /** The target. */
  readonly target: CostLayer;
  /** The draft model, or null where drafting costs nothing: an n-gram table. */
  readonly draft: CostLayer | null;
}

/** Where S is asked for. */
export interface BoundaryPoint {
  /** α. */
  readonly alpha: number;
  /** K. */
  readonly draftLength: number;
  /** n. */
  readonly context: number;
  /** B. Default 1. */
  readonly batch?: number;
}

/** A figure that costs predict, with the 95 % interval that their errors leave. */
export interface Predicted {
  /** At the estimated costs. */
  readonly estimate: number;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** The best draft length for an acceptance and a context. */
export interface BestLength {
  /** K; 0 is plain decoding, where nothing pays. */
  readonly draftLength: number;
  /** S at that K; exactly 1 at 0. */
  readonly speedup: Predicted;
  /** What K = 4 loses against the best of all: S / S(4) − 1. */
  readonly regret: Predicted;
}

/** Settings of intervals. */
export interface BoundaryOptions {
  /** Seed of the draws. Default 1. */
  readonly seed?: number | string;
  /** Draws of all costs. Default 500. */
  readonly draws?: number;
}

/** The draft length that others are compared with: what engines take where they are told nothing. */
const USUAL_LENGTH = 4;

/** A cost as estimated, or as drawn from what its error leaves possible. */
type Drawn = (name: string, estimate: TimeEstimate) => number;
const asEstimated: Drawn = (_, { ms }) => ms;

/**
 * The cost layer of one model. Where all attention was scattered, a pass pays for the cache's slots,
 * which come in steps.
 *
 * @param rows Its rows of `costs.csv`.
 * @returns Its cost models.
 * @throws {CostModelError} If passes or the host's work were not measured, or of several models.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => costLayerOf([]), Error, "Cannot fit costs as none were measured");
 * ```
 */
export function costLayerOf(rows: readonly CostRecord[]): CostLayer {
  const scattered = rows.every(({ attention }) => attention === "scattered");
  const host = measuredTimes(rows, "host").map((time) => ({ ...time, context: 0 }));
  const slots = scattered ? { slots: slotsFor } : {};
  return { pass: fitCosts(measuredTimes(rows, "pass"), slots), host: fitCosts(host) };
}

/**
 * Costs of a round at an acceptance, as shares of a plain pass: c·K is K draft passes with what each
 * takes outside of them, plus the second token that the first of them reads after a draft that was
 * accepted whole (in α^K of rounds); h is that of a round which emits E[τ] tokens. In a batch, rows
 * share draft passes as they share the target's.
 *
 * @param pair Target and draft.
 * @param point α, K, n, B.
 * @returns What {@linkcode predictSpeedup} takes.
 * @throws {CostModelError} If the point lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0) });
 * const pair = { target: layer(20), draft: layer(2) };
 * const { c, v } = roundCosts(pair, { alpha: 0.5, draftLength: 4, context: 64 });
 * assertAlmostEquals(c, 0.1);
 * assertAlmostEquals(v, 1);
 * ```
 */
export function roundCosts(pair: CostPair, point: BoundaryPoint): MeasuredCosts {
  return costsOf(pair, point, asEstimated);
}

/**
 * S at a point: E[τ](1 + h₀) / (K·c + v + h).
 *
 * @param pair Target and draft.
 * @param point α, K, n, B.
 * @param options Seed and number of draws.
 * @returns S, with its interval.
 * @throws {CostModelError} If the point lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const target = { pass: constant(20), host: constant(0) };
 * const point = { alpha: 1, draftLength: 4, context: 64 };
 * assertAlmostEquals(speedupAt({ target, draft: null }, point).estimate, 5);
 * ```
 */
export function speedupAt(
  pair: CostPair,
  point: BoundaryPoint,
  options: BoundaryOptions = {},
): Predicted {
  const known = rememberCosts(pair);
  return predict((drawn) => speedup(known, point, drawn), options);
}

/**
 * The acceptance at which speculation begins to pay: S = 1.
 *
 * @param pair Target and draft.
 * @param place K, n, B.
 * @param options Seed and number of draws.
 * @returns α. Infinity where not even α = 1 pays, and 0 where α = 0 does.
 * @throws {CostModelError} If the place lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0) });
 * const pair = { target: layer(20), draft: layer(5) };
 * assertAlmostEquals(breakEven(pair, { draftLength: 1, context: 64 }).estimate, 0.25); // α = c
 * ```
 */
export function breakEven(
  pair: CostPair,
  place: Omit<BoundaryPoint, "alpha">,
  options: BoundaryOptions = {},
): Predicted {
  const known = rememberCosts(pair);
  return predict((drawn) => {
    const pays = (alpha: number) => speedup(known, { ...place, alpha }, drawn) >= 1;
    if (pays(0)) return 0;
    if (!pays(1)) return Infinity;
    let [below, above] = [0, 1];
    while (above - below > 1e-5) {
      const middle = (below + above) / 2;
      if (pays(middle)) above = middle;
      else below = middle;
    }
    return above;
  }, options);
}

/**
 * The draft length that decodes fastest, plain decoding among them, and what K = 4 loses to it.
 *
 * @param pair Target and draft.
 * @param place α, n, B.
 * @param options The longest K, seed and number of draws.
 * @returns The best K.
 * @throws {CostModelError} If passes over so many tokens were not measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0) });
 * const pair = { target: layer(20), draft: layer(5) };
 * const best = (alpha: number) => bestLength(pair, { alpha, context: 64 }, { longest: 8 }).draftLength;
 * assertEquals([best(0.1), best(0.5), best(1)], [0, 1, 8]);
 * ```
 */
export function bestLength(
  pair: CostPair,
  place: Omit<BoundaryPoint, "draftLength">,
  options: BoundaryOptions & { readonly longest?: number } = {},
): BestLength {
  const { longest = 16 } = options;
  requireInteger("find the best draft length", "longest", longest, USUAL_LENGTH);
  const speedups = (drawn: Drawn) =>
    Array.from(
      { length: longest + 1 },
      (_, draftLength) => draftLength === 0 ? 1 : speedup(pair, { ...place, draftLength }, drawn),
    );
  const estimated = speedups(asEstimated);
  const draftLength = estimated.indexOf(Math.max(...estimated));
  const best = draftLength === 0
    ? { estimate: 1, low: 1, high: 1 }
    : speedupAt(pair, { ...place, draftLength }, options);
  const regret = predict((drawn) => {
    const all = speedups(drawn);
    return Math.max(...all) / all[USUAL_LENGTH]! - 1;
  }, options);
  return { draftLength, speedup: best, regret };
}

function speedup(pair: CostPair, point: BoundaryPoint, drawn: Drawn): number {
  return predictSpeedup(point.alpha, [point.draftLength], costsOf(pair, point, drawn));
}

function costsOf(
  { target, draft }: CostPair,
  { alpha, draftLength, context, batch = 1 }: BoundaryPoint,
  drawn: Drawn,
): MeasuredCosts {
  requireNumber("predict a speed-up", "alpha", alpha, 0, 1);
  requireInteger("predict a speed-up", "draftLength", draftLength, 0);
  const pass = (width: number) => drawn(`pass ${width}`, target.pass.time(width, context, batch));
  const host = (width: number) => drawn("host", target.host.time(width, 0, batch));
  const draftPass = (width: number) =>
    draft ? drawn(`draft ${width}`, draft.pass.time(width, context, batch)) : 0;
  const draftHost = draft ? drawn("draft host", draft.host.time(1, 0, batch)) : 0;
  const passMs = pass(1);
  const catchUp = draft ? alpha ** draftLength * (draftPass(2) - draftPass(1)) : 0;
  const draftMs = draftLength * (draftPass(1) + draftHost) + (draftLength > 0 ? catchUp : 0);
  return {
    passMs,
    plainHost: host(1) / passMs,
    c: draftLength === 0 ? 0 : draftMs / draftLength / passMs,
    drafting: draftMs / passMs,
    v: pass(draftLength + 1) / passMs,
    h: host(expectedTokens(alpha, draftLength)) / passMs,
  };
}

/**
 * Looks every cost up once, for who asks for the same ones hundreds of times.
 *
 * @param pair Target and draft.
 * @returns The same costs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * let asked = 0;
 * const time = () => ({ ms: ++asked, low: 1, high: 1, error: 0 });
 * const { target } = rememberCosts({ target: { pass: { time }, host: { time } }, draft: null });
 * assertEquals([target.pass.time(1, 64).ms, target.pass.time(1, 64).ms, asked], [1, 1, 1]);
 * ```
 */
export function rememberCosts({ target, draft }: CostPair): CostPair {
  const once = (model: Times): Times => {
    // Maps within maps, by number: a key of text took longer to write than all else here.
    const known = new Map<number, Map<number, Map<number, TimeEstimate>>>();
    const time: CostModel["time"] = (width, context, batch = 1) => {
      const places = known.getOrInsertComputed(batch, () => new Map());
      const widths = places.getOrInsertComputed(context, () => new Map());
      return widths.getOrInsertComputed(width, () => model.time(width, context, batch));
    };
    return { time };
  };
  const layer = ({ pass, host }: CostLayer) => ({ pass: once(pass), host: once(host) });
  return { target: layer(target), draft: draft && layer(draft) };
}

/** A figure at the estimated costs, and the percentiles of it at costs drawn log-normally. */
function predict(
  figure: (drawn: Drawn) => number,
  { seed = 1, draws = 500 }: BoundaryOptions,
): Predicted {
  requireInteger("predict", "draws", draws, 2);
  const random = stream(seed, "costs");
  const figures = Array.from({ length: draws }, () => figure(drawCosts(random)));
  figures.sort((a, b) => a - b); // not d3's quantile, which makes NaN of Infinity
  const quantile = (p: number) => figures[Math.round(p * (draws - 1))]!;
  return { estimate: figure(asEstimated), low: quantile(0.025), high: quantile(0.975) };
}

/** One draw: each cost errs once, wherever it occurs. */
function drawCosts(random: Random): Drawn {
  const deviations = new Map<string, number>();
  return (name, { ms, error }) => {
    const deviation = deviations.get(name) ?? normal(random);
    deviations.set(name, deviation);
    return ms * Math.exp(error * deviation);
  };
}

/** A standard normal number (Box and Muller 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
