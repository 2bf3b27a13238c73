/**
 * What the costs measured at each context predict.
 *
 * @module
 */

import { studentQuantile } from "../study/interval.ts";
import type { Records } from "../study/records.ts";
import { measureCosts, type MeasuredCosts, predictSpeedup } from "./costs.ts";
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
  /** Lower end of its 95 % interval; null if fewer than two prompts were there. */
  readonly low: number | null;
  /** Upper end, or null likewise. */
  readonly high: number | null;
}

/**
 * Predicts S at one acceptance for each octave of context, from the costs of replayed rounds at
 * any acceptance, since a pass costs the same whatever comes of it. Rounds of one prompt are alike, so
 * the interval is Student's over the jackknife that leaves out one prompt at a time (Efron and Stein
 * 1981).
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
    const costsWithout = (prompt: string | null) =>
      measureCosts(roundsWithout(partners, prompt), roundsWithout(group, prompt));
    const speedupOf = (costs: MeasuredCosts) => predictSpeedup(acceptance, [draftLength], costs);
    const costs = costsWithout(null)!;
    const speedup = speedupOf(costs);
    const left = [...new Set(group.map(({ run }) => run.prompt))].map(costsWithout)
      .filter((costs) => costs !== null).map(speedupOf);
    const point = { precision, draftLength, context: octave(context), costs, speedup };
    return [{ ...point, ...jackknifeInterval(speedup, left) }];
  }).sort((a, b) => a.context - b.context);
}

function roundsWithout(located: readonly LocatedRound[], prompt: string | null) {
  return located.filter(({ run }) => run.prompt !== prompt).map(({ round }) => round);
}

function jackknifeInterval(estimate: number, left: readonly number[]) {
  const count = left.length;
  if (count < 2) return { low: null, high: null };
  const logs = left.map(Math.log);
  const centre = logs.reduce((sum, log) => sum + log, 0) / count;
  const squares = logs.reduce((sum, log) => sum + (log - centre) ** 2, 0);
  const half = studentQuantile(count - 1) * Math.sqrt((count - 1) / count * squares);
  return { low: estimate * Math.exp(-half), high: estimate * Math.exp(half) };
}
