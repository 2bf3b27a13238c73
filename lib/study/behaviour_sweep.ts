/**
 * Recording the behaviour layer: traces of every draft, prompt and temperature of a plan.
 *
 * @module
 */

import { onlineNgram } from "../decoding/drafters/online_ngram.ts";
import { promptLookup } from "../decoding/drafters/prompt_lookup.ts";
import {
  pendingTraces,
  type PlannedTrace,
  type TraceBlock,
  type TraceDraft,
  type TraceStage,
} from "./behaviour_plan.ts";
import { loadSubjects } from "./load_subjects.ts";
import { type PreparedPrompt, preparePrompt } from "./prepared.ts";
import type { Origin } from "./provenance.ts";
import { type RecordedText, recordText } from "./recorded_text.ts";
import { findDraft } from "./runner.ts";
import type { SubjectLoader } from "./subject.ts";
import type { SweepOutcome, SweepProgress } from "./sweep.ts";
import type { Trace } from "./trace.ts";
import { traceDraws } from "./trace_draws.ts";
import { traceHead, traceHeadDraws } from "./trace_heads.ts";
import { traceDrafter, traceModel } from "./trace_recorder.ts";
import { packTrace, TRACE_SCHEMA, type TraceRecord } from "./trace_records.ts";
import type { TraceStore } from "./trace_store.ts";
import { promptHash } from "./workload.ts";

/** Settings of a recording. */
export interface BehaviourOptions {
  /** Loads models, one stage at a time. */
  readonly load: SubjectLoader;
  /** Where rows go. */
  readonly store: TraceStore;
  /** Machine, code, versions. */
  readonly provenance: Origin;
  /** Threads of a pass. They change no trace. */
  readonly threads: number;
  /** Stops between passes; the trace at hand is dropped. */
  readonly signal?: AbortSignal;
  /** Called before and after every trace. */
  readonly onProgress?: (progress: SweepProgress) => void;
}

