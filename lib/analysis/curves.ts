/**
 * What measured costs predict at every acceptance.
 *
 * @module
 */

import type { Records } from "../study/records.ts";
import { measureCosts, type MeasuredCosts, predictSpeedup } from "./costs.ts";
import { joinPairs, pairCounts } from "./pairs.ts";

/** Predicted S against α, for one precision and draft length. */
export interface Curve {
  /** The target's precision. */
  readonly precision: string;
  /** K. */
  readonly draftLength: number;
  /** Costs of rounds that drafted all K tokens. */
  readonly costs: MeasuredCosts;
  /** α from 0 to 1, and S. */
  readonly points: readonly { readonly alpha: number; readonly speedup: number }[];
}

/**
 * Predicts S for every α from the costs of replayed rounds: one curve a precision and draft length,
 * over all acceptances, since a pass costs the same whatever comes of it.
 *
 * @param records Rows of whole pairs.
 * @param options Steps between α = 0 and 1. Default 50.
 * @returns The curves.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * const curves = predictCurves({ runs, rounds });
 * assertEquals(curves.map(({ draftLength }) => draftLength), [2, 2, 8, 8]);
 * ```
 */
export function predictCurves(
  records: Records,
  { steps = 50 }: { readonly steps?: number } = {},
): Curve[] {
  const replays = joinPairs(records).filter((pair) =>
    pair.speculative.draft === "replay" && pairCounts(pair)
  );
  const groups = Map.groupBy(
    replays,
    ({ speculative }) => `${speculative.precision} ${speculative.draftLength}`,
  );
  return [...groups.values()].flatMap((pairs) => {
    const { precision, draftLength } = pairs[0]!.speculative;
    const full = pairs.flatMap(({ speculativeRounds }) => speculativeRounds)
      .filter(({ drafted }) => drafted === draftLength);
    const costs = measureCosts(pairs.flatMap(({ plainRounds }) => plainRounds), full);
    if (!costs) return [];
    const points = Array.from({ length: steps + 1 }, (_, step) => {
      const alpha = step / steps;
      return { alpha, speedup: predictSpeedup(alpha, [draftLength], costs) };
    });
    return [{ precision, draftLength, costs, points }];
  }).sort((a, b) => a.draftLength - b.draftLength);
}
