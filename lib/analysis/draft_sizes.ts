/**
 * Drafts of a target by size: what they cost, what of them is accepted, what that makes of the speed.
 *
 * @module
 */

import { fixed } from "../decoding/policies/fixed.ts";
import type { Architecture } from "../models/architecture.ts";
import type { Precision } from "../models/graph.ts";
import { parameterCount } from "../models/shapes.ts";
import type { CostRecord } from "../study/cost_records.ts";
import type { Records } from "../study/records.ts";
import type { TraceRecord } from "../study/trace_records.ts";
import { acceptanceByPlace, type PlacedAcceptance } from "./behaviour.ts";
import type { Predicted } from "./boundary.ts";
import type { TimeEstimate } from "./cost_model.ts";
import {
  draftEntryOf,
  draftId,
  type DraftManifest,
  draftNetwork,
  draftParameters,
} from "./draft_manifest.ts";
import { type PredictedLength, predictLengths, relativeCost } from "./draft_speed.ts";
import { type DraftingSplit, splitDrafting } from "./drafting_split.ts";
import {
  type DraftOnRecord,
  draftsOnRecord,
  type PromptTrace,
  type TracedDraft,
  tracedRounds,
} from "./drafts_on_record.ts";
import { poolAcceptance, type PooledAcceptance, type PromptCounts } from "./pooled_acceptance.ts";
import { type Interval, median } from "./statistics.ts";
import { type CellSummary, summarise } from "./summary.ts";
import { draftName } from "./table.ts";
import { passWork } from "./work.ts";

/** Kinds of drafts: trained for this target, the target's own weights, tables of n-grams. */
export type DraftKind = "trained" | "own" | "table";

/** What a draft length yields. */
export interface LengthSpeed extends PredictedLength {
  /** S of pairs that were run with that K; null where none was. */
  readonly measured: Interval | null;
}

/** A draft of a target in one precision. */
export interface DraftSize {
  /** The target's precision. */
  readonly precision: string;
  /** Its name in a few words. */
  readonly name: string;
  /** What it is. */
  readonly kind: DraftKind;
  /** Parameters that a draft pass reads; 0 for tables. */
  readonly parameters: number;
  /** They as a share of the target's. */
  readonly ratio: number;
  /** n: the median prompt's tokens, at which costs are taken. */
  readonly context: number;
  /** c: a drafted token / a plain target pass, with its 95 % interval; 0 for tables. */
  readonly c: Predicted;
  /** α, per tested token at K = 4; null where nothing was ever drafted. */
  readonly alpha: PooledAcceptance | null;
  /** α by kind of task, likewise. */
  readonly tasks: ReadonlyMap<string, PooledAcceptance>;
  /** α_i: acceptance at each place of the longest draft. */
  readonly places: readonly PlacedAcceptance[];
  /** One entry a K. */
  readonly lengths: readonly LengthSpeed[];
  /** That of the greatest predicted S. */
  readonly best: LengthSpeed;
  /** Bytes that it takes beside the target: weights, and keys and values of n tokens. */
  readonly extraBytes: { readonly weights: number; readonly keyValues: number };
  /** What reading a prompt of n tokens adds to the first token; null where nothing is read, or untimed. */
  readonly firstToken: TimeEstimate | null;
  /** What a drafted token is spent on; null where no trimmed vocabulary was timed. */
  readonly split: DraftingSplit | null;
}

/** Rows to judge drafts by. */
export interface DraftRows {
  /** The cost layer of one machine. */
  readonly costs: readonly CostRecord[];
  /** The behaviour layer. */
  readonly traces: readonly TraceRecord[];
  /** Whole pairs of that machine, for measured S. */
  readonly records: Records;
}

/** What is compared. */
export interface DraftSizesOptions {
  /** The target: its catalogue id and shape. */
  readonly target: { readonly model: string; readonly architecture: Architecture };
  /** Trained drafts. */
  readonly manifest: DraftManifest;
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether passes are padded so that logits do not depend on their width. Default false. */
  readonly exact?: boolean;
  /** 0 is greedy. Default 0. */
  readonly temperature?: number;
  /** Most tokens of a prompt. Default 512, which leaves long documents out. */
  readonly longestPrompt?: number;
  /** Draft lengths. Default 1, 2, 3, 4, 5, 6, 8, 12, 16. */
  readonly draftLengths?: readonly number[];
  /** Seed of intervals. Default 1. */
  readonly seed?: number | string;
}

/** K at which acceptances are compared: what engines take where they are told nothing. */
const USUAL_LENGTH = 4;
const DRAFT_LENGTHS = [1, 2, 3, 4, 5, 6, 8, 12, 16];

/**
 * What each draft costs and yields. Drafts of a precision are compared on the same prompts, at the
 * context of the median one.
 *
 * @param rows The rows.
 * @param options Target, manifest, threads, what is held fast.
 * @returns The drafts that costs and traces know, by the target's precision and then by size.
 * @throws {RangeError} If a draft is not in the manifest.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findShape } from "@specbound/specbound";
 * const { architecture } = findShape("shape:smollm2-135m");
 * const rows = { costs: [], traces: [], records: { runs: [], rounds: [] } };
 * const target = { model: "smollm2-135m-instruct", architecture };
 * assertEquals(draftSizes(rows, { target, manifest: { drafts: {} }, threads: 2 }), []);
 * ```
 */