/**
 * Records the traces of a plan that are not on record, in exact mode, so that they hold for passes of
 * every width. Each is written through before the next begins. An abort drops the one at hand.
 *
 * @param stages The plan.
 * @param options Loader, store, provenance, signal.
 * @returns How many traces were recorded, and how many are left.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeOrigin, openTraces } from "@specbound/specbound";
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await openTraces(folder);
 *   const provenance = await describeOrigin(".");
 *   const load = () => Promise.reject(new Error("there is nothing to load"));
 *   const outcome = await sweepBehaviour([], { load, store, provenance, threads: 1 });
 *   assertEquals(outcome, { ran: 0, left: 0 });
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function sweepBehaviour(
  stages: readonly TraceStage[],
  options: BehaviourOptions,
): Promise<SweepOutcome> {
  const { store, signal, onProgress } = options;
  const pending = pendingTraces(stages, store.traces);
  const [total, before] = [count(stages), store.traces.length];
  const [left, ran] = [count(pending), () => store.traces.length - before];
  const report = (note: string) => {
    onProgress?.({ done: total - left + ran(), total, share: left && ran() / left, note });
  };
  try {
    for (const stage of pending) await recordStage(stage, report, options);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  return { ran: ran(), left: left - ran() };
}

async function recordStage(
  stage: TraceStage,
  report: (note: string) => void,
  options: BehaviourOptions,
): Promise<void> {
  report(`loading ${stage.precision}`);
  await using loaded = new AsyncDisposableStack();
  const planned = stage.blocks.flatMap(({ traces }) => traces);
  const { model, precision } = planned[0]!;
  const running = { model, precision, threads: options.threads, exact: true };
  const wanted = planned.map(({ draft }) => draft);
  const [target, ...drafts] = await loadSubjects(running, wanted, options, loaded);
  for (const block of stage.blocks) {
    options.signal?.throwIfAborted();
    report(`${stage.precision} · reading ${block.prompt.id}`);
    const reading = { maxTokens: 1, ...(options.signal && { signal: options.signal }) };
    await using prepared = await preparePrompt(block.prompt, target, drafts, reading);
    await recordBlock(block, prepared, report, options);
  }
}

async function recordBlock(
  { prompt, traces }: TraceBlock,
  prepared: PreparedPrompt,
  report: (note: string) => void,
  { store, provenance, threads, signal }: BehaviourOptions,
): Promise<void> {
  const stopping = signal ? { signal } : {};
  const { context, subject } = prepared.target;
  const texts = new Map<string, RecordedText>();
  for (const planned of traces) {
    const { precision, draft, temperature, maxTokens, seed } = planned;
    signal?.throwIfAborted();
    report(`${precision} · ${prompt.id} · T=${temperature} · ${draft.draft}`);
    const sampling = `${temperature} ${seed}`;
    const text = texts.get(sampling) ?? await recordText(context, prepared.tokens, {
      maxTokens,
      sampling: { temperature },
      seed: `${seed} ${prompt.id}`,
      endOfText: subject.endOfText,
      ...stopping,
    });
    texts.set(sampling, text);
    const trace = await recordTrace(text, planned, prepared, stopping);
    await store.append({
      schema: TRACE_SCHEMA,
      key: planned.key,
      recordedAt: new Date().toISOString(),
      ...provenanceOf(provenance, subject.provider, threads),
      ...factorsOf(planned, prepared),
      ...packTrace(trace),
    });
    report(`${prompt.id} recorded`);
  }
}

async function recordTrace(
  text: RecordedText,
  { draft, longest, temperature, seed }: PlannedTrace,
  prepared: PreparedPrompt,
  stopping: { readonly signal?: AbortSignal },
): Promise<Trace> {
  const options = { longest, ...stopping };
  if (draft.draft !== "model") {
    await using drafter = draft.draft === "ngram" ? onlineNgram() : promptLookup();
    return await traceDrafter(text, drafter, options);
  }
  const { subject: { follow }, context } = findDraft(prepared, draft);
  const contexts = { target: prepared.target.context, draft: context };
  const seeded = { ...options, seed: `${seed} ${prepared.prompt.id}` };
  if (follow) {
    const head = { ...contexts, follow };
    return temperature === 0
      ? await traceHead(text, head, options)
      : await traceHeadDraws(text, head, seeded);
  }
  return temperature === 0
    ? await traceModel(text, context, options)
    : await traceDraws(text, contexts, seeded);
}

function provenanceOf(
  { machine, code, versions }: BehaviourOptions["provenance"],
  provider: string,
  threads: number,
) {
  return {
    machine: machine.id,
    cpu: machine.cpu,
    provider,
    threads,
    ...code,
    ...versions,
    onnxruntime: provider === "table" ? null : versions.onnxruntime,
  };
}

function factorsOf(
  { model, precision, draft, temperature, seed }: PlannedTrace,
  prepared: PreparedPrompt,
) {
  const { prompt, tokens, target: { subject } } = prepared;
  return {
    model,
    modelHash: subject.hash,
    precision,
    headPrecision: subject.headPrecision,
    exact: true,
    ...draftColumns(draft, prepared),
    prompt: prompt.id,
    promptHash: promptHash(prompt),
    task: prompt.task,
    promptTokens: tokens.length,
    temperature,
    topK: 0,
    topP: 1,
    seed,
  };
}

function draftColumns(
  draft: TraceDraft,
  prepared: PreparedPrompt,
): Pick<TraceRecord, "draft" | "draftModel" | "draftHash" | "draftPrecision"> {
  return draft.draft === "model"
    ? { ...draft, draftHash: findDraft(prepared, draft).subject.hash }
    : { ...draft, draftModel: null, draftHash: null, draftPrecision: null };
}

function count(stages: readonly TraceStage[]): number {
  return stages.flatMap(({ blocks }) => blocks.flatMap(({ traces }) => traces)).length;
}
