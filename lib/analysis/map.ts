/**
 * The map of context and acceptance: what the best draft length gains, and from where it pays.
 *
 * @module
 */

import { fixed } from "../decoding/policies/fixed.ts";
import { replayTrace } from "../study/trace.ts";
import { type TraceRecord, unpackTrace } from "../study/trace_records.ts";
import { requireInteger } from "../validate.ts";
import { breakEven, type CostPair, type Predicted, rememberCosts, roundCosts } from "./boundary.ts";
import { predictSpeedup } from "./costs.ts";
import { octave } from "./located_rounds.ts";
import { poolAcceptance, type PooledAcceptance } from "./pooled_acceptance.ts";
import { draftName } from "./table.ts";

/** A context and acceptance, and what the best draft length gains there. */
export interface MapCell {
  /** n. */
  readonly context: number;
  /** α. */
  readonly alpha: number;
  /** The best K, at least 1: where its S is below 1, plain decoding is faster still. */
  readonly draftLength: number;
  /** S at that K. */
  readonly speedup: number;
}

/** The S = 1 contour at one context. */
export interface ContourPoint {
  /** n. */
  readonly context: number;
  /** The K that pays at the least α. */
  readonly draftLength: number;
  /** That α; Infinity where none pays. */
  readonly alpha: Predicted;
}

/** What a map covers. */
export interface MapOptions {
  /** Contexts n, ascending. */
  readonly contexts: readonly number[];
  /** B. Default 1. */
  readonly batch?: number;
  /** The longest K. Default 16. */
  readonly longest?: number;
}

const HUNDREDTHS = Array.from({ length: 101 }, (_, i) => i / 100);

/**
 * S at the best draft length for each context and acceptance.
 *
 * @param pair Costs of target and draft.
 * @param options Contexts, batch, longest K; acceptances, ascending; default a hundredth apart.
 * @returns The cells, context by context, each by ascending α.
 * @throws {CostModelError} If a context lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const target = { pass: constant(20), host: constant(0) };
 * const cells = speedupMap({ target, draft: null }, { contexts: [64], longest: 4, alphas: [0, 0.5, 1] });
 * assertEquals(cells.map(({ speedup }) => speedup), [1, 1.9375, 5]);
 * ```
 */
export function speedupMap(
  pair: CostPair,
  options: MapOptions & { readonly alphas?: readonly number[] },
): MapCell[] {
  const { contexts, batch = 1, longest = 16, alphas = HUNDREDTHS } = options;
  requireInteger("map speed-ups", "longest", longest, 1);
  const known = rememberCosts(pair);
  return contexts.flatMap((context) =>
    alphas.map((alpha) => {
      const speedups = lengthsTo(longest).map((draftLength) =>
        predictSpeedup(
          alpha,
          [draftLength],
          roundCosts(known, { alpha, draftLength, context, batch }),
        )
      );
      const speedup = Math.max(...speedups);
      return { context, alpha, draftLength: speedups.indexOf(speedup) + 1, speedup };
    })
  );
}

/**
 * Where a map passes a threshold: at each context the least α from which it holds, interpolated where
 * the speed-up passes it.
 *
 * @param cells A map, of {@linkcode speedupMap}.
 * @param threshold S to reach, or the draft length that the best one must reach.
 * @returns A point a context; Infinity where no α passes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const cell = { context: 64, draftLength: 1 };
 * const cells = [{ ...cell, alpha: 0, speedup: 0.8 }, { ...cell, alpha: 0.5, speedup: 1.2 }];
 * assertEquals(isoline(cells, { speedup: 1 }), [{ context: 64, alpha: 0.25 }]);
 * assertEquals(isoline(cells, { draftLength: 2 }), [{ context: 64, alpha: Infinity }]);
 * ```
 */
