/**
 * The research record: one row a run, one row a round. Every column is declared here, once; the
 * types, the files and `data/README.md` follow.
 *
 * @module
 */

import {
  type Column,
  describeTable,
  flag,
  integer,
  number,
  oneOf,
  optional,
  readRows,
  RecordError,
  type RowOf,
  type Table,
  text,
  writeRows,
} from "./columns.ts";

/** Version of the tables below. It grows whenever a column is added, dropped or changes meaning. */
export const SCHEMA = 1;

/** Ways of decoding that a pair compares. */
export const ARMS = ["plain", "speculative"] as const;

/** One of the two runs of a pair. */
export type Arm = typeof ARMS[number];

/** What can propose in a study: nothing, an n-gram table, a model, a recorded continuation. */
export const DRAFTS = ["none", "prompt-lookup", "model", "replay"] as const;

const schema: Column<number> = {
  ...integer("Version of this table."),
  read: (cell) => cell === String(SCHEMA) ? SCHEMA : undefined,
};
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
  attempts: integer("How often the pair was run until no other work disturbed it; at most 3."),
  startedAt: text("When the run began: ISO 8601, UTC."),
  machine: text("Machine id: the folder's name; `machine.json` describes it."),
  cpu: text("Processor's brand."),
  provider: text("What executed the network."),
  threads: integer("Threads of a pass."),
  specbound: text("Version of this package."),
  commit: optional(text("Commit of the code; empty outside a git repository.")),
  dirty: optional(flag("Whether tracked code differed from the commit.")),
  deno: text("Version of Deno."),
  onnxruntime: optional(text("Version of ONNX Runtime; empty for table models.")),
  model: text("The target's catalog id."),
  modelHash: optional(text("SHA-256 of the target's weights file.")),
  precision: text("The target's precision."),
  headPrecision: optional(text("Precision of the target's output head.")),
  attention: optional(text("Form of attention that runs: scattered or grouped.")),
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
  promptHash: text("SHA-256 of the prompt's text."),
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
  prefillMs: optional(
    number("Reading the prompt; done once for all pairs of a prompt, which fork it.", "ms"),
  ),
  draftPrefillMs: optional(number("The draft model reading the prompt; also done once.", "ms")),
  firstTokenMs: optional(number("From the start of decoding to the end of its first round.", "ms")),
  decodeMs: optional(number("From the start of decoding to the end of its last round.", "ms")),
  draftMs: optional(number("Drafting, summed over rounds.", "ms")),
  verifyMs: optional(number("The target's passes, summed over rounds.", "ms")),
  sampleMs: optional(number("From logits to tokens, summed over rounds.", "ms")),
  hostMs: optional(number("Everything else in the rounds, summed.", "ms")),
  cpuSeconds: optional(number("CPU time of this process while decoding, all threads.", "s")),
  peakMemoryBytes: optional(integer("Highest resident memory of this process so far.", "byte")),
  otherLoad: optional(
    number("Share of the machine's CPU time that went elsewhere during the pair.", ""),
  ),
  disturbed: optional(flag("Whether otherLoad was too high; such pairs are left out of verdicts.")),
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
  draftMs: number("Drafting.", "ms"),
  verifyMs: number("The target's pass.", "ms"),
  sampleMs: number("From logits to tokens.", "ms"),
  hostMs: number("Everything else in the round.", "ms"),
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
  requireSchema(csv, file);
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
 * const [round] = readRounds(`${header}\n1,a-p1-r0,plain,0,0,0,0,1,0,20.5,0.1,0.01\n`);
 * assertEquals(round?.verifyMs, 20.5);
 * ```
 */
export function readRounds(csv: string, file = "rounds.csv"): RoundRecord[] {
  requireSchema(csv, file);
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

/**
 * The text of `data/README.md`.
 *
 * @returns Markdown: the files, and a dictionary of every column.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(describeRecords(), "| `tested` | integer or empty | token |");
 * ```
 */
export function describeRecords(): string {
  return `# Data

Generated from \`lib/study/records.ts\`; a test holds it up to date. Schema version ${SCHEMA}.

- \`prompts/quick.json\`: the prompts of the quick study.
- \`records/<machine>/machine.json\`: the machine.
- \`records/<machine>/runs.csv\`: one row a run. Two runs of one \`pair\` decode the same prompt back to back, plainly and speculatively.
- \`records/<machine>/rounds.csv\`: one row a round: a draft, one target pass, and what came of it.

Counts and times are stored; rates are derived from them (\`lib/analysis\`). An empty cell was not measured, or has no sense in its row; it is never a zero. Rows are appended pair by pair. Times are milliseconds of a monotonic clock.

## runs.csv

${describeTable(RUN_COLUMNS)}
## rounds.csv

${describeTable(ROUND_COLUMNS)}`;
}

/** The version comes first in every row, so that a file of any other version can be named as such. */
function requireSchema(csv: string, file: string): void {
  const found = /^schema,[^\n]*\r?\n(?:"?)([^,"\r\n]+)/.exec(csv)?.[1];
  if (found === undefined || found === String(SCHEMA)) return;
  throw new RecordError(
    `Cannot read ${file} as its schema is ${found} and this version of specbound reads ${SCHEMA}: read it with the version that wrote it, or move it away`,
  );
}
