/**
 * Verification: which drafted tokens stand, and which token comes next. Pure; no model, no clock.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { Random } from "../random.ts";
import type { Proposal } from "./drafters/drafter.ts";
import { argmax, cut, type Distribution, sample, type Sampling } from "./sampling.ts";

/** What verification decided. */
export interface Verdict {
  /** Indices of the drafted tokens that stand, from the root down. In a chain: 0, 1, 2, … */
  readonly path: readonly number[];
  /** Indices of the drafted tokens that were put to the test, accepted or rejected, in order. */
  readonly tested: readonly number[];
  /** The token after the path: the correction, or the bonus if nothing was left to test. */
  readonly next: TokenId;
}

/**
 * The parents of a chain: each token follows the one before.
 *
 * @param count How many tokens it has.
 * @returns Their parents.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(chain(3), [-1, 0, 1]);
 * ```
 */
export function chain(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i - 1);
}

/**
 * Exact rejection sampling: whatever was drafted, the output is distributed as the target's own
 * samples (Leviathan et al. 2023, §2.3 and appendix A.1; for trees with children drawn
 * independently, SpecInfer's multi-step scheme, Miao et al. 2024, §4.3).
 *
 * A token x drawn from q is accepted with probability min(1, p(x)/q(x)); if it is rejected, p becomes
 * the residual max(0, p − q), normalised, for its next sibling or the correction. A token that was
 * chosen, not drawn, has q = 1 at itself.
 *
 * @param draft The drafted tokens, and what they were drawn from.
 * @param p The target's distribution after a drafted token, or at the root: −1. Asked only where
 *   the path leads.
 * @param random The stream of acceptance draws.
 * @returns The accepted path, and the token after it.
 * @throws {RangeError} If a drawn token has no distribution over the target's vocabulary.
 *
 * @example A draft equal to the target is always accepted
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const p = Float64Array.of(0.5, 0.5);
 * const verdict = verify({ tokens: [1], distributions: [p] }, () => p, () => 0.7);
 * assertEquals(verdict, { path: [0], tested: [0], next: 1 });
 * ```
 */
export function verify(
  draft: Proposal,
  p: (node: number) => Distribution,
  random: Random,
): Verdict {
  const { tokens, parents = chain(tokens.length), distributions } = draft;
  const path: number[] = [];
  const tested: number[] = [];
  let target = p(-1);
  for (const [node, token] of tokens.entries()) {
    if (parents[node] !== (path.at(-1) ?? -1)) continue;
    tested.push(node);
    const q = distributions ? requireSameVocabulary(distributions[node], target) : null;
    if (random() * (q ? q[token]! : 1) < target[token]!) {
      path.push(node);
      target = p(node);
    } else {
      target = residual(target, q, token);
    }
  }
  return { path, tested, next: sample(target, random) };
}

/**
 * The greedy branch: a drafted token stands if it is the target's argmax.
 *
 * @param draft The drafted tokens.
 * @param best The target's argmax after a drafted token, or at the root: −1.
 * @returns The accepted path, and the token after it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const verdict = verifyGreedy({ tokens: [5, 6, 7] }, (node) => [5, 6, 9, 1][node + 1]!);
 * assertEquals(verdict, { path: [0, 1], tested: [0, 1, 2], next: 9 });
 * ```
 */
export function verifyGreedy(draft: Proposal, best: (node: number) => TokenId): Verdict {
  const { tokens, parents = chain(tokens.length) } = draft;
  const path: number[] = [];
  const tested: number[] = [];
  let next = best(-1);
  for (const [node, token] of tokens.entries()) {
    if (parents[node] !== (path.at(-1) ?? -1)) continue;
    tested.push(node);
    if (token !== next) continue;
    path.push(node);
    next = best(node);
  }
  return { path, tested, next };
}

/** What the target found after a drafted token, or at the root: −1. */
export interface Scores {
  /** Its logits. */
  logits(node: number): ArrayLike<number>;
  /** softmax(logits / temperature). */
  probabilities(node: number, temperature: number): Distribution;
}

/**
 * Verifies a draft against the target's scores, by the rule that its sampling asks for.
 *
 * @param draft The drafted tokens, and what they were drawn from.
 * @param scores The target's scores.
 * @param sampling How the target samples.
 * @param random The stream of acceptance draws; greedy draws nothing.
 * @returns The accepted path, and the token after it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const scores = { logits: () => [0, 3, 1], probabilities: () => Float32Array.of(0, 1, 0) };
 * assertEquals(judge({ tokens: [1, 2] }, scores, {}, Math.random).path, [0]);
 * ```
 */
export function judge(
  draft: Proposal,
  scores: Scores,
  sampling: Sampling,
  random: Random,
): Verdict {
  const { temperature = 0 } = sampling;
  if (temperature === 0) return verifyGreedy(draft, (node) => argmax(scores.logits(node)));
  return verify(draft, (node) => cut(scores.probabilities(node, temperature), sampling), random);
}

/** max(0, p − q) normalised. Plain loops: a vocabulary is long, and this time is measured. */
function residual(p: Distribution, q: Distribution | null, token: TokenId): Distribution {
  const rest = p.slice();
  if (q === null) rest[token] = 0;
  else for (let i = 0; i < rest.length; i++) rest[i] = Math.max(0, p[i]! - q[i]!);
  let total = 0;
  for (let i = 0; i < rest.length; i++) total += rest[i]!;
  // p ≤ q everywhere means p = q up to rounding, where a rejection has probability 0.
  if (total === 0) return p;
  for (let i = 0; i < rest.length; i++) rest[i]! /= total;
  return rest;
}

function requireSameVocabulary(q: Distribution | undefined, p: Distribution): Distribution {
  if (q?.length === p.length) return q;
  throw new RangeError(
    `Cannot verify as a drawn token's distribution has ${
      q?.length ?? 0
    } entries and the target's ${p.length}: draft and target must share a vocabulary`,
  );
}