export function isoline(
  cells: readonly MapCell[],
  threshold: { readonly speedup: number } | { readonly draftLength: number },
): { readonly context: number; readonly alpha: number }[] {
  const reaches = (cell: MapCell) =>
    "speedup" in threshold
      ? cell.speedup >= threshold.speedup
      : cell.draftLength >= threshold.draftLength;
  return [...Map.groupBy(cells, ({ context }) => context)].map(([context, column]) => {
    const first = column.findIndex(reaches);
    const [below, above] = [column[first - 1], column[first]];
    if (!above) return { context, alpha: Infinity };
    if (!below || !("speedup" in threshold)) return { context, alpha: above.alpha };
    const share = (threshold.speedup - below.speedup) / (above.speedup - below.speedup);
    return { context, alpha: below.alpha + share * (above.alpha - below.alpha) };
  });
}

/**
 * The least acceptance at which any draft length pays, context by context.
 *
 * @param pair Costs of target and draft.
 * @param options Contexts, batch, longest K; seed and number of draws of the interval.
 * @returns A point a context: that of {@linkcode breakEven} at the K which pays first, whose interval
 *   it has.
 * @throws {CostModelError} If a context lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0) });
 * const [point] = contour({ target: layer(20), draft: layer(5) }, { contexts: [64], longest: 4 });
 * assertAlmostEquals(point!.alpha.estimate, 0.25); // α = c
 * ```
 */
export function contour(
  pair: CostPair,
  options: MapOptions & { readonly seed?: number | string; readonly draws?: number },
): ContourPoint[] {
  const { contexts, batch = 1, longest = 16, ...drawing } = options;
  requireInteger("draw a contour", "longest", longest, 1);
  const known = rememberCosts(pair);
  return contexts.map((context) => {
    const alphas = lengthsTo(longest).map((draftLength) =>
      breakEven(known, { draftLength, context, batch }, { draws: 2 }).estimate
    );
    const draftLength = alphas.indexOf(Math.min(...alphas)) + 1;
    return {
      context,
      draftLength,
      alpha: breakEven(known, { draftLength, context, batch }, drawing),
    };
  });
}

/** A real draft on the map. */
export interface DraftPoint extends PooledAcceptance {
  /** The draft, in a few words. */
  readonly draft: string;
  /** The draft model's catalog id; null for tables. */
  readonly draftModel: string | null;
  /** The target's precision. */
  readonly precision: string;
  /** n: the middle of the octave that the middles of the texts lie in. */
  readonly context: number;
  /** Prompts. */
  readonly prompts: number;
}

/**
 * What real drafts reached at the contexts of their prompts: α of greedy traces, replayed.
 *
 * @param traces Rows of traces; those of other temperatures are passed over.
 * @param options K of the replays. Default 4.
 * @returns A point for each draft, precision of the target and octave of context.
 * @throws {TraceError} If a trace does not know so long drafts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(draftPoints([]), []);
 * ```
 */
export function draftPoints(
  traces: readonly TraceRecord[],
  options: { readonly draftLength?: number } = {},
): DraftPoint[] {
  const { draftLength = 4 } = options;
  requireInteger("replay", "draftLength", draftLength, 1);
  const groups = Map.groupBy(
    traces.filter(({ temperature }) => temperature === 0),
    (row) => [nameOf(row), row.precision, contextOf(row)].join("\t"),
  );
  return [...groups.values()].flatMap((rows) => {
    const { precision, draftModel } = rows[0]!;
    const counts = rows.flatMap((row) =>
      replayTrace(unpackTrace(row), { policy: fixed(draftLength), seed: 1 })
        .map(({ tested, accepted }) => ({ prompt: row.prompt, tested, accepted }))
    );
    const pooled = poolAcceptance(counts);
    if (!pooled) return [];
    const prompts = new Set(rows.map(({ prompt }) => prompt)).size;
    const place = { draft: nameOf(rows[0]!), draftModel, precision, context: contextOf(rows[0]!) };
    return [{ ...place, prompts, ...pooled }];
  });
}

function contextOf({ promptTokens, tokens }: TraceRecord): number {
  return octave(promptTokens + tokens.split(" ").length / 2);
}

function nameOf(row: TraceRecord): string {
  return draftName({ ...row, acceptance: null });
}

function lengthsTo(longest: number): number[] {
  return Array.from({ length: longest }, (_, index) => index + 1);
}
