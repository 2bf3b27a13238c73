/**
 * What is known of a piece of work on a machine: traces that are like it, and costs of their models.
 *
 * @module
 */

import { costLayerOf } from "../analysis/boundary.ts";
import { fitCosts } from "../analysis/cost_model.ts";
import { CostModelError, measuredTimes, newestCosts } from "../analysis/measured_times.ts";
import { onSharedPrompts } from "../analysis/shared_prompts.ts";
import { shortenTrace } from "../analysis/validation_prediction.ts";
import type { Precision } from "../models/graph.ts";
import type { CostRecord } from "../study/cost_records.ts";
import type { Trace } from "../study/trace.ts";
import { type TraceRecord, unpackTrace } from "../study/trace_records.ts";
import type { Prompt } from "../study/workload.ts";
import type { DraftCosts } from "./price.ts";

/** The work that advice is asked for. */
export interface AdviceWork {
  /** The target's catalogue id. */
  readonly model: string;
  /** Its precision. Default: whichever is fastest. */
  readonly precision?: Precision | undefined;
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether passes are padded so that logits do not depend on their width. */
  readonly exact: boolean;
  /** Kind of task. Default: all. */
  readonly task?: Prompt["task"] | undefined;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Tokens of a reply. */
  readonly maxTokens: number;
  /** B. */
  readonly batch: number;
  /** Tokens of a prompt. Default: the median of the prompts that are known. */
  readonly context?: number | undefined;
}

/** What names a draft. */
export type DraftName = Pick<TraceRecord, "draft" | "draftModel" | "draftHash" | "draftPrecision">;

/** What is known of a draft. */
export interface DraftEvidence extends DraftName {
  /** Its costs and the target's. */
  readonly costs: DraftCosts;
  /** What it made of each prompt, by the prompt's hash. */
  readonly traces: ReadonlyMap<string, Trace>;
}

/** A prompt that all drafts were traced on. */
export interface KnownPrompt {
  /** Hash of its wording. */
  readonly hash: string;
  /** Kind of task. */
  readonly task: string;
  /** Its tokens. */
  readonly tokens: number;
}

/** What is known of a target in one precision. */
export interface AdviceEvidence {
  /** The precision. */
  readonly precision: string;
  /** SHA-256 of the weights, or null. */
  readonly modelHash: string | null;
  /** The prompts, in order of their hashes. */
  readonly prompts: readonly KnownPrompt[];
  /** The drafts, in order of their names. */
  readonly drafts: readonly DraftEvidence[];
  /** Least and greatest context at which all of them have costs. */
  readonly contexts: readonly [number, number];
  /** Whether costs are among them that other work disturbed, as there are no others. */
  readonly disturbed: boolean;
}

/** Raised when nothing is known of the work that advice is asked for. */
export class AdviceError extends Error {
  /** "AdviceError". */
  override readonly name = "AdviceError";
}

/**
 * Gathers what is known of a piece of work. Drafts are compared on the same prompts: those that all
 * were traced on, after leaving out drafts that lack more than half of what another one has.
 *
 * @param work The work.
 * @param traces The behaviour layer, of any machine.
 * @param costs The cost layer, of this machine.
 * @returns One entry a precision.
 * @throws {AdviceError} If there are no traces of such work, or no costs of its models.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const work = { model: "m", threads: 2, exact: false, temperature: 0, maxTokens: 64, batch: 1 };
 * assertThrows(() => gather(work, [], []), AdviceError, "Cannot advise on m as no trace is of it");
 * ```
 */
export function gather(
  work: AdviceWork,
  traces: readonly TraceRecord[],
  costs: readonly CostRecord[],
): AdviceEvidence[] {
  const like = tracesLike(work, traces);
  const costsOf = costLookup(work, costs);
  const evidence = [...Map.groupBy(like, ({ precision }) => precision)]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .flatMap(([precision, same]) => evidenceOf(precision, same, work, costsOf) ?? []);
  if (evidence.length > 0) return evidence;
  throw new AdviceError(
    `Cannot advise on ${work.model} as costs of it with threads ${work.threads} and B = ${work.batch} are not on record, or too disturbed to go by: run deno task sweep costs, and let nothing else run`,
  );
}

/**
 * Whether a target has costs to go by, so that nothing needs to be measured.
 *
 * @param work The work.
 * @param costs The cost layer.
 * @returns Whether it has, in the precision asked for or in any.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(hasCosts({ model: "m" } as never, []), false);
 * ```
 */
export function hasCosts(work: AdviceWork, costs: readonly CostRecord[]): boolean {
  const known = new Set(
    costs.filter((row) => row.model === work.model).map((row) => row.precision),
  );
  return [...known].some((precision) =>
    (work.precision ?? precision) === precision && fit(work.model, precision, work, costs) !== null
  );
}

