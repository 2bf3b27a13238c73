/**
 * `deno task sweep --preset study`: costs, behaviour and validation, one after another.
 *
 * @module
 */

import { VALIDATION_LEVELS } from "../lib/study/validation_plan.ts";
import { behaviour } from "./behaviour.ts";
import { costs } from "./costs.ts";
import { PRECISIONS } from "./flags.ts";
import { validate } from "./validate.ts";

/** What all layers are about. */
export interface StudyFlags {
  /** The target's catalogue id. */
  readonly model: string;
  /** What drafts, with commas; by default both tables and the target's own int4 weights. */
  readonly drafts?: string | undefined;
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether passes are padded so that logits do not depend on their width. */
  readonly exact: boolean;
  /** Replicate of the validation; else the first that is not complete. */
  readonly process?: number | undefined;
  /** Tokens of long prompts beside short ones, with commas. */
  readonly contexts: string;
  /** Folder of records. */
  readonly records: string;
  /** Folder of traces. */
  readonly traces: string;
}

/** Contexts of one row, from below the shortest prompt: beyond what was timed nothing is predicted. */
const CONTEXTS = "16,64,1024,4096,8160";
/** Contexts of batches above 1: their passes take so much longer. */
const BATCHED = "64,1024";
/** Minutes for costs of one row and of batches, to visit each cell twice: one visit does not count. */
const MINUTES = { row: "10", batches: "10" } as const;

/**
 * Runs the whole study within an hour on two cores: what is on record is not measured again, so it
 * goes on where it stopped, and once complete adds a replicate of the validation.
 *
 * @param flags Models, threads, folders.
 */
export async function study(flags: StudyFlags): Promise<void> {
  const { model, records, traces, drafts = `prompt-lookup,ngram,${model}@int4` } = flags;
  const shared = ["--model", model, "--threads", `${flags.threads}`, "--drafts", drafts];
  const timed = [...shared, "--records", records, ...flags.exact ? ["--exact"] : []];
  const cells = [...timed, "--precisions", PRECISIONS.join(), "--process", "1"];
  const batched = ["--batches", "2,4,8", "--contexts", BATCHED];
  const texts = ["--traces", traces, "--contexts", flags.contexts];
  const length = ["--max-tokens", `${VALIDATION_LEVELS.maxTokens}`];
  const replicate = flags.process === undefined ? [] : ["--process", `${flags.process}`];
  const layers = [
    () => costs([...cells, "--contexts", CONTEXTS, "--minutes", MINUTES.row]),
    () => costs([...cells, ...batched, "--minutes", MINUTES.batches]),
    () => behaviour([...shared, ...texts, ...length, "--preset", "study", "--take", "24"]),
    () => validate([...timed, ...texts, ...replicate, "--cells", "80"]),
  ];
  for (const layer of layers) {
    await layer();
    if (Deno.exitCode !== 0) return;
  }
}
