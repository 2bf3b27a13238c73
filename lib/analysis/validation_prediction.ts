/**
 * S as behaviour and costs predict it: the rounds of a trace, each at the cost of its passes.
 *
 * @module
 */

import { fixed } from "../decoding/policies/fixed.ts";
import type { CostRecord } from "../study/cost_records.ts";
import type { RunRecord } from "../study/records.ts";
import { replayTrace, type Trace, type TracedRound } from "../study/trace.ts";
import { requireInteger } from "../validate.ts";
import { type CostLayer, costLayerOf, type CostPair } from "./boundary.ts";
import { CostModelError, newestCosts } from "./measured_times.ts";

/** As much of a round as its cost depends on. */
export type CostedRound = Pick<TracedRound, "drafted" | "emitted">;

/**
 * Milliseconds that rounds take: for each, its draft passes, its target pass over what was drafted
 * and one token more, and the work outside of passes, all at the length that the text has by then. A
 * draft that was accepted whole leaves two tokens for the next draft's first pass to read.
 *
 * @param rounds The rounds, in order.
 * @param context Tokens that are read before the first.
 * @param pair Target and draft.
 * @returns Milliseconds.
 * @throws {CostModelError} If a pass lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0) });
 * const rounds = [{ drafted: 4, emitted: 3 }, { drafted: 2, emitted: 3 }];
 * assertEquals(timeOfRounds(rounds, 64, { target: layer(20), draft: layer(2) }), 2 * 20 + 6 * 2);
 * ```
 */
export function timeOfRounds(
  rounds: readonly CostedRound[],
  context: number,
  { target, draft }: CostPair,
): number {
  let [total, read, unread] = [0, context, 1];
  for (const { drafted, emitted } of rounds) {
    total += target.pass.time(drafted + 1, read).ms + target.host.time(Math.max(1, emitted), 0).ms;
    if (draft && drafted > 0) {
      total += drafted * draft.host.time(1, 0).ms;
      total += draft.pass.time(unread, read + 1 - unread).ms;
      for (let i = 1; i < drafted; i++) total += draft.pass.time(1, read + i).ms;
      unread = emitted > drafted ? 2 : 1;
    } else unread += emitted;
    read += emitted;
  }
  return total;
}

/**
 * S of rounds: time per token of the plain ones / of the speculative ones.
 *
 * @param plain The rounds of plain decoding, in order.
 * @param speculative Those of speculative decoding.
 * @param context Tokens that are read before the first.
 * @param pair Target and draft.
 * @returns The speed-up; null if either emits nothing.
 * @throws {CostModelError} If a pass lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const target = { pass: constant(20), host: constant(0) };
 * const plain = Array(3).fill({ drafted: 0, emitted: 1 });
 * const speedup = speedupOfRounds(plain, [{ drafted: 4, emitted: 3 }], 64, { target, draft: null });
 * assertEquals(speedup, 3);
 * ```
 */
export function speedupOfRounds(
  plain: readonly CostedRound[],
  speculative: readonly CostedRound[],
  context: number,
  pair: CostPair,
): number | null {
  const perToken = (rounds: readonly CostedRound[]) => {
    const tokens = rounds.reduce((sum, { emitted }) => sum + emitted, 0);
    return tokens === 0 ? null : timeOfRounds(rounds, context, pair) / tokens;
  };
  const [before, after] = [perToken(plain), perToken(speculative)];
  return before === null || after === null ? null : before / after;
}

/** Where S is predicted. */
export interface PredictionPlace {
  /** K. */
  readonly draftLength: number;
  /** Tokens that are read before decoding. */
  readonly context: number;
  /** Most tokens to emit: at most the trace's. */
  readonly maxTokens: number;
}

/**
 * S of a trace on a machine. For a drawn trace, that of the mean time over many replays.
 *
 * @param trace The behaviour.
 * @param pair The costs.
 * @param place K, context, length.
 * @param options Seed and number of replays. Default 1 and 64.
 * @returns The speed-up; null if the text is empty.
 * @throws {CostModelError} If a pass lies outside of what was measured.
 * @throws {TraceError} If the trace does not know so long drafts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const target = { pass: constant(20), host: constant(0) };
 * const drafts = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const trace = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2, drafts } as const;
 * const place = { draftLength: 2, context: 64, maxTokens: 3 };
 * assertEquals(predictTrace({ choice: "chosen", ...trace }, { target, draft: null }, place), 3);
 * ```
 */
