/**
 * The research record: one row a run, one row a round. Every column is declared here, once; the
 * types, the files and `data/README.md` follow.
 *
 * @module
 */

import {
  flag,
  integer,
  measured,
  number,
  oneOf,
  optional,
  readRows,
  type RowOf,
  schemaColumn,
  type Table,
  text,
  writeRows,
} from "./columns.ts";
import { PROVENANCE_COLUMNS } from "./provenance_columns.ts";
import { RESOURCE_COLUMNS } from "./resource_columns.ts";

/** Version of the tables below. It grows whenever a column is added, dropped or changes meaning. */
export const SCHEMA = 2;

/** Ways of decoding that a pair compares. */
export const ARMS = ["plain", "speculative"] as const;

/** One of the two runs of a pair. */
export type Arm = typeof ARMS[number];

/** What can propose in a study: nothing, tables that look back, a model, a recorded continuation. */
export const DRAFTS = ["none", "prompt-lookup", "ngram", "model", "replay"] as const;

const schema = schemaColumn(SCHEMA);
const pair = text("Names the pair: key, process and repeat. A pair and an arm name a run.");
const arm = oneOf(ARMS, "Plain decoding, or speculative decoding of the same prompt.");

/** The columns of `runs.csv`. */
export const RUN_COLUMNS = {
  schema,
  key: text("Hash of the pair's condition: all factors, the prompt included."),
  pair,
  arm,
  order: integer("Place in the pair: 0 ran first, 1 second."),
  study: text("Preset of the sweep."),
  process: integer("Which replicate of the study on this machine, from 1."),
  repeat: integer("Which repetition of the pair within the process, from 0."),
  attempts: measured(
    integer("How often the pair was run until no other work disturbed it; at most 3."),
  ),
  startedAt: measured(text("When the run began: ISO 8601, UTC.")),
  ...PROVENANCE_COLUMNS,
  model: text("The target's catalog id."),
  modelHash: optional(text("SHA-256 of the target's weights file.")),
  precision: text("The target's precision."),
  headPrecision: optional(text("Precision of the target's output head.")),
  attention: optional(
    text("Forms of attention: scattered, grouped, or from what context on which."),
  ),
  differingWidths: optional(
    text(
      "Widths of a pass, of those probed at start, whose logits differ from the others'; or none.",
    ),
  ),
  exact: flag("Whether passes were padded so that logits do not depend on their width."),
  draft: oneOf(DRAFTS, "What proposed."),
  draftModel: optional(text("The draft model's catalog id.")),
  draftHash: optional(text("SHA-256 of the draft model's weights file.")),
  draftPrecision: optional(text("The draft model's precision.")),
  draftLength: integer("K: tokens drafted a round at most; 0 is plain decoding."),
  policy: text("Rule that sets the length of each draft."),
  acceptance: optional(number("α asked of a replayed continuation.", "")),
  prompt: text("Prompt id."),
  promptHash: text("SHA-256 of the prompt's wording, its history included."),
  task: text("Kind of task."),
  promptTokens: integer("Tokens of the prompt, chat template included.", "token"),
  context: integer("Tokens in the context at the start of decoding.", "token"),
  maxTokens: integer("Most tokens to emit.", "token"),
  temperature: number("0 is greedy.", ""),
  topK: integer("Likeliest tokens kept; 0 keeps all."),
  topP: number("Probability mass kept; 1 keeps all.", ""),
  seed: integer("Seed of sampling and of a replay's errors."),
  status: oneOf(["ok", "failed"], "A failed run has no figures."),
  error: optional(text("Why a run failed.")),
  rounds: optional(integer("Target passes.")),
  drafted: optional(integer("Tokens proposed.", "token")),
  tested: optional(
    integer("Proposed tokens put to the test: what stands after a rejection never was.", "token"),
  ),
  accepted: optional(integer("Proposed tokens that stood.", "token")),
  emitted: optional(integer("Tokens of new text.", "token")),
  stop: optional(oneOf(["end", "length"], "Why decoding ended: end of text, or the limit.")),
  prefillMs: measured(optional(
    number("Reading the prompt; done once for all pairs of a prompt, which fork it.", "ms"),
  )),
  draftPrefillMs: measured(
    optional(number("The draft model reading the prompt; also done once.", "ms")),
  ),
  firstTokenMs: measured(
    optional(number("From the start of decoding to the end of its first round.", "ms")),
  ),
  decodeMs: measured(
    optional(number("From the start of decoding to the end of its last round.", "ms")),
  ),
  draftMs: measured(optional(number("Drafting, summed over rounds.", "ms"))),
  verifyMs: measured(optional(number("The target's passes, summed over rounds.", "ms"))),
  sampleMs: measured(optional(number("From logits to tokens, summed over rounds.", "ms"))),
  hostMs: measured(optional(number("Everything else in the rounds, summed.", "ms"))),
  cpuSeconds: measured(
    optional(number("CPU time of this process while decoding, all threads.", "s")),
  ),
  peakMemoryBytes: measured(
    optional(integer("Highest resident memory of this process so far.", "byte")),
  ),
  ...RESOURCE_COLUMNS,
  otherLoad: measured(optional(
    number("Share of the machine's CPU time that went elsewhere during the pair.", ""),
  )),
  disturbed: measured(
    optional(flag("Whether otherLoad was too high; such pairs are left out of verdicts.")),
  ),
  equalsPlain: optional(
    flag("Whether greedy tokens equal those of the plain partner; empty for plain runs."),
  ),
} satisfies Table;

