/**
 * Drafting as far as advice for each context says, and not at all while drafts fall.
 *
 * @module
 */

import { requireInteger, requireNumber } from "../../validate.ts";
import type { Round } from "../round.ts";
import type { Policy } from "./policy.ts";

/** How far to draft from a context on. */
export interface AdvisedRange {
  /** Tokens in the text from which on it holds. */
  readonly from: number;
  /** K; 0 is plain decoding. */
  readonly draftLength: number;
  /** α below which drafting loses there. */
  readonly threshold: number;
}

/** When to stop drafting, and for how long. */
export interface Fallback {
  /** Rounds that drafted, over which α is taken. */
  readonly window: number;
  /** Rounds of plain decoding before drafting is tried again; twice as many after each failure. */
  readonly retry: number;
}

/** What advice says of one target, draft and machine. */
export interface AdvisedOptions {
  /** Ascending, the first from 0. */
  readonly ranges: readonly AdvisedRange[];
  /** When to stop. */
  readonly fallback: Fallback;
}

/** What a policy has seen of a text. */
interface Watch {
  /** Counts of the last rounds that drafted, a window of them at most. */
  readonly recent: readonly Pick<Round, "tested" | "accepted">[];
  /** Rounds of plain decoding that are left. */
  readonly resting: number;
  /** How many there will be the next time. */
  readonly nextRest: number;
}

/**
 * Drafts K tokens by the context's range. When α over a whole window is below the range's threshold,
 * it decodes plainly for `retry` rounds, then tries a new window; each failure after that rests
 * twice as long, so what a useless draft costs grows with the logarithm of the text. A window that
 * is good again ends the doubling. Rounds in which nothing was offered are not counted.
 *
 * A policy watches one text; a new text starts it anew.
 *
 * @param options Ranges of context, fallback.
 * @returns The policy.
 * @throws {RangeError} If ranges do not ascend from 0, or a value is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const near = { from: 0, draftLength: 8, threshold: 0.2 };
 * const far = { from: 1024, draftLength: 0, threshold: 1 };
 * const { limit } = advised({ ranges: [near, far], fallback: { window: 8, retry: 16 } });
 * const at = (position: number) => limit({ position, emitted: 0, last: null });
 * assertEquals([at(100), at(1023), at(1024)], [8, 8, 0]);
 * ```
 */
export function advised({ ranges, fallback }: AdvisedOptions): Policy {
  requireRanges(ranges);
  requireInteger("obey advice", "window", fallback.window, 1);
  requireInteger("obey advice", "retry", fallback.retry, 1);
  const fresh: Watch = { recent: [], resting: 0, nextRest: fallback.retry };
  let watch = fresh;
  return {
    name: `advised ${ranges.map(({ from, draftLength }) => `${from}:${draftLength}`).join(" ")}`,
    limit({ position, last }) {
      const { draftLength, threshold } = ranges.findLast(({ from }) => from <= position)!;
      watch = last ? learn(watch, last, threshold, fallback) : fresh;
      return watch.resting > 0 ? 0 : draftLength;
    },
  };
}

/** What is known after one more round. */
function learn(
  watch: Watch,
  { drafted, tested, accepted }: Round,
  threshold: number,
  { window, retry }: Fallback,
): Watch {
  if (drafted.length === 0) return { ...watch, resting: Math.max(0, watch.resting - 1) };
  const recent = [...watch.recent, { tested, accepted }].slice(-window);
  if (recent.length < window) return { ...watch, recent };
  const sum = (count: "tested" | "accepted") =>
    recent.reduce((total, round) => total + round[count], 0);
  if (sum("accepted") >= threshold * sum("tested")) return { ...watch, recent, nextRest: retry };
  return { recent: [], resting: watch.nextRest, nextRest: 2 * watch.nextRest };
}

function requireRanges(ranges: readonly AdvisedRange[]): void {
  requireInteger("obey advice", "ranges.length", ranges.length, 1);
  for (const [i, { from, draftLength, threshold }] of ranges.entries()) {
    const least = i === 0 ? 0 : ranges[i - 1]!.from + 1;
    requireInteger("obey advice", "from", from, least, i === 0 ? 0 : Infinity);
    requireInteger("obey advice", "draftLength", draftLength, 0);
    requireNumber("obey advice", "threshold", threshold, 0, 1);
  }
}
