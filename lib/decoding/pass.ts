/**
 * The target's pass that checks a draft: what goes into it, and what of it stays.
 *
 * @module
 */

import type { Evaluation } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import type { Proposal } from "./drafters/drafter.ts";
import type { Outcome } from "./settle.ts";
import type { Scores, Verdict } from "./verify.ts";

/** What one row of the target evaluates. */
export interface Pass {
  /** The newest token of the text, then the draft. */
  readonly tokens: readonly TokenId[];
  /** For a tree, each token's parent in `tokens` or −1. */
  readonly parents?: readonly number[];
}

/**
 * The pass over a draft. It begins with the newest token of the text, which no pass has read yet.
 *
 * @param newest The last token of the text.
 * @param draft What was drafted to follow it.
 * @returns What to evaluate; `scoresOf` reads what came of it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(passOver(7, { tokens: [8, 9] }), { tokens: [7, 8, 9] });
 * assertEquals(passOver(7, { tokens: [8, 9], parents: [-1, -1] }).parents, [-1, 0, 0]);
 * ```
 */
export function passOver(newest: TokenId, draft: Proposal): Pass {
  const tokens = [newest, ...draft.tokens];
  if (!draft.parents) return { tokens };
  return { tokens, parents: [-1, ...draft.parents.map((parent) => parent + 1)] };
}

/**
 * What a pass over a draft found after each drafted token.
 *
 * @param evaluation The pass.
 * @param row The draft's row.
 * @returns The scores, by the node of the draft; −1 is the newest token of the text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const evaluation = await tableModel({ vocabularySize: 5, seed: 1 }).open().evaluate([[2, 3]]);
 * assertEquals(scoresOf(evaluation).logits(0), evaluation.logits(1));
 * ```
 */
export function scoresOf(evaluation: Evaluation, row = 0): Scores {
  return {
    logits: (node) => evaluation.logits(node + 1, row),
    probabilities: (node, temperature) => evaluation.probabilities(node + 1, temperature, row),
  };
}

/**
 * What of a pass is text: as many tokens as were emitted, because the pass began with the newest
 * token of the round before, and this round's newest is left to the next.
 *
 * @param draft What was drafted.
 * @param verdict The path that stands.
 * @param outcome How much of it is emitted.
 * @returns What to commit: a length, or a tree path.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const draft = { tokens: [8, 9], parents: [-1, -1] };
 * const verdict = { path: [1], tested: [0, 1], next: 5 };
 * const outcome = { tested: 2, accepted: 1, emitted: [9, 5], stop: null };
 * assertEquals(kept(draft, verdict, outcome), [0, 2]);
 * ```
 */
export function kept(draft: Proposal, verdict: Verdict, outcome: Outcome): number | number[] {
  const count = outcome.emitted.length;
  return draft.parents ? [0, ...verdict.path.map((node) => node + 1)].slice(0, count) : count;
}