export function draftSizes(
  { costs, traces, records }: DraftRows,
  options: DraftSizesOptions,
): DraftSize[] {
  const { target, threads, exact = false, temperature = 0, longestPrompt = 512 } = options;
  const isOfTarget = (row: { model: string; temperature: number; promptTokens: number }) =>
    row.model === target.model && row.temperature === temperature &&
    row.promptTokens <= longestPrompt;
  const drafts = draftsOnRecord(
    traces.filter((trace) => isOfTarget(trace) && trace.tokens.includes(" ")), // one token has no speed
    costs.filter((row) => row.threads === threads && row.exact === exact),
  );
  const cells = summarise({
    ...records,
    runs: records.runs.filter((run) =>
      isOfTarget(run) && run.threads === threads && run.exact === exact
    ),
  });
  return drafts.map((draft) => sizeUp(draft, cells, options)).sort((a, b) =>
    bitsOf(b) - bitsOf(a) || a.ratio - b.ratio || (a.name < b.name ? -1 : 1)
  );
}

function bitsOf({ precision }: DraftSize): number {
  return Number(precision.replace(/\D/g, ""));
}

function sizeUp(
  draft: DraftOnRecord,
  cells: readonly CellSummary[],
  options: DraftSizesOptions,
): DraftSize {
  const { draftLengths = DRAFT_LENGTHS, seed = 1 } = options;
  const { precision, traces, costs, prefill, trimmed } = draft;
  const context = Math.round(median(traces.map(({ promptTokens }) => promptTokens)));
  const counts = traces.map((traced) => ({ task: traced.task, ...countsOf(traced) }));
  const lengths = predictLengths(traces, costs, draftLengths, { context, seed })
    .map((length) => ({ ...length, measured: measuredOf(draft, length.draftLength, cells) }));
  const longest = Math.max(...draftLengths);
  return {
    precision,
    ...identify(draft, options),
    context,
    c: relativeCost(costs, context),
    alpha: poolAcceptance(counts),
    tasks: new Map(
      [...Map.groupBy(counts, ({ task }) => task)].flatMap(([task, own]) => {
        const pooled = poolAcceptance(own);
        return pooled ? [[task, pooled] as const] : [];
      }),
    ),
    places: acceptanceByPlace(traces.flatMap((traced) => tracedRounds(traced, longest))),
    lengths,
    best: lengths.reduce((a, b) => b.predicted.estimate > a.predicted.estimate ? b : a),
    extraBytes: extraBytes(draft, context, options),
    firstToken: prefill && prefill(context),
    split: trimmed && splitDrafting({
      whole: costs.draft!,
      vocabulary: options.target.architecture.vocabularySize,
      trimmed: trimmed.layer,
      scored: trimmed.scored,
    }, context),
  };
}

/** A prompt's counts at the usual K. */
function countsOf(traced: PromptTrace): PromptCounts {
  const rounds = tracedRounds(traced, USUAL_LENGTH);
  const sum = (name: "tested" | "accepted") =>
    rounds.reduce((total, round) => total + round[name], 0);
  return { prompt: traced.prompt, tested: sum("tested"), accepted: sum("accepted") };
}

/** S of the largest cell with that draft and K. */
function measuredOf(
  { precision, draft, draftModel, draftPrecision }: DraftOnRecord,
  draftLength: number,
  cells: readonly CellSummary[],
): Interval | null {
  const idOf = (model: string | null) => model && draftId(model);
  const own = cells.filter((cell) =>
    cell.precision === precision && cell.draft === draft &&
    idOf(cell.draftModel) === idOf(draftModel) &&
    cell.draftPrecision === draftPrecision && cell.policy === fixed(draftLength).name
  );
  return own.sort((a, b) => b.pairs - a.pairs)[0]?.speedup ?? null;
}

function identify(
  { draft, draftModel, draftPrecision }: TracedDraft,
  { target, manifest }: DraftSizesOptions,
): Pick<DraftSize, "name" | "kind" | "parameters" | "ratio"> {
  const named = draftName({ draft, draftModel, draftPrecision, model: target.model });
  if (draft !== "model") return { name: named, kind: "table", parameters: 0, ratio: 0 };
  const whole = parameterCount(target.architecture);
  if (draftModel === target.model) {
    return { name: named, kind: "own", parameters: whole, ratio: 1 };
  }
  const parameters = draftParameters(draftEntryOf(manifest, draftModel!));
  const name = draftId(draftModel!).replace(/^draft-/, "");
  return { name, kind: "trained", parameters, ratio: parameters / whole };
}

/** What a pass over one token reads, but for matrices that the target holds anyway. */
function extraBytes(
  { draft, draftModel, draftPrecision }: TracedDraft,
  context: number,
  { target, manifest }: DraftSizesOptions,
): DraftSize["extraBytes"] {
  if (draft !== "model") return { weights: 0, keyValues: 0 };
  const entry = draftModel === target.model ? null : draftEntryOf(manifest, draftModel!);
  const weights = draftPrecision as Precision;
  const { layers, head, attention } = passWork(
    entry ? draftNetwork(entry) : target.architecture,
    { width: 1, context, batch: 1 },
    { weights, head: weights === "int4" ? "int8" : weights, cache: "fp32" },
  );
  const borrows = entry?.role !== undefined && entry.role !== "whole";
  return { weights: layers.bytes + (borrows ? 0 : head.bytes), keyValues: attention.bytes };
}
