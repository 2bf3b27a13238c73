/**
 * The record of the behaviour layer: one row a trace, packed into text.
 *
 * @module
 */

import {
  type Column,
  flag,
  integer,
  number,
  oneOf,
  optional,
  type RowOf,
  schemaColumn,
  type Table,
  text,
} from "./columns.ts";
import { PROVENANCE_COLUMNS } from "./provenance_columns.ts";
import { CHOICES, type ChosenDraft, type DrawnDraft, type Trace } from "./trace.ts";

/** Version of the table below. It grows whenever a column is added, dropped or changes meaning. */
export const TRACE_SCHEMA = 1;

/** What drafts in traces: tables that look back, or a model. */
export const TRACE_DRAFTS = ["prompt-lookup", "ngram", "model"] as const;

const CHOSEN = String.raw`\d+\/\d+(:(\d\d)+)?`;
const DRAWN = String.raw`\d+(\/\d+){3}(:\d+(\/\d+)*)?`;

/** The columns of a file of traces. */
export const TRACE_COLUMNS = {
  schema: schemaColumn(TRACE_SCHEMA),
  key: text("Hash of the trace's condition: all factors, the prompt included."),
  recordedAt: text("When it was recorded: ISO 8601, UTC."),
  ...PROVENANCE_COLUMNS,
  model: text("The target's catalog id."),
  modelHash: optional(text("SHA-256 of the target's weights file.")),
  precision: text("The target's precision."),
  headPrecision: optional(text("Precision of the target's output head.")),
  exact: flag("Whether passes were padded so that logits do not depend on their width."),
  draft: oneOf(TRACE_DRAFTS, "What drafted."),
  draftModel: optional(text("The draft model's catalog id.")),
  draftHash: optional(text("SHA-256 of the draft model's weights file.")),
  draftPrecision: optional(text("The draft model's precision.")),
  longest: integer("Tokens asked of each draft: the longest that can be replayed.", "token"),
  prompt: text("Prompt id."),
  promptHash: text("SHA-256 of the prompt's text."),
  task: text("Kind of task."),
  promptTokens: integer("Tokens of the prompt, chat template included.", "token"),
  maxTokens: integer("Most tokens of the text.", "token"),
  temperature: number("0 is greedy.", ""),
  topK: integer("Likeliest tokens kept; 0 keeps all."),
  topP: number("Probability mass kept; 1 keeps all.", ""),
  seed: integer("Seed of sampling."),
  stop: oneOf(["end", "length"], "Why the text ended: end of text, or the limit."),
  tokens: pattern(
    "The text after the prompt, as token ids; the token that ended it is the last.",
    /^\d+( \d+)*$/,
  ),
  choice: oneOf(CHOICES, "Whether drafted tokens were chosen, or drawn from a distribution."),
  drafts: pattern(
    "One entry a token of the text. Chosen: right/offered, then the draft's probability of each of its tokens as far as it told, two digits each: hundredths, rounded down, 99 at most. Drawn, in thousandths: min(1, q(x)/p(x)) of the text's token x; Σ min(p, q); and of one y drawn from q, q(y) and min(1, p(y)/q(y)); then, of a head, the chances that further tokens of a draft that begins here stand, each if all before it stood.",
    new RegExp(`^(${CHOSEN}( ${CHOSEN})*|${DRAWN}( ${DRAWN})*)$`),
  ),
} satisfies Table;

/** A trace as it is stored. */
export type TraceRecord = RowOf<typeof TRACE_COLUMNS>;

/** The columns that hold the trace itself. */
export type PackedTrace = Pick<
  TraceRecord,
  "stop" | "maxTokens" | "longest" | "tokens" | "choice" | "drafts"
>;

/**
 * A trace as columns.
 *
 * @param trace The trace.
 * @returns The columns. Confidences lose what is beyond hundredths; thresholds in hundredths decide
 *   as before.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const draft = { offered: 3, right: 1, confidences: [0.987, 0.29] };
 * const packed = packTrace({
 *   choice: "chosen", tokens: [7, 8], stop: "length", maxTokens: 2, longest: 3, drafts: [draft, draft],
 * });
 * assertEquals([packed.tokens, packed.drafts], ["7 8", "1/3:9829 1/3:9829"]);
 * ```
 */
export function packTrace({ tokens, stop, maxTokens, longest, ...trace }: Trace): PackedTrace {
  const drafts = trace.choice === "chosen"
    ? trace.drafts.map(packChosen)
    : trace.drafts.map(packDrawn);
  const shared = { stop, maxTokens, longest, choice: trace.choice };
  return { ...shared, tokens: tokens.join(" "), drafts: drafts.join(" ") };
}

/**
 * The trace that columns hold.
 *
 * @param packed The columns.
 * @returns The trace.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const packed = { stop: "length", maxTokens: 1, longest: 4, tokens: "7" } as const;
 * const { drafts } = unpackTrace({ ...packed, choice: "chosen", drafts: "1/3:9829" });
 * assertEquals(drafts, [{ right: 1, offered: 3, confidences: [0.98, 0.29] }]);
 * ```
 */
export function unpackTrace({ tokens, drafts, choice, ...packed }: PackedTrace): Trace {
  const { stop, maxTokens, longest } = packed;
  const traced = { stop, maxTokens, longest, tokens: tokens.split(" ").map(Number) };
  const entries = drafts.split(" ");
  return choice === "chosen"
    ? { choice, ...traced, drafts: entries.map(unpackChosen) }
    : { choice, ...traced, drafts: entries.map(unpackDrawn) };
}

function packChosen({ right, offered, confidences }: ChosenDraft): string {
  const digits = confidences.map((confidence) => String(hundredths(confidence)).padStart(2, "0"));
  return `${right}/${offered}${digits.length > 0 ? `:${digits.join("")}` : ""}`;
}

function unpackChosen(entry: string): ChosenDraft {
  const [right, offered, digits = ""] = entry.split(/[/:]/);
  const confidences = (digits.match(/../g) ?? []).map((pair) => Number(pair) / 100);
  return { right: Number(right), offered: Number(offered), confidences };
}

/** The most hundredths that do not exceed a share, by the very comparison that thresholds make. */
function hundredths(share: number): number {
  const near = Math.round(share * 100);
  return Math.min(99, near / 100 <= share ? near : near - 1);
}

function packDrawn({ chance, overlap, confidence, acceptance, further }: DrawnDraft): string {
  const own = packShares([chance, overlap, confidence, acceptance]);
  return further && further.length > 0 ? `${own}:${packShares(further)}` : own;
}

function unpackDrawn(entry: string): DrawnDraft {
  const [own, ...rest] = entry.split(":").map(unpackShares);
  const [chance, overlap, confidence, acceptance] = own!;
  return {
    chance: chance!,
    overlap: overlap!,
    confidence: confidence!,
    acceptance: acceptance!,
    ...(rest.length > 0 && { further: rest[0]! }),
  };
}

function packShares(shares: readonly number[]): string {
  return shares.map((share) => Math.round(share * 1000)).join("/");
}

function unpackShares(packed: string): number[] {
  return packed.split("/").map((share) => Number(share) / 1000);
}

/** A column of text of a certain form. */
function pattern(meaning: string, form: RegExp): Column<string> {
  return { ...text(meaning), read: (cell) => form.test(cell) ? cell : undefined };
}
