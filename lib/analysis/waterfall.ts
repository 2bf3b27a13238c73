/**
 * Where the speed-up goes: from the ideal K + 1 down to what was measured, factor by factor.
 *
 * @module
 */

import type { Records, RoundRecord, RunRecord } from "../study/records.ts";
import { joinPairs, type Pair, pairCounts, pairSpeedup } from "./pairs.ts";
import { bootstrapRatio, type Interval } from "./statistics.ts";
import { CELL_FACTORS, type CellFactors } from "./summary.ts";

/** The factors, in the order in which they are taken off. */
export const WATERFALL_FACTORS = [
  "short drafts",
  "rejections",
  "last rounds",
  "verification",
  "host",
  "drafting",
  "unaccounted",
] as const;

/** What a pair's S is made of beside K + 1: their product is S / (K + 1). */
export type WaterfallFactors = Readonly<Record<typeof WATERFALL_FACTORS[number], number>>;

/** A step from the ideal to the measured speed-up. */
export interface WaterfallStep {
  /** What is taken off. */
  readonly name: typeof WATERFALL_FACTORS[number];
  /** By how much S is multiplied: the geometric mean over pairs, with its interval. */
  readonly factor: Interval;
  /** S before this step. */
  readonly from: number;
  /** S after it. */
  readonly to: number;
}

/** A cell's speed-up, taken apart. */
export interface Waterfall extends CellFactors {
  /** K + 1: every draft stands whole, and all but one plain pass a round is free. */
  readonly ideal: number;
  /** The steps, in order; the last ends at the measured S. */
  readonly steps: readonly WaterfallStep[];
  /** The measured S. */
  readonly speedup: Interval;
  /** Pairs that count. */
  readonly pairs: number;
  /** Prompts among them. */
  readonly prompts: number;
}

/**
 * Takes the measured speed-up of each cell apart. Factors are geometric means over the pairs that
 * count, so they multiply to the measured S exactly; see {@linkcode waterfallFactors}.
 *
 * @param records Rows of whole pairs.
 * @param options Seed of the bootstrap over prompts and processes. Default 1.
 * @returns One waterfall a cell that drafts, in file order.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * const [cell] = waterfalls({ runs, rounds });
 * assertAlmostEquals(cell!.steps.at(-1)!.to, cell!.speedup.estimate);
 * ```
 */
export function waterfalls(
  records: Records,
  { seed = 1 }: { readonly seed?: number | string } = {},
): Waterfall[] {
  const pairs = joinPairs(records)
    .filter((pair) => pair.speculative.draftLength > 0 && pairCounts(pair));
  const cells = Map.groupBy(
    pairs,
    ({ speculative }) => CELL_FACTORS.map((name) => speculative[name]).join("\t"),
  );
  return [...cells.values()].map((cell) => takeApart(cell, seed));
}

function takeApart(pairs: readonly Pair[], seed: number | string): Waterfall {
  const { speculative } = pairs[0]!;
  const factors = pairs.map(waterfallFactors);
  const pool = (ratios: readonly number[]) =>
    bootstrapRatio(
      pairs.map(({ speculative: { prompt, process } }, i) => {
        return { ratio: ratios[i]!, prompt, process };
      }),
      { seed },
    );
  const ideal = speculative.draftLength + 1;
  let from = ideal;
  const steps = WATERFALL_FACTORS.map((name): WaterfallStep => {
    const factor = pool(factors.map((of) => of[name]));
    const step = { name, factor, from, to: from * factor.estimate };
    from = step.to;
    return step;
  });
  return {
    ...Object.fromEntries(CELL_FACTORS.map((name) => [name, speculative[name]])) as CellFactors,
    ideal,
    steps,
    speedup: pool(pairs.map((pair) => pairSpeedup(pair)!)),
    pairs: pairs.length,
    prompts: new Set(pairs.map((pair) => pair.speculative.prompt)).size,
  };
}

