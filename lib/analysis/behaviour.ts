/**
 * What traces say of a draft, whatever the machine.
 *
 * @module
 */

import * as d3 from "d3-array";
import { fixed } from "../decoding/policies/fixed.ts";
import { replayTrace, standingChances, type Trace, type TracedRound } from "../study/trace.ts";
import { requireInteger } from "../validate.ts";
import {
  acceptance,
  blockEfficiency,
  expectedTokens,
  expectedTokensByPosition,
} from "./metrics.ts";

// d3-array ships no types. The mean of what is not null.
const mean: (values: Iterable<number | null>) => number | undefined = d3.mean;

/** Acceptance at one place: of a draft, or of the text. */
export interface PlacedAcceptance {
  /** Place in the draft, from 1; or the first token of a stretch of text, from 0. */
  readonly place: number;
  /** Tokens put to the test there. */
  readonly tested: number;
  /** How many of them stood; for drawn drafts what is expected. */
  readonly accepted: number;
  /** accepted / tested. */
  readonly alpha: number;
}

/** What a draft length yields, and what formulas make of its acceptance. */
export interface LengthBehaviour {
  /** K. */
  readonly draftLength: number;
  /** α, per tested token; null where nothing was drafted. */
  readonly alpha: number | null;
  /** τ: tokens per target pass, in replayed rounds. */
  readonly tau: number;
  /** E[τ] of independent acceptances, (1 − α^(d+1))/(1 − α), over the d tokens of each draft. */
  readonly independent: number;
  /** E[τ] of acceptances that depend on the place in the draft, 1 + Σ_k Π_{i ≤ k} α_i, likewise. */
  readonly byPlace: number;
}

/** Settings of replays. */
export interface ReplaysOptions {
  /** Seed of drawn drafts' luck. Default 1. */
  readonly seed?: number | string;
  /** Replays of each drawn trace, each with its own luck; a chosen one has one. Default 8. */
  readonly draws?: number;
}

/**
 * The rounds of traces at a draft length.
 *
 * @param traces The traces.
 * @param draftLength K.
 * @param options Seed, number of draws.
 * @returns The rounds of all replays.
 * @throws {TraceError} If a trace does not know so long drafts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const trace = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2, drafts } as const;
 * assertEquals(replayAll([{ choice: "chosen", ...trace }], 2).map(({ emitted }) => emitted), [3]);
 * ```
 */
export function replayAll(
  traces: readonly Trace[],
  draftLength: number,
  options: ReplaysOptions = {},
): TracedRound[] {
  const { seed = 1, draws = 8 } = options;
  requireInteger("replay", "draws", draws, 1);
  const policy = fixed(draftLength);
  return traces.flatMap((trace, index) =>
    Array.from(
      { length: trace.choice === "drawn" ? draws : 1 },
      (_, draw) => replayTrace(trace, { policy, seed: `${seed} ${index} ${draw}` }),
    ).flat()
  );
}

/**
 * What each draft length yields.
 *
 * @param traces Traces of one draft and sampling.
 * @param lengths The draft lengths.
 * @param options Seed, number of draws.
 * @returns One entry a length.
 * @throws {TraceError} If a trace does not know so long drafts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const trace = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2, drafts } as const;
 * const [two] = behaviourByLength([{ choice: "chosen", ...trace }], [2]);
 * assertEquals([two!.alpha, two!.tau, two!.independent], [1, 3, 3]);
 * ```
 */
export function behaviourByLength(
  traces: readonly Trace[],
  lengths: readonly number[],
  options: ReplaysOptions = {},
): LengthBehaviour[] {
  return lengths.map((draftLength) => {
    const rounds = replayAll(traces, draftLength, options);
    const sum = (name: "tested" | "accepted" | "emitted") =>
      rounds.reduce((total, round) => total + round[name], 0);
    const alpha = acceptance({ tested: sum("tested"), accepted: sum("accepted") });
    const places = acceptanceByPlace(rounds).map((place) => place.alpha);
    const over = (tokens: (drafted: number) => number) =>
      mean(rounds.map(({ drafted }) => tokens(drafted))) ?? 1;
    return {
      draftLength,
      alpha,
      tau: blockEfficiency({ emitted: sum("emitted"), rounds: rounds.length }) ?? 1,
      independent: over((drafted) => expectedTokens(alpha ?? 0, drafted)),
      byPlace: over((drafted) => expectedTokensByPosition(places.slice(0, drafted))),
    };
  });
}

