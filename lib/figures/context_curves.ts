/**
 * What the costs measured at each context predict.
 *
 * @module
 */

import { measureCosts, type MeasuredCosts, predictSpeedup } from "../analysis/costs.ts";
import type { Records } from "../study/records.ts";
import { type LocatedRound, locateRounds, octave } from "./located_rounds.ts";

/** Rounds of an arm without which a point says little. */
const LEAST = 20;

/** Costs around one context, and the S that they predict. */
export interface ContextPoint {
  /** The target's precision. */
  readonly precision: string;
  /** K. */
  readonly draftLength: number;
  /** n: the middle of the octave that the rounds lie in. */
  readonly context: number;
  /** Costs of rounds that drafted all K tokens. */
  readonly costs: MeasuredCosts;
  /** Predicted S. */
  readonly speedup: number;
}

/**
 * Predicts S at one acceptance for each octave of context, from the costs of replayed rounds at
 * any acceptance, since a pass costs the same whatever comes of it.
 *
 * @param records Rows of whole pairs.
 * @param options α.
 * @returns The points, by context. Octaves with fewer than 20 rounds of an arm are left out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(predictByContext({ runs: [], rounds: [] }, { acceptance: 0.7 }), []);
 * ```
 */
export function predictByContext(
  records: Records,
  { acceptance }: { readonly acceptance: number },
): ContextPoint[] {
  const rounds = locateRounds(records);
  const keyOf = ({ run, context }: LocatedRound) => `${run.precision} ${octave(context)}`;
  const plain = Map.groupBy(rounds.filter(({ run }) => run.arm === "plain"), keyOf);
  const replayed = Map.groupBy(
    rounds.filter(({ run, round }) => run.draft === "replay" && round.drafted === run.draftLength),
    (located) => `${keyOf(located)} ${located.run.draftLength}`,
  );
  return [...replayed.values()].flatMap((group) => {
    const { run: { precision, draftLength }, context } = group[0]!;
    const partners = plain.get(keyOf(group[0]!)) ?? [];
    if (Math.min(group.length, partners.length) < LEAST) return [];
    const costs = measureCosts(roundsOf(partners), roundsOf(group))!;
    const speedup = predictSpeedup(acceptance, [draftLength], costs);
    return [{ precision, draftLength, context: octave(context), costs, speedup }];
  }).sort((a, b) => a.context - b.context);
}

function roundsOf(located: readonly LocatedRound[]) {
  return located.map(({ round }) => round);
}
