/**
 * What rounds take, counted before it is priced: the same counts have a price on every machine and
 * at every context.
 *
 * @module
 */

import type { CostedRound } from "../analysis/validation_prediction.ts";

/** What is counted. */
export interface TallyItem {
  /**
   * "pass" and "host" of the target, "draft" and "draft host" of what drafts for it; "reading" is
   * the draft's of the prompt.
   */
  readonly kind: "pass" | "host" | "draft" | "draft host" | "reading";
  /** w: tokens of a pass; of "host", tokens emitted. */
  readonly width: number;
  /** How many. */
  readonly count: number;
}

/** All that rounds take. */
export type RoundTally = readonly TallyItem[];

/** How rounds are run. */
export interface TallyOptions {
  /** Whether a model drafts, which has passes of its own. */
  readonly drafts: boolean;
  /** Tokens that a pass is padded to, as rows of a batch wait for the longest draft. Default: 1. */
  readonly narrowest?: number;
}

/**
 * Counts what rounds take, as `timeOfRounds` adds it up. A draft that was accepted whole leaves two
 * tokens for the next draft's first pass to read, and rounds of plain decoding leave more. Drafts are
 * timed at widths 1 and 2 only: a pass over u tokens counts as the line through these, (u − 1) of
 * width 2 less (u − 2) of width 1.
 *
 * @param rounds The rounds, in order.
 * @param options Whether a model drafts; the narrowest pass.
 * @returns One item for each kind and width.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const tally = tallyRounds([{ drafted: 2, emitted: 3 }, { drafted: 2, emitted: 1 }], { drafts: true });
 * assertEquals(tally, [
 *   { kind: "pass", width: 3, count: 2 },
 *   { kind: "host", width: 3, count: 1 },
 *   { kind: "draft host", width: 1, count: 4 },
 *   { kind: "draft", width: 1, count: 3 },
 *   { kind: "host", width: 1, count: 1 },
 *   { kind: "draft", width: 2, count: 1 },
 * ]);
 * ```
 */
export function tallyRounds(rounds: readonly CostedRound[], options: TallyOptions): RoundTally {
  const { drafts, narrowest = 1 } = options;
  const items = new Map<string, TallyItem>();
  const add = (kind: TallyItem["kind"], width: number, count: number) => {
    const name = `${kind} ${width}`;
    items.set(name, { kind, width, count: (items.get(name)?.count ?? 0) + count });
  };
  let unread = 1;
  for (const { drafted, emitted } of rounds) {
    add("pass", Math.max(narrowest, drafted + 1), 1);
    add("host", Math.max(1, emitted), 1);
    if (drafts && drafted > 0) {
      add("draft host", 1, drafted);
      add("draft", 1, drafted + 1 - unread);
      if (unread > 1) add("draft", 2, unread - 1);
      unread = emitted > drafted ? 2 : 1;
    } else unread += emitted;
  }
  return [...items.values()].filter(({ count }) => count !== 0);
}

/**
 * Several tallies as one.
 *
 * @param tallies The tallies.
 * @returns Their mean.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const pass = (count: number) => ({ kind: "pass", width: 1, count }) as const;
 * assertEquals(meanTally([[pass(2)], [pass(4)]]), [pass(3)]);
 * ```
 */
export function meanTally(tallies: readonly RoundTally[]): RoundTally {
  const groups = Map.groupBy(tallies.flat(), ({ kind, width }) => `${kind} ${width}`);
  return [...groups.values()].map((same) => ({
    ...same[0]!,
    count: same.reduce((sum, { count }) => sum + count, 0) / tallies.length,
  }));
}
