/**
 * What is on record of each draft of a target: traces on prompts that all share, and costs.
 *
 * @module
 */

import { fixed } from "../decoding/policies/fixed.ts";
import { PREFILL_WIDTH } from "../study/cost_plan.ts";
import type { CostRecord } from "../study/cost_records.ts";
import { replayTrace, type Trace, type TracedRound } from "../study/trace.ts";
import { type TraceRecord, unpackTrace } from "../study/trace_records.ts";
import { type CostLayer, costLayerOf, type CostPair } from "./boundary.ts";
import { fitCosts, prefillTime, type TimeEstimate } from "./cost_model.ts";
import { CostModelError, measuredTimes, newestCosts } from "./measured_times.ts";
import { onSharedPrompts } from "./shared_prompts.ts";

/** What names a draft. */
export type TracedDraft = Pick<TraceRecord, "draft" | "draftModel" | "draftPrecision">;

/** What a draft made of a prompt's text. */
export interface PromptTrace extends Pick<TraceRecord, "prompt" | "task" | "promptTokens"> {
  /** The trace. */
  readonly trace: Trace;
}

/** What is on record of a draft of a target in one precision. */
export interface DraftOnRecord extends TracedDraft {
  /** The target's precision. */
  readonly precision: string;
  /** Its traces, of the same prompts as those of the precision's other drafts. */
  readonly traces: readonly PromptTrace[];
  /** The target's costs and its own. */
  readonly costs: CostPair;
  /** The time in which it reads a prompt; null where nothing is read, or that was not timed. */
  readonly prefill: ((tokens: number) => TimeEstimate) | null;
  /** Its costs with a trimmed vocabulary, and the tokens left; null where that was not timed. */
  readonly trimmed: { readonly scored: number; readonly layer: CostLayer } | null;
}

/** Costs of a model. */
interface ModelCosts {
  readonly layer: CostLayer;
  readonly prefill: DraftOnRecord["prefill"];
}

/**
 * Puts traces and costs of drafts side by side. Drafts of a precision are compared on the prompts that
 * all were traced on ({@linkcode onSharedPrompts}); left out are those whose costs were not measured.
 *
 * @param traces Traces of one target and temperature.
 * @param costs Rows of the cost layer: one machine, thread count and mode. A model "id#V" is the model
 *   "id" with only V tokens to score.
 * @returns The drafts, in order of their traces.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(draftsOnRecord([], []), []);
 * ```
 */
export function draftsOnRecord(
  traces: readonly TraceRecord[],
  costs: readonly CostRecord[],
): DraftOnRecord[] {
  const costsOf = costLookup(costs);
  return [...Map.groupBy(traces, ({ precision }) => precision)].flatMap(([precision, same]) => {
    const target = costsOf(same[0]!.model, precision);
    if (!target) return [];
    const priced = [...Map.groupBy(same, nameOf).values()].flatMap((own) => {
      const { draft, draftModel, draftPrecision } = own[0]!;
      const model = draft === "model" ? costsOf(draftModel!, draftPrecision!) : undefined;
      if (model === null) return [];
      return [{ draft, draftModel, draftPrecision, model, traces: own }];
    });
    return onSharedPrompts(priced).map(({ model, traces, ...name }) => ({
      ...name,
      precision,
      traces: traces.map(promptTraceOf),
      costs: { target: target.layer, draft: model?.layer ?? null },
      prefill: model?.prefill ?? null,
      trimmed: model ? trimmedOf(name, costs, costsOf) : null,
    }));
  });
}

/**
 * The rounds of a trace at a draft length.
 *
 * @param traced The trace.
 * @param draftLength K.
 * @returns The rounds; of a drawn trace, those of one draw.
 * @throws {TraceError} If the trace does not know so long drafts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const trace = {
 *   choice: "chosen", tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2, drafts,
 * } as const;
 * const traced = { trace, prompt: "p", task: "code", promptTokens: 9 };
 * assertEquals(tracedRounds(traced, 2).map(({ emitted }) => emitted), [3]);
 * ```
 */
export function tracedRounds(
  { trace, prompt }: PromptTrace,
  draftLength: number,
): TracedRound[] {
  return replayTrace(trace, { policy: fixed(draftLength), seed: prompt });
}

type CostLookup = (model: string, precision: string) => ModelCosts | null;

/** Costs of a model's newest weights, fitted once; null where they were not measured. */
function costLookup(rows: readonly CostRecord[]): CostLookup {
  const groups = Map.groupBy(rows, ({ model, precision }) => `${model} ${precision}`);
  const fitted = new Map<string, ModelCosts | null>();
  return (model, precision) => {
    const name = `${model} ${precision}`;
    if (!fitted.has(name)) fitted.set(name, fit(groups.get(name) ?? []));
    return fitted.get(name)!;
  };
}

function fit(rows: readonly CostRecord[]): ModelCosts | null {
  const same = newestCosts(rows);
  try {
    const layer = costLayerOf(same);
    const chunks = measuredTimes(same, "prefill");
    if (chunks.length === 0) return { layer, prefill: null };
    const model = fitCosts(chunks);
    return { layer, prefill: (tokens) => prefillTime(model, tokens, PREFILL_WIDTH) };
  } catch (error) {
    if (error instanceof CostModelError) return null;
    throw error;
  }
}

/** Of the vocabularies that a draft was timed with, the smallest tells its head apart best. */
function trimmedOf(
  { draftModel, draftPrecision }: TracedDraft,
  rows: readonly CostRecord[],
  costsOf: CostLookup,
): DraftOnRecord["trimmed"] {
  const counts = rows.flatMap(({ model, precision }) =>
    precision === draftPrecision && model.startsWith(`${draftModel}#`)
      ? [Number(model.slice(draftModel!.length + 1))]
      : []
  );
  if (counts.length === 0) return null;
  const scored = Math.min(...counts);
  const costs = costsOf(`${draftModel}#${scored}`, draftPrecision!);
  return costs && { scored, layer: costs.layer };
}

function nameOf({ draft, draftModel, draftPrecision }: TracedDraft): string {
  return [draft, draftModel, draftPrecision].join("\t");
}

function promptTraceOf(row: TraceRecord): PromptTrace {
  const { prompt, task, promptTokens } = row;
  return { prompt, task, promptTokens, trace: unpackTrace(row) };
}
