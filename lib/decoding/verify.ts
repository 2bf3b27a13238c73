/**
 * Verification: which drafted tokens stand, and which token comes next. Pure; no model, no clock.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { Random } from "../random.ts";
import { type Distribution, sample } from "./sampling.ts";

/** What verification decided. */
export interface Verdict {
  /** Indices of the drafted tokens that stand, from the root down. In a chain: 0, 1, 2, … */
  readonly path: readonly number[];
  /** How many drafted tokens were put to the test: accepted ones and rejected ones. */
  readonly tested: number;
  /** The token after the path: the correction, or the bonus if nothing was left to test. */
  readonly next: TokenId;
}

/** The parents of a chain of `count` tokens: each follows the one before. */
export function chain(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i - 1);
}

/**
 * Exact rejection sampling: whatever was drafted, the output is distributed as the target's own
 * samples (Leviathan et al. 2023, §2.3 and appendix A.1; for trees with children drawn
 * independently, SpecInfer's multi-step scheme, Miao et al. 2024, §4.3).
 *
 * A token x drawn from q is accepted with probability min(1, p(x)/q(x)); if it is rejected, p becomes
 * the residual max(0, p − q), normalised, for its next sibling or the correction.
 *
 * @param drafted The drafted tokens, parents before children.
 * @param q The distribution that each was drawn from; `null` where it was not drawn but chosen.
 * @param p The target's distributions: `p[0]` at the root, `p[i + 1]` after `drafted[i]`.
 * @param random The stream of acceptance draws.
 * @param parents For a tree, each token's parent index or −1. Default: a chain.
 * @returns The accepted path, and the token after it.
 *
 * @example A draft equal to the target is always accepted
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const p = Float64Array.of(0.5, 0.5);
 * assertEquals(verify([1], [p], [p, p], () => 0.7), { path: [0], tested: 1, next: 1 });
 * ```
 */
export function verify(
  drafted: readonly TokenId[],
  q: readonly (Distribution | null)[],
  p: readonly Distribution[],
  random: Random,
  parents: readonly number[] = chain(drafted.length),
): Verdict {
  const path: number[] = [];
  let tested = 0;
  let target = p[0]!;
  for (let i = 0; i < drafted.length; i++) {
    if (parents[i] !== (path.at(-1) ?? -1)) continue;
    tested++;
    const token = drafted[i]!;
    const proposed = q[i] ? q[i]![token]! : 1;
    if (random() * proposed < target[token]!) {
      path.push(i);
      target = p[i + 1]!;
    } else {
      target = residual(target, q[i] ?? null, token);
    }
  }
  return { path, tested, next: sample(target, random) };
}

/**
 * The greedy branch: a drafted token stands if it is the target's argmax.
 *
 * @param drafted The drafted tokens, parents before children.
 * @param best The target's argmax: `best[0]` at the root, `best[i + 1]` after `drafted[i]`.
 * @param parents For a tree, each token's parent index or −1. Default: a chain.
 * @returns The accepted path, and the token after it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(verifyGreedy([5, 6, 7], [5, 6, 9, 1]), { path: [0, 1], tested: 3, next: 9 });
 * ```
 */
export function verifyGreedy(
  drafted: readonly TokenId[],
  best: readonly TokenId[],
  parents: readonly number[] = chain(drafted.length),
): Verdict {
  const path: number[] = [];
  let tested = 0;
  let next = best[0]!;
  for (let i = 0; i < drafted.length; i++) {
    if (parents[i] !== (path.at(-1) ?? -1)) continue;
    tested++;
    if (drafted[i] !== next) continue;
    path.push(i);
    next = best[i + 1]!;
  }
  return { path, tested, next };
}

/** max(0, p − q) normalised; a chosen token has q = 1 at itself. */
function residual(p: Distribution, q: Distribution | null, token: TokenId): Distribution {
  const rest = Float64Array.from(p);
  if (q === null) rest[token] = 0;
  else for (let i = 0; i < rest.length; i++) rest[i] = Math.max(0, p[i]! - q[i]!);
  let total = 0;
  for (let i = 0; i < rest.length; i++) total += rest[i]!;
  // p ≤ q everywhere means p = q up to rounding, where a rejection has probability 0.
  if (total === 0) return p;
  for (let i = 0; i < rest.length; i++) rest[i]! /= total;
  return rest;
}