/**
 * The factors of one pair's S. First those of counts, then those of time; with bars over means of all
 * rounds of an arm, p a plain pass and h₀ a plain round's time outside of it:
 *
 * - short drafts: (drafted + 1) / (K + 1) in unhindered rounds: what the draft did not offer;
 * - rejections: (accepted + 1) / (drafted + 1) in the same rounds; with the factor above, τ / (K + 1);
 * - last rounds: tokens a round in all rounds / in unhindered ones. A round is hindered where the
 *   limit leaves no room for K tokens, or the text ends before its last token;
 * - verification: p̄ / v̄, v a pass over a draft;
 * - host: (p̄ + h̄₀) / p̄ · v̄ / (v̄ + h̄): what the rest of a round takes beyond what it takes plainly;
 * - drafting: (v̄ + h̄) / (d̄ + v̄ + h̄), the share of a round that is not drafting. It comes last of
 *   costs, so that a slower draft changes no other factor;
 * - unaccounted: what decoding took outside of its rounds' stamps, plain / speculative.
 *
 * A pair without an unhindered round, whose texts are no longer than a draft, has its last rounds
 * among the others.
 *
 * @param pair A pair that counts.
 * @returns The factors; their product is S / (K + 1).
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const run = { draftLength: 2, maxTokens: 9, decodeMs: 60, emitted: 6 };
 * const round = { drafted: 0, accepted: 0, emitted: 1, draftMs: 0, verifyMs: 10, sampleMs: 0, hostMs: 0 };
 * const wide = { ...round, drafted: 2, accepted: 2, emitted: 3, draftMs: 4, verifyMs: 12 };
 * const factors = waterfallFactors({
 *   plain: run, plainRounds: Array(6).fill(round),
 *   speculative: { ...run, decodeMs: 32 }, speculativeRounds: [wide, wide],
 * });
 * assertAlmostEquals(factors.verification, 10 / 12);
 * assertAlmostEquals(factors.drafting, 12 / 16);
 * ```
 */
export function waterfallFactors(pair: WaterfallPair): WaterfallFactors {
  const { plainRounds, speculative: { draftLength, emitted }, speculativeRounds } = pair;
  const unhindered = unhinderedRounds(pair);
  const count = (name: "drafted" | "accepted") => mean(unhindered, (round) => round[name]) + 1;
  const tau = emitted! / speculativeRounds.length;
  const pass = mean(plainRounds, ({ verifyMs }) => verifyMs);
  const plainRound = pass + mean(plainRounds, hostMs);
  const verify = mean(speculativeRounds, ({ verifyMs }) => verifyMs);
  const undrafted = verify + mean(speculativeRounds, hostMs);
  const round = undrafted + mean(speculativeRounds, ({ draftMs }) => draftMs);
  return {
    "short drafts": count("drafted") / (draftLength + 1),
    "rejections": count("accepted") / count("drafted"),
    "last rounds": tau / count("accepted"),
    "verification": pass / verify,
    "host": plainRound / pass * verify / undrafted,
    "drafting": undrafted / round,
    "unaccounted": pairSpeedup(pair)! / (tau * plainRound / round),
  };
}

/** As much of a pair as its factors need. */
export interface WaterfallPair {
  /** Plain decoding. */
  readonly plain: Pick<RunRecord, "decodeMs" | "emitted">;
  /** Speculative decoding. */
  readonly speculative: Pick<RunRecord, "decodeMs" | "emitted" | "draftLength" | "maxTokens">;
  /** Rounds of the plain run. */
  readonly plainRounds: readonly WaterfallRound[];
  /** Rounds of the speculative run. */
  readonly speculativeRounds: readonly WaterfallRound[];
}

/** As much of a round. */
export type WaterfallRound = Pick<
  RoundRecord,
  "drafted" | "accepted" | "emitted" | "draftMs" | "verifyMs" | "sampleMs" | "hostMs"
>;

/** Rounds that had room for K tokens and emitted all they could; or all, where none is so. */
function unhinderedRounds({ speculative, speculativeRounds }: WaterfallPair) {
  let remaining = speculative.maxTokens;
  const unhindered = speculativeRounds.filter(({ accepted, emitted }) => {
    const room = remaining - 1;
    remaining -= emitted;
    return room >= speculative.draftLength && emitted === accepted + 1;
  });
  return unhindered.length > 0 ? unhindered : speculativeRounds;
}

function hostMs({ sampleMs, hostMs }: WaterfallRound): number {
  return sampleMs + hostMs;
}

function mean<T>(values: readonly T[], valueOf: (value: T) => number): number {
  return values.reduce((sum, value) => sum + valueOf(value), 0) / values.length;
}
