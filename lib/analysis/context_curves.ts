/**
 * S at each context: as replays measured it, and as the costs measured there predict.
 *
 * @module
 */

import { studentQuantile } from "../study/interval.ts";
import { CONTEXT_STUDY } from "../study/presets.ts";
import type { Records } from "../study/records.ts";
import { measureCosts, type MeasuredCosts, predictSpeedup } from "./costs.ts";
import { type LocatedRound, locateRounds, octave } from "./located_rounds.ts";
import { joinPairs, type Pair, pairCounts, pairSpeedup } from "./pairs.ts";
import { bootstrapRatio, geometricMean, type PairedRatio } from "./statistics.ts";

/** Rounds of an arm without which a point says little. */
const LEAST = 20;

/** S around one context. */
export interface ContextPoint {
  /** The target's precision. */
  readonly precision: string;
  /** α that was set. */
  readonly acceptance: number;
  /** K. */
  readonly draftLength: number;
  /** n: tokens before the first round, the geometric mean of those in one octave. */
  readonly context: number;
  /** S. */
  readonly speedup: number;
  /** Lower end of its 95 % interval; null if fewer than two prompts were there. */
  readonly low: number | null;
  /** Upper end, or null likewise. */
  readonly high: number | null;
}

/** S that costs around one context predict. */
export interface PredictedPoint extends ContextPoint {
  /** Costs of rounds that drafted all K tokens. */
  readonly costs: MeasuredCosts;
}

/**
 * S of replays at each octave of context, with its bootstrap interval over prompts and processes.
 *
 * @param records Rows of whole pairs.
 * @returns The points: by precision, most bits first, then by α, K and context.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(measureByContext({ runs: [], rounds: [] }), []);
 * ```
 */
export function measureByContext(records: Records): ContextPoint[] {
  const pairs = joinPairs(records).filter((pair) =>
    pair.speculative.draft === "replay" && pairCounts(pair)
  );
  const groups = Map.groupBy(
    pairs,
    ({ speculative: { precision, acceptance, draftLength, context } }) =>
      [precision, acceptance, draftLength, octave(context)].join(),
  );
  return [...groups.values()].map((group) => {
    const { precision, acceptance, draftLength } = group[0]!.speculative;
    const context = geometricMean(group.map(({ speculative }) => speculative.context));
    const { estimate: speedup, low, high } = bootstrapRatio(group.map(ratioOf), { seed: 1 });
    return { precision, acceptance: acceptance!, draftLength, context, speedup, low, high };
  }).sort(inOrder);
}

/**
 * Predicts S at one acceptance for each octave of context, from the costs of replayed rounds at
 * any acceptance, since a pass costs the same whatever comes of it. Rounds of one prompt are alike, so
 * the interval is Student's over the jackknife that leaves out one prompt at a time (Efron and Stein
 * 1981).
 *
 * @param records Rows of whole pairs.
 * @param options α.
 * @returns The points, in the same order. Octaves with fewer than 20 rounds of an arm are left out.
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
): PredictedPoint[] {
  const rounds = locateRounds(records);
  const keyOf = ({ run }: LocatedRound) => `${run.precision} ${octave(run.context)}`;
  const plain = Map.groupBy(rounds.filter(({ run }) => run.arm === "plain"), keyOf);
  const replayed = Map.groupBy(
    rounds.filter(({ run, round }) => run.draft === "replay" && round.drafted === run.draftLength),
    (located) => `${keyOf(located)} ${located.run.draftLength}`,
  );
  return [...replayed.values()].flatMap((group) => {
    const { precision, draftLength } = group[0]!.run;
    const partners = plain.get(keyOf(group[0]!)) ?? [];
    if (Math.min(group.length, partners.length) < LEAST) return [];
    const context = geometricMean(group.map(({ run }) => run.context));
    const costsWithout = (prompt: string | null) =>
      measureCosts(roundsWithout(partners, prompt), roundsWithout(group, prompt));
    const speedupOf = (costs: MeasuredCosts) => predictSpeedup(acceptance, [draftLength], costs);
    const costs = costsWithout(null)!;
    const speedup = speedupOf(costs);
    const left = [...new Set(group.map(({ run }) => run.prompt))].map(costsWithout)
      .filter((costs) => costs !== null).map(speedupOf);
    const place = { precision, acceptance, draftLength, context };
    return [{ ...place, costs, speedup, ...jackknifeInterval(speedup, left) }];
  }).sort(inOrder);
}

/**
 * The context at which S falls through 1, between the points of a line in log n.
 *
 * @param line S by context, ascending.
 * @returns n; Infinity if S stays above 1 at the longest, 0 if it is nowhere above.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const line = [{ context: 64, speedup: 2 }, { context: 1024, speedup: 0.5 }];
 * assertAlmostEquals(contextAtOne(line), 256);
 * assertEquals(contextAtOne(line.slice(0, 1)), Infinity);
 * ```
 */
export function contextAtOne(
  line: readonly Pick<ContextPoint, "context" | "speedup">[],
): number {
  const last = line.findLastIndex(({ speedup }) => speedup >= 1);
  const [above, below] = [line[last], line[last + 1]];
  if (!above) return 0;
  if (!below) return Infinity;
  const share = Math.log(above.speedup) / Math.log(above.speedup / below.speedup);
  return above.context * (below.context / above.context) ** share;
}

/** Where each process reads a prompt of its own, the two are one cluster, not two that cross. */
function ratioOf(pair: Pair): PairedRatio {
  const { study, prompt, process } = pair.speculative;
  return { ratio: pairSpeedup(pair)!, prompt, process: study === CONTEXT_STUDY ? 1 : process };
}

function inOrder(a: ContextPoint, b: ContextPoint): number {
  const bits = ({ precision }: ContextPoint) => Number(precision.replace(/\D/g, ""));
  return bits(b) - bits(a) || a.acceptance - b.acceptance || a.draftLength - b.draftLength ||
    a.context - b.context;
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