/**
 * α_i: acceptance at each place of the draft, of those drafts that stood so far.
 *
 * @param rounds Rounds, replayed or recorded.
 * @returns One entry a place that was ever tested.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const rounds = [{ tested: 2, accepted: 2 }, { tested: 2, accepted: 1 }, { tested: 1, accepted: 0 }];
 * assertEquals(acceptanceByPlace(rounds).map(({ alpha }) => alpha), [2 / 3, 1 / 2]);
 * ```
 */
export function acceptanceByPlace(
  rounds: readonly Pick<TracedRound, "tested" | "accepted">[],
): PlacedAcceptance[] {
  const deepest = rounds.reduce((most, { tested }) => Math.max(most, tested), 0);
  return Array.from({ length: deepest }, (_, i) => {
    const place = i + 1;
    const tested = rounds.filter((round) => round.tested >= place).length;
    const accepted = rounds.filter((round) => round.accepted >= place).length;
    return { place, tested, accepted, alpha: accepted / tested };
  });
}

/**
 * Acceptance along the text: of the first token that would be drafted at each position, in stretches.
 *
 * @param traces Traces of one draft and sampling.
 * @param options Tokens of a stretch. Default 8.
 * @returns One entry a stretch in which anything was offered.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [1, 1, 0, 1].map((right) => ({ offered: 1, right, confidences: [] }));
 * const trace = { tokens: [7, 8, 9, 7], stop: "length", maxTokens: 9, longest: 1, drafts } as const;
 * const stretches = acceptanceAlongText([{ choice: "chosen", ...trace }], { stretch: 2 });
 * assertEquals(stretches.map(({ place, alpha }) => [place, alpha]), [[0, 1], [2, 0.5]]);
 * ```
 */
export function acceptanceAlongText(
  traces: readonly Trace[],
  options: { readonly stretch?: number } = {},
): PlacedAcceptance[] {
  const { stretch = 8 } = options;
  requireInteger("place acceptance", "stretch", stretch, 1);
  const placed = traces.flatMap((trace) =>
    standingChances(trace).flatMap((chance, position) =>
      chance === null ? [] : [{ place: position - position % stretch, chance }]
    )
  );
  return [...Map.groupBy(placed, ({ place }) => place)].map(([place, same]) => {
    const accepted = same.reduce((sum, { chance }) => sum + chance, 0);
    return { place, tested: same.length, accepted, alpha: accepted / same.length };
  }).sort((a, b) => a.place - b.place);
}

/**
 * How far acceptance at a position goes with acceptance some tokens further on: 0 at all lags is what
 * formulas of independent acceptances assume. Of drawn drafts it is that of their chances.
 *
 * @param series Chances along each text; null where nothing was offered.
 * @param lags Distances in tokens.
 * @returns Pearson's correlation at each lag about the mean of all; null where it is not defined.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const [one, two] = autocorrelation([[1, 0, 1, 0, 1, 0, 1, 0]], [1, 2]);
 * assertAlmostEquals(one!, -1);
 * assertAlmostEquals(two!, 1);
 * ```
 */
export function autocorrelation(
  series: readonly (readonly (number | null)[])[],
  lags: readonly number[],
): (number | null)[] {
  const centre = mean(series.flat());
  if (centre === undefined) return lags.map(() => null);
  const product = (lag: number): number | undefined =>
    mean(series.flatMap((values) =>
      values.slice(lag).map((later, i) => {
        const earlier = values[i]!;
        return earlier === null || later === null ? null : (earlier - centre) * (later - centre);
      })
    ));
  const variance = product(0);
  return lags.map((lag) => {
    const covariance = product(lag);
    return variance && covariance !== undefined ? covariance / variance : null;
  });
}
