/**
 * What a use of a draft is worth on a machine at a context.
 *
 * @module
 */

import { breakEven } from "../analysis/boundary.ts";
import { CostModelError } from "../analysis/measured_times.ts";
import { type Interval, judgeSpeedup } from "../analysis/statistics.ts";
import {
  drawnRatio,
  type DrawOptions,
  estimatedPrice,
  type PricedPlace,
  priceList,
} from "./price.ts";
import type { DraftUse } from "./use.ts";

/** What a use of a draft is worth at a place. */
export interface Score {
  /** S while decoding. */
  readonly speedup: Interval;
  /** S of whole replies, in which the draft's reading of the prompt is paid for. */
  readonly reply: Interval;
}

/** Shares of a round in units of a plain pass: S = τ (1 + plainHost) / (drafting + checking + host). */
export interface RoundShares {
  /** Draft passes and what is around them: K·c. */
  readonly drafting: number;
  /** The target's pass: v. */
  readonly checking: number;
  /** The rest: h. */
  readonly host: number;
  /** What plain decoding has outside of its passes: h₀. */
  readonly plainHost: number;
}

/**
 * S of a use at a place, with the errors of costs and of behaviour carried through.
 *
 * @param use The use.
 * @param place n, B.
 * @param options Seed and number of draws.
 * @returns S while decoding, and of whole replies.
 * @throws {CostModelError} If the place lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null, reading: null };
 * const passes = (count: number) => [{ kind: "pass", width: 1, count }] as const;
 * const tallies = [3, 6].map((n) => ({ plain: passes(n), speculative: passes(n / 3), reply: passes(n / 2) }));
 * const { speedup, reply } = scoreUse({ draft: { costs }, tallies } as never, { context: 64, batch: 1 });
 * assertEquals([speedup.estimate, reply.estimate].map(Math.round), [3, 2]);
 * ```
 */
export function scoreUse(
  { draft, tallies }: DraftUse,
  place: PricedPlace,
  options?: DrawOptions,
): Score {
  const list = priceList(draft.costs, place);
  const of = (what: "speculative" | "reply") =>
    drawnRatio(
      tallies,
      (prompt, price) => price(prompt.plain) / price(prompt[what]),
      list,
      options,
    );
  return { speedup: of("speculative"), reply: of("reply") };
}

/**
 * S of whole replies at the estimated costs alone.
 *
 * @param use The use.
 * @param place n, B.
 * @returns S; null if the place lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null, reading: null };
 * const passes = (count: number) => [{ kind: "pass", width: 1, count }] as const;
 * const tallies = [{ plain: passes(6), reply: passes(3) }];
 * const use = { draft: { costs }, tallies } as never;
 * assertAlmostEquals(estimateReply(use, { context: 64, batch: 1 })!, 2);
 * ```
 */
export function estimateReply({ draft, tallies }: DraftUse, place: PricedPlace): number | null {
  const price = estimatedPrice(priceList(draft.costs, place));
  try {
    const logs = tallies.map(({ plain, reply }) => Math.log(price(plain) / price(reply)));
    return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  } catch (error) {
    if (error instanceof CostModelError) return null;
    throw error;
  }
}

/**
 * How much longer replies take by one use than by another.
 *
 * @param worse The one.
 * @param better The other; null is plain decoding.
 * @param place n, B.
 * @param options Seed and number of draws.
 * @returns Time of the one / time of the other − 1, paired by prompt and by draw of costs.
 * @throws {CostModelError} If the place lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null, reading: null };
 * const passes = (count: number) => [{ kind: "pass", width: 1, count }] as const;
 * const use = { draft: { costs }, tallies: [{ plain: passes(6), reply: passes(9) }] } as never;
 * assertAlmostEquals(regretOf(use, null, { context: 64, batch: 1 }).estimate, 0.5);
 * ```
 */
export function regretOf(
  worse: DraftUse,
  better: DraftUse | null,
  place: PricedPlace,
  options?: DrawOptions,
): Interval {
  const pairs = worse.tallies.map((tallies, i) => {
    return { worse: tallies.reply, better: better ? better.tallies[i]!.reply : tallies.plain };
  });
  const list = priceList(worse.draft.costs, place);
  const ratio = drawnRatio(
    pairs,
    ({ worse, better }, price) => price(worse) / price(better),
    list,
    options,
  );
  const { estimate, low, high } = ratio;
  return { estimate: estimate - 1, low: low && low - 1, high: high && high - 1 };
}

/**
 * Where the time of a round goes.
 *
 * @param use The use.
 * @param place n, B.
 * @returns The mean round's shares.
 * @throws {CostModelError} If the place lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null, reading: null };
 * const tallies = [{ speculative: [{ kind: "pass", width: 5, count: 2 }] }];
 * const use = { draft: { costs }, tallies } as never;
 * const { checking, drafting } = sharesOf(use, { context: 64, batch: 1 });
 * assertEquals([checking, drafting], [1, 0]);
 * ```
 */
export function sharesOf({ draft, tallies }: DraftUse, place: PricedPlace): RoundShares {
  const list = priceList(draft.costs, place);
  const price = estimatedPrice(list);
  const passMs = list({ kind: "pass", width: 1 }).ms;
  const all = tallies.flatMap(({ speculative }) => speculative);
  const rounds = all.reduce((sum, { kind, count }) => kind === "pass" ? sum + count : sum, 0);
  const share = (kinds: readonly string[]) =>
    price(all.filter(({ kind }) => kinds.includes(kind))) / rounds / passMs;
  return {
    drafting: share(["draft", "draft host"]),
    checking: share(["pass"]),
    host: share(["host"]),
    plainHost: list({ kind: "host", width: 1 }).ms / passMs,
  };
}

/**
 * α below which drafting loses at a place: break-even of independent acceptances, for drafts as long
 * as they are made.
 *
 * @param use The use.
 * @param place n, B.
 * @returns α, at most 1.
 * @throws {CostModelError} If the place lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null, reading: null };
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0) });
 * const draft = { costs: { ...costs, draft: layer(5) } };
 * const use = { draft, drafted: 1 } as never;
 * assertAlmostEquals(thresholdOf(use, { context: 64, batch: 1 }), 0.25, 1e-4); // α = c
 * ```
 */
export function thresholdOf({ draft, drafted }: DraftUse, place: PricedPlace): number {
  const draftLength = Math.max(1, Math.round(drafted));
  return Math.min(1, breakEven(draft.costs, { draftLength, ...place }, { draws: 2 }).estimate);
}

/** Whether to switch speculation on. */
export type AdviceVerdict = "yes" | "no" | "undecided";

/**
 * Whether a speed-up is worth it: "yes" if it is above 1 and its lower end is at least 1 − slack; "no"
 * if all of its interval is below 1.
 *
 * @param reply S of whole replies.
 * @param slack The share by which replies may be slower at the interval's unlucky end.
 * @returns The verdict.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const reply = { estimate: 1.2, low: 0.96, high: 1.4 };
 * assertEquals([judgeReply(reply, 0), judgeReply(reply, 0.05)], ["undecided", "yes"]);
 * ```
 */
export function judgeReply(reply: Interval, slack: number): AdviceVerdict {
  const { estimate, low } = reply;
  if (judgeSpeedup(reply) === "hurts") return "no";
  return estimate > 1 && low !== null && low >= 1 - slack ? "yes" : "undecided";
}