/** Traces of the model's newest weights in the same work. */
function tracesLike(work: AdviceWork, traces: readonly TraceRecord[]): TraceRecord[] {
  const { model, precision, task, temperature } = work;
  const steps: [reason: string, keep: (trace: TraceRecord) => boolean][] = [
    ["of it", (trace) => trace.model === model],
    [`in ${precision}`, (trace) => precision === undefined || trace.precision === precision],
    [
      `at temperature ${temperature}`,
      (trace) => trace.temperature === temperature && trace.topK === 0 && trace.topP === 1,
    ],
    [`of ${task}`, (trace) => task === undefined || trace.task === task],
  ];
  let kept = traces;
  for (const [reason, keep] of steps) {
    const next = kept.filter(keep);
    if (next.length === 0) {
      throw new AdviceError(
        `Cannot advise on ${model} as no trace is ${reason}: give your own prompts with --prompts FILE, or run deno task sweep behaviour`,
      );
    }
    kept = next;
  }
  const newest = kept.reduce((a, b) => a.recordedAt > b.recordedAt ? a : b).modelHash;
  // Of a text that ends at once there is nothing to speed up.
  return kept.filter(({ modelHash, tokens }) => modelHash === newest && tokens.includes(" "));
}

/** A pair's costs, and what {@linkcode AdviceEvidence} says of them. */
interface KnownCosts extends DraftCosts, Pick<AdviceEvidence, "contexts" | "disturbed"> {}

type CostLookup = (precision: string, draft: DraftName) => KnownCosts | null;

function evidenceOf(
  precision: string,
  traces: readonly TraceRecord[],
  { maxTokens, context = 0 }: AdviceWork,
  costsOf: CostLookup,
): AdviceEvidence | null {
  const nameOf = ({ draft, draftModel, draftHash, draftPrecision }: TraceRecord) =>
    JSON.stringify({ draft, draftModel, draftHash, draftPrecision });
  const known = [...Map.groupBy(traces, nameOf)].sort(([a], [b]) => a < b ? -1 : 1)
    .flatMap(([name, same]) => {
      const draft = JSON.parse(name) as DraftName;
      const costs = costsOf(precision, draft);
      // In an order of their own, so that no interval hangs on that of the file.
      const traces = same.toSorted((a, b) => a.promptHash.localeCompare(b.promptHash));
      return costs ? [{ draft, costs, traces }] : [];
    });
  // A draft that was not timed as far as the work goes would keep the others from going there.
  const furthest = Math.min(context, Math.max(...known.map(({ costs }) => costs.contexts[1])));
  const kept = onSharedPrompts(known.filter(({ costs }) => costs.contexts[1] >= furthest));
  const prompts = (kept[0]?.traces ?? [])
    .map(({ promptHash, task, promptTokens }) => ({
      hash: promptHash,
      task,
      tokens: promptTokens,
    }));
  if (prompts.length === 0) return null;
  return {
    precision,
    modelHash: traces[0]!.modelHash,
    prompts,
    drafts: kept.map(({ draft, costs, traces }) => ({
      ...draft,
      costs,
      traces: new Map(traces.map((record) => {
        const trace = unpackTrace(record);
        return [record.promptHash, shortenTrace(trace, Math.min(maxTokens, trace.maxTokens))];
      })),
    })),
    contexts: [
      Math.max(...kept.map(({ costs }) => costs.contexts[0])),
      Math.min(...kept.map(({ costs }) => costs.contexts[1])),
    ],
    disturbed: kept.some(({ costs }) => costs.disturbed),
  };
}

/** Fits each model's costs once. */
function costLookup(work: AdviceWork, rows: readonly CostRecord[]): CostLookup {
  const fitted = new Map<string, ReturnType<typeof fit>>();
  const find = (model: string, precision: string) => {
    const name = `${model} ${precision}`;
    if (!fitted.has(name)) fitted.set(name, fit(model, precision, work, rows));
    return fitted.get(name)!;
  };
  return (precision, { draft, draftModel, draftPrecision }) => {
    const target = find(work.model, precision);
    if (!target) return null;
    const { layer, contexts, disturbed } = target;
    const free = { target: layer, draft: null, reading: null, contexts, disturbed };
    if (draft !== "model") return free;
    const model = find(draftModel!, draftPrecision!);
    if (!model?.reading) return null;
    return {
      target: layer,
      draft: model.layer,
      reading: model.reading,
      contexts: [
        Math.max(contexts[0], model.contexts[0]),
        Math.min(contexts[1], model.contexts[1]),
      ],
      disturbed: disturbed || model.disturbed,
    };
  };
}

/** Costs of a model's newest weights; null where they were not measured for such a batch. */
function fit(
  model: string,
  precision: string,
  { threads, exact, batch }: AdviceWork,
  rows: readonly CostRecord[],
) {
  const named = rows.filter((row) =>
    row.model === model && row.precision === precision && row.threads === threads &&
    row.exact === exact
  );
  const same = newestCosts(named);
  // Disturbed costs are better than none to who waits for an answer, who is told.
  const all = same.map((row) => ({ ...row, disturbed: false }));
  const calm = fitRows(same, batch);
  const costs = calm ?? fitRows(all, batch);
  return costs && { ...costs, disturbed: calm === null };
}

function fitRows(rows: readonly CostRecord[], batch: number) {
  const passes = measuredTimes(rows, "pass");
  const chunks = measuredTimes(rows, "prefill");
  const batches = passes.map((pass) => pass.batch);
  if (batch < Math.min(...batches) || batch > Math.max(...batches)) return null;
  try {
    const contexts = passes.map(({ context }) => context);
    return {
      layer: costLayerOf(rows),
      reading: chunks.length > 0 ? fitCosts(chunks) : null,
      contexts: [Math.min(...contexts), Math.max(...contexts)] as const,
    };
  } catch (error) {
    if (error instanceof CostModelError) return null;
    throw error;
  }
}
