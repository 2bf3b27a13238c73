/**
 * What drafting a token is spent on.
 *
 * @module
 */

import { Z } from "../study/interval.ts";
import type { CostLayer } from "./boundary.ts";

/** Milliseconds of a drafted token by part, at batch 1. */
export interface DraftingSplit {
  /** The pass but for the output head, dispatch and the mask included. */
  readonly layersMs: number;
  /** The output head, over all tokens that the draft scores. */
  readonly headMs: number;
  /** Half the 95 % interval of `headMs`; `layersMs` errs by as much the other way. */
  readonly headError: number;
  /** Outside of the pass: choosing a token, bookkeeping. */
  readonly hostMs: number;
}

/** A draft model, and the same one scoring fewer tokens. */
export interface TrimmedPair {
  /** Costs of the whole model. */
  readonly whole: CostLayer;
  /** Tokens that it scores. */
  readonly vocabulary: number;
  /** Costs of the model with a trimmed vocabulary. */
  readonly trimmed: CostLayer;
  /** Tokens that are left. */
  readonly scored: number;
}

/**
 * Splits a drafted token's time by measuring it with two vocabularies. A head's work is in proportion
 * to the tokens that it scores, and nothing else in a pass depends on them, so
 * head = (T(V) − T(V′)) · V / (V − V′).
 *
 * @param pair The costs of both.
 * @param context n.
 * @returns The parts. A difference that is lost in noise may come out negative: see `headError`.
 * @throws {CostModelError} If the context lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0.1) });
 * const pair = { whole: layer(1), vocabulary: 40, trimmed: layer(0.4), scored: 10 };
 * const { layersMs, headMs } = splitDrafting(pair, 64);
 * assertAlmostEquals(headMs, 0.8);
 * assertAlmostEquals(layersMs, 0.2);
 * ```
 */
export function splitDrafting(
  { whole, vocabulary, trimmed, scored }: TrimmedPair,
  context: number,
): DraftingSplit {
  const [all, some] = [whole.pass.time(1, context), trimmed.pass.time(1, context)];
  const share = vocabulary / (vocabulary - scored);
  const headMs = (all.ms - some.ms) * share;
  return {
    layersMs: all.ms - headMs,
    headMs,
    headError: Z * share * Math.hypot(all.ms * all.error, some.ms * some.error),
    hostMs: whole.host.time(1, 0).ms,
  };
}
