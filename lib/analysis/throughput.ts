/**
 * Tokens per second of a batch, as costs predict them.
 *
 * @module
 */

import { Z } from "../study/interval.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import type { CostPair, Predicted } from "./boundary.ts";
import type { TimeEstimate } from "./cost_model.ts";
import { expectedTokens } from "./metrics.ts";

/** Throughput at one batch. */
export interface BatchThroughput {
  /** B: rows that are decoded together. */
  readonly batch: number;
  /** α; null for plain decoding. */
  readonly alpha: number | null;
  /** The best K; 0 for plain decoding. */
  readonly draftLength: number;
  /** Tokens per second of all rows. */
  readonly rate: Predicted;
}

/** What throughput is asked of. */
export interface ThroughputOptions {
  /** Batches. */
  readonly batches: readonly number[];
  /** α of the speculative lines. */
  readonly alphas: readonly number[];
  /** n. */
  readonly context: number;
  /** The longest K. Default 16. */
  readonly longest?: number;
}

/**
 * Throughput of plain decoding and, for each acceptance, of the draft length that is best at that
 * batch, at least 1: all rows draft K tokens a round and none waits for another. A round's costs are
 * those of {@linkcode roundCosts}; they err independently, each as its own interval says.
 *
 * @param pair Costs of target and draft.
 * @param options Batches, acceptances, context, longest K.
 * @returns Plain decoding first, then acceptance by acceptance, each by batch.
 * @throws {CostModelError} If a shape lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const pair = { target: { pass: constant(20), host: constant(0) }, draft: null };
 * const options = { batches: [1, 8], alphas: [1], context: 64, longest: 4 };
 * assertEquals(
 *   batchThroughputs(pair, options).map(({ rate }) => rate.estimate),
 *   [50, 400, 250, 2000],
 * );
 * ```
 */
export function batchThroughputs(pair: CostPair, options: ThroughputOptions): BatchThroughput[] {
  const { batches, alphas, context, longest = 16 } = options;
  requireInteger("predict throughput", "longest", longest, 1);
  for (const alpha of alphas) requireNumber("predict throughput", "alpha", alpha, 0, 1);
  const at = (batch: number, alpha: number, draftLength: number): BatchThroughput => {
    const tokens = expectedTokens(alpha, draftLength);
    const { ms, error } = sumOf(roundItems(pair, { alpha, draftLength, context, batch }));
    const estimate = 1000 * batch * tokens / ms;
    const [low, high] = [-Z, Z].map((z) => estimate * Math.exp(z * error)) as [number, number];
    return { batch, alpha, draftLength, rate: { estimate, low, high } };
  };
  const plain = batches.map((batch) => ({ ...at(batch, 0, 0), alpha: null }));
  const speculative = alphas.flatMap((alpha) =>
    batches.map((batch) =>
      Array.from({ length: longest }, (_, index) => at(batch, alpha, index + 1))
        .reduce((best, one) => one.rate.estimate > best.rate.estimate ? one : best)
    )
  );
  return [...plain, ...speculative];
}

/** A cost, and how often a round has it. */
interface Item {
  readonly count: number;
  readonly time: TimeEstimate;
}

function roundItems(
  { target, draft }: CostPair,
  { alpha, draftLength, context, batch }: {
    readonly alpha: number;
    readonly draftLength: number;
    readonly context: number;
    readonly batch: number;
  },
): Item[] {
  const verifying = [
    { count: 1, time: target.pass.time(draftLength + 1, context, batch) },
    { count: 1, time: target.host.time(expectedTokens(alpha, draftLength), 0, batch) },
  ];
  if (!draft || draftLength === 0) return verifying;
  const caughtUp = alpha ** draftLength;
  return [
    ...verifying,
    { count: draftLength - caughtUp, time: draft.pass.time(1, context, batch) },
    { count: caughtUp, time: draft.pass.time(2, context, batch) },
    { count: draftLength, time: draft.host.time(1, 0, batch) },
  ];
}

/** A sum, and the error of its logarithm by that of each cost's (to first order). */
function sumOf(items: readonly Item[]): { readonly ms: number; readonly error: number } {
  const ms = items.reduce((sum, { count, time }) => sum + count * time.ms, 0);
  const error = Math.hypot(...items.map(({ count, time }) => count * time.ms / ms * time.error));
  return { ms, error };
}