export function predictTrace(
  trace: Trace,
  pair: CostPair,
  { draftLength, context, maxTokens }: PredictionPlace,
  options: { readonly seed?: number | string; readonly draws?: number } = {},
): number | null {
  const { seed = 1, draws = 64 } = options;
  requireInteger("predict", "draws", draws, 1);
  const short = shortenTrace(trace, maxTokens);
  const plain = replayTrace(short, { policy: fixed(0), seed });
  const speedupOf = (draw: number) => {
    const rounds = replayTrace(short, { policy: fixed(draftLength), seed: `${seed} ${draw}` });
    return speedupOfRounds(plain, rounds, context, pair);
  };
  if (trace.choice === "chosen") return speedupOf(0);
  const speedups = Array.from({ length: draws }, (_, draw) => speedupOf(draw));
  // All replays emit one text: a mean time is a harmonic mean of speed-ups.
  if (speedups.some((speedup) => speedup === null)) return null;
  return draws / speedups.reduce<number>((sum, speedup) => sum + 1 / speedup!, 0);
}

/**
 * The trace of the same text under a tighter limit.
 *
 * @param trace The trace.
 * @param maxTokens Most tokens of the text: at most the trace's own.
 * @returns The trace, cut.
 * @throws {RangeError} If the trace is of a shorter text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [1, 0].map((right) => ({ offered: 1, right, confidences: [] }));
 * const trace = { tokens: [7, 8], stop: "end", maxTokens: 9, longest: 1, drafts } as const;
 * const short = shortenTrace({ choice: "chosen", ...trace }, 1);
 * assertEquals([short.tokens, short.stop], [[7], "length"]);
 * ```
 */
export function shortenTrace(trace: Trace, maxTokens: number): Trace {
  requireInteger("shorten a trace", "maxTokens", maxTokens, 1, trace.maxTokens);
  const tokens = trace.tokens.slice(0, maxTokens);
  const stop = trace.tokens.length > maxTokens ? "length" : trace.stop;
  const cut = { tokens, stop, maxTokens } as const;
  return trace.choice === "chosen"
    ? { ...trace, ...cut, drafts: trace.drafts.slice(0, maxTokens) }
    : { ...trace, ...cut, drafts: trace.drafts.slice(0, maxTokens) };
}

/**
 * Looks costs of runs up: layers are fitted once, from the newest weights of each name.
 *
 * @param rows Rows of `costs.csv`, of one machine.
 * @returns Target and draft of a run; null if either was not measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const run = { model: "m", precision: "int4", threads: 2, exact: false } as const;
 * const draft = { draft: "prompt-lookup", draftModel: null, draftPrecision: null } as const;
 * assertEquals(costsOfRuns([])({ ...run, ...draft }), null);
 * ```
 */
export function costsOfRuns(
  rows: readonly CostRecord[],
): (run: CostedRun) => CostPair | null {
  const groups = Map.groupBy(
    rows,
    ({ model, precision, threads, exact }) => [model, precision, threads, exact].join("\t"),
  );
  const fitted = new Map<string, CostLayer | null>();
  const layerOf = (model: string, precision: string, { threads, exact }: CostedRun) => {
    const name = [model, precision, threads, exact].join("\t");
    const known = fitted.get(name);
    if (known !== undefined) return known;
    const layer = fit(groups.get(name) ?? []);
    fitted.set(name, layer);
    return layer;
  };
  return (run) => {
    const target = layerOf(run.model, run.precision, run);
    if (!target || run.draft === "none" || run.draft === "replay") return null;
    if (run.draft !== "model") return { target, draft: null };
    const draft = layerOf(run.draftModel!, run.draftPrecision!, run);
    return draft && { target, draft };
  };
}

/** The factors of a run that say whose costs it has. */
export type CostedRun = Pick<
  RunRecord,
  "model" | "precision" | "threads" | "exact" | "draft" | "draftModel" | "draftPrecision"
>;

function fit(rows: readonly CostRecord[]): CostLayer | null {
  try {
    return costLayerOf(newestCosts(rows));
  } catch (error) {
    if (error instanceof CostModelError) return null;
    throw error;
  }
}