/** The columns of `rounds.csv`. */
export const ROUND_COLUMNS = {
  schema,
  pair,
  arm,
  round: integer("Place in the run, from 0."),
  drafted: integer("Tokens proposed.", "token"),
  tested: integer("Proposed tokens put to the test.", "token"),
  accepted: integer("Proposed tokens that stood.", "token"),
  emitted: integer("Tokens of new text.", "token"),
  draftMs: measured(number("Drafting.", "ms")),
  verifyMs: measured(number("The target's pass.", "ms")),
  sampleMs: measured(number("From logits to tokens.", "ms")),
  hostMs: measured(number("Everything else in the round.", "ms")),
} satisfies Table;

/** One run: what it was, and what it counted. */
export type RunRecord = RowOf<typeof RUN_COLUMNS>;

/** One round of a run. */
export type RoundRecord = RowOf<typeof ROUND_COLUMNS>;

/** Runs, and the rounds they are made of. */
export interface Records {
  /** The rows of `runs.csv`. */
  readonly runs: readonly RunRecord[];
  /** The rows of `rounds.csv`. */
  readonly rounds: readonly RoundRecord[];
}

/** A number of milliseconds to the microsecond: more digits would be noise. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/**
 * Reads the text of a `runs.csv`.
 *
 * @param csv The text.
 * @param file The file's name, for messages.
 * @returns The runs.
 * @throws {RecordError} If the schema is another version's, or a row is malformed.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * assertEquals(readRuns(Object.keys(RUN_COLUMNS).join(",") + "\n"), []);
 * assertThrows(() => readRuns("schema,key\n99,abc\n"), Error, "its schema is 99");
 * ```
 */
export function readRuns(csv: string, file = "runs.csv"): RunRecord[] {
  return readRows(RUN_COLUMNS, csv, file);
}

/**
 * Reads the text of a `rounds.csv`.
 *
 * @param csv The text.
 * @param file The file's name, for messages.
 * @returns The rounds.
 * @throws {RecordError} If the schema is another version's, or a row is malformed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const header = Object.keys(ROUND_COLUMNS).join(",");
 * const [round] = readRounds(`${header}\n${SCHEMA},a-p1-r0,plain,0,0,0,0,1,0,20.5,0.1,0.01\n`);
 * assertEquals(round?.verifyMs, 20.5);
 * ```
 */
export function readRounds(csv: string, file = "rounds.csv"): RoundRecord[] {
  return readRows(ROUND_COLUMNS, csv, file);
}

/**
 * Runs as lines of `runs.csv`.
 *
 * @param runs The runs.
 * @returns The lines, without a header.
 * @throws {RecordError} If a value does not fit its column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(writeRuns([]), "");
 * ```
 */
export function writeRuns(runs: readonly RunRecord[]): string {
  return writeRows(RUN_COLUMNS, runs);
}

/**
 * Rounds as lines of `rounds.csv`.
 *
 * @param rounds The rounds.
 * @returns The lines, without a header.
 * @throws {RecordError} If a value does not fit its column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(writeRounds([]), "");
 * ```
 */
export function writeRounds(rounds: readonly RoundRecord[]): string {
  return writeRows(ROUND_COLUMNS, rounds);
}
