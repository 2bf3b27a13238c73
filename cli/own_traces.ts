/**
 * Traces of a user's own prompts, recorded on the spot and kept nowhere.
 *
 * @module
 */

import { basename } from "node:path";
import type { Precision } from "../lib/models/graph.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import { behaviourPreset, planTraces, type TraceDraft } from "../lib/study/behaviour_plan.ts";
import { sweepBehaviour } from "../lib/study/behaviour_sweep.ts";
import { subjectLoader } from "../lib/study/load_subjects.ts";
import type { Origin } from "../lib/study/provenance.ts";
import type { TraceRecord } from "../lib/study/trace_records.ts";
import { openTraces } from "../lib/study/trace_store.ts";
import { type Prompt, readWorkload, WorkloadError } from "../lib/study/workload.ts";
import { progress } from "./progress.ts";

/** What to record. */
export interface OwnTraces {
  /** The prompts' file. */
  readonly file: string;
  /** The target's catalogue id. */
  readonly model: string;
  /** Its precisions. */
  readonly precisions: readonly Precision[];
  /** What drafts. */
  readonly drafts: readonly TraceDraft[];
  /** 0 is greedy. */
  readonly temperature: number;
  /** Most tokens of a reply. */
  readonly maxTokens: number;
  /** Threads of a pass. */
  readonly threads: number;
  /** When to stop with what is recorded, shared by the precisions. */
  readonly budgetMs: number;
  /** Machine, code, versions. */
  readonly provenance: Origin;
}

/**
 * Records traces of a file of prompts: the pre-evaluation that advice on one's own work rests on.
 *
 * @param own What to record.
 * @param signal Stops it.
 * @returns The traces; of all prompts, or of as many as there was time for.
 * @throws {WorkloadError} If the file holds no prompts.
 */
export async function recordOwnTraces(
  { file, model, precisions, drafts, budgetMs, ...own }: OwnTraces,
  signal: AbortSignal,
): Promise<TraceRecord[]> {
  const prompts = await readPrompts(file);
  const { temperature, maxTokens, threads, provenance } = own;
  const base = { ...behaviourPreset("quick"), temperatures: [temperature], maxTokens };
  const folder = await Deno.makeTempDir({ prefix: "specbound-" });
  const bar = progress(`Tracing ${basename(file)}`);
  using runtime = new Runtime({ threads });
  try {
    await using store = await openTraces(folder);
    for (const [i, precision] of precisions.entries()) {
      const until = AbortSignal.timeout(Math.max(1, budgetMs / precisions.length));
      const stopping = AbortSignal.any([signal, until]);
      const onNote = (note: string) => bar.update(i, precisions.length, note);
      const load = subjectLoader(runtime, { signal: stopping, onNote });
      const { left } = await sweepBehaviour(
        planTraces({ ...base, precisions: [precision] }, prompts, { model, drafts }),
        {
          load,
          store,
          provenance,
          threads,
          signal: stopping,
          onProgress: ({ done, total, note }) =>
            bar.update(i + done / total, precisions.length, `${done}/${total}, ${note}`),
        },
      );
      signal.throwIfAborted();
      if (left > 0) {
        console.error(
          `The time was up with ${left} traces in ${precision} left: --minutes gives more.`,
        );
      }
    }
    return [...store.traces];
  } finally {
    bar.end();
    await Deno.remove(folder, { recursive: true });
  }
}

/** A workload in JSON, or bare texts: a JSON array of them, or one a line. */
async function readPrompts(file: string): Promise<Prompt[]> {
  const content = await Deno.readTextFile(file);
  const texts = content.trimStart().startsWith("[") ? textsOf(content) : content.split("\n");
  if (!texts) return await readWorkload(file);
  const distinct = new Set(texts.map((text) => text.trim()).filter((text) => text !== ""));
  if (distinct.size === 0) {
    throw new WorkloadError(`Cannot use ${file} as a workload: it holds no prompts`);
  }
  const kind = { task: "chat", domain: "own", determinism: "medium" } as const;
  return [...distinct].map((text, i) => ({ id: `prompt-${i + 1}`, ...kind, text }));
}

/** The strings of a JSON array that holds nothing else; null for any other content. */
function textsOf(content: string): string[] | null {
  try {
    const entries: unknown[] = JSON.parse(content);
    return entries.every((entry) => typeof entry === "string") ? entries : null;
  } catch {
    // Whether it is JSON at all is for the workload's reader to say.
    return null;
  }
}
