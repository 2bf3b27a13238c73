/**
 * S and c of a draft from its traces and costs, with intervals.
 *
 * @module
 */

import { Z } from "../study/interval.ts";
import { type CostLayer, type CostPair, type Predicted, speedupAt } from "./boundary.ts";
import type { TimeEstimate } from "./cost_model.ts";
import { type PromptTrace, tracedRounds } from "./drafts_on_record.ts";
import { acceptance } from "./metrics.ts";
import { bootstrapRatio, type Interval, type PairedRatio } from "./statistics.ts";
import { speedupOfRounds } from "./validation_prediction.ts";

/** What a draft length is predicted to yield. */
export interface PredictedLength {
  /** K. */
  readonly draftLength: number;
  /** τ: tokens per target pass. */
  readonly tau: number;
  /** S: the geometric mean over prompts, with its 95 % interval. */
  readonly predicted: Interval;
  /** S of each prompt at the estimated costs. */
  readonly prompts: readonly PairedRatio[];
}

/**
 * S at each draft length, all prompts at one context. The interval has two parts, taken as
 * independent: the spread over prompts, and the errors of the costs, which all prompts share.
 *
 * @param traces Traces of one draft, a prompt each.
 * @param pair Target and draft.
 * @param lengths The draft lengths.
 * @param options n, and the seed of the intervals. Default 1.
 * @returns One entry a length.
 * @throws {CostModelError} If a pass lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const target = { pass: constant(20), host: constant(0) };
 * const drafts = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const trace = {
 *   choice: "chosen", tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2, drafts,
 * } as const;
 * const traces = [{ trace, prompt: "p", task: "code", promptTokens: 9 }];
 * const [two] = predictLengths(traces, { target, draft: null }, [2], { context: 64 });
 * assertEquals(two!.tau, 3);
 * assertAlmostEquals(two!.predicted.estimate, 3);
 * ```
 */
export function predictLengths(
  traces: readonly PromptTrace[],
  pair: CostPair,
  lengths: readonly number[],
  options: { readonly context: number; readonly seed?: number | string },
): PredictedLength[] {
  const { context, seed = 1 } = options;
  const settled = settle(pair, context);
  const plain = traces.map((traced) => tracedRounds(traced, 0));
  return lengths.map((draftLength) => {
    const rounds = traces.map((traced) => tracedRounds(traced, draftLength));
    const prompts = rounds.map((own, i) => ({
      ratio: speedupOfRounds(plain[i]!, own, context, settled)!,
      prompt: traces[i]!.prompt,
      process: 1,
    }));
    const all = rounds.flat();
    const sum = (name: "tested" | "accepted" | "emitted") =>
      all.reduce((total, round) => total + round[name], 0);
    const alpha = acceptance({ tested: sum("tested"), accepted: sum("accepted") }) ?? 0;
    const ofCosts = speedupAt(settled, { alpha, draftLength, context }, { seed });
    return {
      draftLength,
      tau: sum("emitted") / all.length,
      predicted: widen(bootstrapRatio(prompts, { seed }), ofCosts),
      prompts,
    };
  });
}

/**
 * c: a drafted token, its work outside of the pass included, in plain target passes.
 *
 * @param pair Target and draft.
 * @param context n.
 * @returns c with its 95 % interval; 0 where nothing drafts.
 * @throws {CostModelError} If the context lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(1) });
 * assertEquals(relativeCost({ target: layer(20), draft: layer(4) }, 64).estimate, 0.25);
 * ```
 */
export function relativeCost({ target, draft }: CostPair, context: number): Predicted {
  if (!draft) return { estimate: 0, low: 0, high: 0 };
  const [pass, host] = [draft.pass.time(1, context), draft.host.time(1, 0)];
  const plain = target.pass.time(1, context);
  const ms = pass.ms + host.ms;
  const drafting = Math.hypot(pass.ms * pass.error, host.ms * host.error) / ms;
  const reach = Math.exp(Z * Math.hypot(drafting, plain.error));
  const estimate = ms / plain.ms;
  return { estimate, low: estimate / reach, high: estimate * reach };
}

/** An interval with another's errors in it: distances in logarithms add up as squares do. */
function widen({ estimate, low, high }: Interval, by: Predicted): Interval {
  if (low === null || high === null) return { estimate, low, high };
  const reach = (end: number, other: number) =>
    Math.exp(Math.hypot(Math.log(end / estimate), Math.log(other / by.estimate)));
  return { estimate, low: estimate / reach(low, by.low), high: estimate * reach(high, by.high) };
}

/** Costs at one context, each looked up once: in a few dozen tokens they hardly change. */
function settle({ target, draft }: CostPair, context: number): CostPair {
  const once = (model: CostLayer["pass"], at: number): CostLayer["pass"] => {
    const known = new Map<number, TimeEstimate>();
    return {
      time(width) {
        const found = known.get(width) ?? model.time(width, at);
        known.set(width, found);
        return found;
      },
    };
  };
  const layer = ({ pass, host }: CostLayer) => ({ pass: once(pass, context), host: once(host, 0) });
  return { target: layer(target), draft: draft && layer(draft) };
}
