/**
 * Where a verified continuation is cut.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { Round } from "./round.ts";
import type { Verdict } from "./verify.ts";

/** The counts of a round after verification, and its text, cut where plain decoding would stop. */
export type Outcome = Pick<Round, "tested" | "accepted" | "emitted" | "stop">;

/**
 * Cuts a verified continuation where plain decoding would have stopped. Tokens after the cut are
 * not counted: plain decoding would never have reached them.
 *
 * @param drafted The drafted tokens.
 * @param verdict What verification decided about them.
 * @param remaining Tokens that may still be emitted; at least 1.
 * @param endOfText Tokens that end the text.
 * @returns What the round yields.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const verdict = { path: [0, 1], tested: [0, 1, 2], next: 9 };
 * assertEquals(settle([8, 2, 5], verdict, 10, new Set([2])),
 *   { tested: 2, accepted: 2, emitted: [8], stop: "end" });
 * ```
 */
export function settle(
  drafted: readonly TokenId[],
  { path, tested, next }: Verdict,
  remaining: number,
  endOfText: ReadonlySet<TokenId> = new Set(),
): Outcome {
  const continuation = [...path.map((node) => drafted[node]!), next].slice(0, remaining);
  const end = continuation.findIndex((token) => endOfText.has(token));
  const reached = end < 0 ? continuation.length : end + 1;
  const cut = path[reached - 1]; // the drafted token that was reached last, unless it was `next`
  return {
    tested: cut === undefined ? tested.length : tested.indexOf(cut) + 1,
    accepted: Math.min(path.length, reached),
    emitted: end < 0 ? continuation : continuation.slice(0, end),
    stop: end >= 0 ? "end" : reached === remaining ? "length" : null,
  };
}
