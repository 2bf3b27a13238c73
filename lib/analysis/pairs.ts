/**
 * The two runs of a pair, side by side.
 *
 * @module
 */

import type { Records, RoundRecord, RunRecord } from "../study/records.ts";

/** Two runs of the same prompt with their rounds. */
export interface Pair {
  /** Plain decoding. */
  readonly plain: RunRecord;
  /** Speculative decoding. */
  readonly speculative: RunRecord;
  /** Rounds of the plain run. */
  readonly plainRounds: readonly RoundRecord[];
  /** Rounds of the speculative run. */
  readonly speculativeRounds: readonly RoundRecord[];
}

/**
 * The whole pairs that have a run of a kind.
 *
 * @param records Rows of whole pairs.
 * @param includes Whether a run is of that kind.
 * @returns Both runs of each, and their rounds, in file order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(selectPairs({ runs: [], rounds: [] }, () => true), { runs: [], rounds: [] });
 * ```
 */
export function selectPairs(
  { runs, rounds }: Records,
  includes: (run: RunRecord) => boolean,
): Records {
  const pairs = new Set(runs.filter(includes).map(({ pair }) => pair));
  const isSelected = ({ pair }: { readonly pair: string }) => pairs.has(pair);
  return { runs: runs.filter(isSelected), rounds: rounds.filter(isSelected) };
}

/**
 * Joins the two runs of each pair and their rounds.
 *
 * @param records Rows of whole pairs.
 * @returns The pairs, in file order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(joinPairs({ runs: [], rounds: [] }), []);
 * ```
 */
export function joinPairs({ runs, rounds }: Records): Pair[] {
  const roundsOf = Map.groupBy(rounds, ({ pair, arm }) => `${pair} ${arm}`);
  return [...Map.groupBy(runs, (run) => run.pair)].flatMap(([name, partners]) => {
    const plain = partners.find(({ arm }) => arm === "plain");
    const speculative = partners.find(({ arm }) => arm === "speculative");
    if (!plain || !speculative) return [];
    const [plainRounds = [], speculativeRounds = []] = [
      roundsOf.get(`${name} plain`),
      roundsOf.get(`${name} speculative`),
    ];
    return [{ plain, speculative, plainRounds, speculativeRounds }];
  });
}

/**
 * S of a pair: time per token of plain / of speculative decoding. Equal greedy runs emit the same
 * tokens, so it is the ratio of their times.
 *
 * @param pair The pair.
 * @returns The speed-up; null if a run failed or emitted nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const plain = { decodeMs: 300, emitted: 10 }, speculative = { decodeMs: 200, emitted: 10 };
 * assertEquals(pairSpeedup({ plain, speculative }), 1.5);
 * ```
 */
export function pairSpeedup({ plain, speculative }: {
  readonly plain: Pick<RunRecord, "decodeMs" | "emitted">;
  readonly speculative: Pick<RunRecord, "decodeMs" | "emitted">;
}): number | null {
  if (!plain.decodeMs || !plain.emitted || !speculative.decodeMs || !speculative.emitted) {
    return null;
  }
  return plain.decodeMs / plain.emitted / (speculative.decodeMs / speculative.emitted);
}

/**
 * Whether a pair counts towards verdicts.
 *
 * @param pair The pair.
 * @returns True if both runs are ok, emitted text, and were not disturbed.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const run = { decodeMs: 300, emitted: 10, disturbed: false };
 * assert(pairCounts({ plain: run, speculative: run }));
 * assert(!pairCounts({ plain: run, speculative: { ...run, disturbed: true } }));
 * ```
 */
export function pairCounts({ plain, speculative }: {
  readonly plain: Pick<RunRecord, "decodeMs" | "emitted" | "disturbed">;
  readonly speculative: Pick<RunRecord, "decodeMs" | "emitted" | "disturbed">;
}): boolean {
  return pairSpeedup({ plain, speculative }) !== null && !plain.disturbed && !speculative.disturbed;
}
