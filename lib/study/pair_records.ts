/**
 * From what a pair measured to its rows.
 *
 * @module
 */

import type { Round } from "../decoding/round.ts";
import { fixed } from "../decoding/policies/fixed.ts";
import type { TokenId } from "../models/token.ts";
import { isDisturbed } from "./meters.ts";
import type { PlannedPair } from "./plan.ts";
import type { PreparedPrompt } from "./prepared.ts";
import type { Origin } from "./provenance.ts";
import { roundMs, type RoundRecord, type RunRecord, SCHEMA } from "./records.ts";
import { findDraft, type PairResult, type Run } from "./runner.ts";
import type { PairRecords } from "./store.ts";
import { promptHash } from "./workload.ts";

/** What all rows of a study's sweep have in common. */
export interface Provenance extends Origin {
  /** Name of the preset. */
  readonly study: string;
  /** What counts energy, and the power at rest by it. Default: nothing does. */
  readonly energy?: { readonly meter: string; readonly idleWatts: number | null };
}

/**
 * The rows of a pair. A failed run's figures are null, and so is everything that compares with it.
 *
 * @param planned The pair as planned.
 * @param prepared Its prompt.
 * @param result What came of it.
 * @param provenance Machine, code, versions.
 * @returns Two runs in the order they ran, and their rounds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeOrigin, preparePrompt, tableModel } from "@specbound/specbound";
 * const target = {
 *   model: tableModel({ vocabularySize: 9, seed: 1 }), id: "table", hash: null, precision: "fp32",
 *   headPrecision: null, differingWidths: null, attention: null, provider: "table", endOfText: new Set<number>(),
 *   encode: () => [1, 2, 3], [Symbol.asyncDispose]: () => Promise.resolve(),
 * } as const;
 * const prompt = { id: "a", task: "story", domain: "", determinism: "low", text: "Go." } as const;
 * const condition = {
 *   model: "table", precision: "fp32", exact: false, threads: 1, draftLength: 4, maxTokens: 5,
 *   draft: { draft: "prompt-lookup" }, temperature: 0, topK: 0, topP: 1, seed: 1,
 * } as const;
 * const planned = { pair: "p", key: "k", process: 1, repeat: 0, condition, first: "plain", weight: 1 } as const;
 * await using prepared = await preparePrompt(prompt, target, [], { maxTokens: 5 });
 * const failed = { startedAt: new Date(), result: new Error("out of memory") };
 * const runs = [{ arm: "plain", ...failed }, { arm: "speculative", ...failed }] as const;
 * const provenance = { study: "none", ...await describeOrigin(".") };
 * const rows = pairRecords(planned, prepared, { runs, otherLoad: 0, attempts: 1 }, provenance);
 * assertEquals(rows.runs[0].status, "failed");
 * ```
 */
export function pairRecords(
  planned: PlannedPair,
  prepared: PreparedPrompt,
  result: PairResult,
  provenance: Provenance,
): PairRecords {
  const plain = tokensOf(result.runs.find((run) => run.arm === "plain")!);
  const load = { otherLoad: result.otherLoad, disturbed: isDisturbed(result.otherLoad) };
  const [first, second] = result.runs.map((run, order): RunRecord => {
    const speculative = run.arm === "speculative";
    const compared = speculative && planned.condition.temperature === 0;
    return {
      ...provenanceColumns(provenance, prepared, run),
      ...conditionColumns(planned, prepared),
      ...(speculative ? draftColumns(planned, prepared) : NO_DRAFT),
      arm: run.arm,
      order,
      attempts: result.attempts,
      ...figures(run, planned, prepared),
      ...load,
      equalsPlain: compared ? equalTokens(plain, tokensOf(run)) : null,
    };
  });
  const rounds = result.runs.flatMap((run) => roundRecords(planned.pair, run));
  return { runs: [first!, second!], rounds };
}

function provenanceColumns(
  { study, machine, code, versions, energy }: Provenance,
  { target }: PreparedPrompt,
  { startedAt }: Run,
) {
  const { provider } = target.subject;
  return {
    schema: SCHEMA,
    study,
    startedAt: startedAt.toISOString(),
    machine: machine.id,
    cpu: machine.cpu,
    provider,
    ...code,
    ...versions,
    onnxruntime: provider === "table" ? null : versions.onnxruntime,
    energyMeter: energy?.meter ?? "no meter: none was asked for",
    idleWatts: energy?.idleWatts ?? null,
  };
}

function conditionColumns(planned: PlannedPair, { prompt, tokens, target }: PreparedPrompt) {
  const { condition: { draft: _draft, draftLength: _draftLength, ...factors } } = planned;
  return {
    key: planned.key,
    pair: planned.pair,
    process: planned.process,
    repeat: planned.repeat,
    ...factors,
    modelHash: target.subject.hash,
    headPrecision: target.subject.headPrecision,
    attention: target.subject.attention,
    differingWidths: target.subject.differingWidths &&
      (target.subject.differingWidths.join(" ") || "none"),
    prompt: prompt.id,
    promptHash: promptHash(prompt),
    task: prompt.task,
    promptTokens: tokens.length,
    context: target.context.length(),
  };
}

const NO_DRAFT = {
  draft: "none",
  draftModel: null,
  draftHash: null,
  draftPrecision: null,
  draftLength: 0,
  policy: "none",
  acceptance: null,
} as const;

function draftColumns(
  { condition: { draft, draftLength } }: PlannedPair,
  prepared: PreparedPrompt,
) {
  return {
    ...NO_DRAFT,
    ...draft,
    draftHash: draft.draft === "model" ? findDraft(prepared, draft).subject.hash : null,
    draftLength,
    policy: fixed(draftLength).name,
  };
}

function draftPrefillMs({ condition: { draft } }: PlannedPair, prepared: PreparedPrompt): number {
  return draft.draft === "model" ? roundMs(findDraft(prepared, draft).prefillMs) : 0;
}

const NO_FIGURES = {
  prefillMs: null,
  draftPrefillMs: null,
  rounds: null,
  drafted: null,
  tested: null,
  accepted: null,
  emitted: null,
  stop: null,
  firstTokenMs: null,
  decodeMs: null,
  draftMs: null,
  verifyMs: null,
  sampleMs: null,
  hostMs: null,
  cpuSeconds: null,
  peakMemoryBytes: null,
  energyJoules: null,
  memoryJoules: null,
  energySeconds: null,
  weightBytes: null,
  keyValueBytes: null,
  bufferBytes: null,
};

function figures({ arm, result }: Run, planned: PlannedPair, prepared: PreparedPrompt) {
  if (result instanceof Error) {
    return { status: "failed", error: `${result.name}: ${result.message}`, ...NO_FIGURES } as const;
  }
  const { rounds } = result;
  const total = (value: (round: Round) => number) => rounds.reduce((sum, r) => sum + value(r), 0);
  return {
    status: "ok",
    error: null,
    rounds: rounds.length,
    drafted: total((round) => round.drafted.length),
    tested: total((round) => round.tested),
    accepted: total((round) => round.accepted),
    emitted: total((round) => round.emitted.length),
    stop: rounds.at(-1)?.stop ?? null,
    prefillMs: roundMs(prepared.target.prefillMs),
    draftPrefillMs: arm === "speculative" ? draftPrefillMs(planned, prepared) : null,
    firstTokenMs: roundMs(result.firstTokenMs),
    decodeMs: roundMs(result.decodeMs),
    draftMs: roundMs(total((round) => round.draftMs)),
    verifyMs: roundMs(total((round) => round.verifyMs)),
    sampleMs: roundMs(total((round) => round.sampleMs)),
    hostMs: roundMs(total((round) => round.hostMs)),
    cpuSeconds: roundMs(result.cpuSeconds),
    peakMemoryBytes: result.peakMemoryBytes,
    energyJoules: result.energy?.joules ?? null,
    memoryJoules: result.energy?.memoryJoules ?? null,
    energySeconds: result.energy?.seconds ?? null,
    weightBytes: result.memory?.weightBytes ?? null,
    keyValueBytes: result.memory?.keyValueBytes ?? null,
    bufferBytes: result.memory?.bufferBytes ?? null,
  } as const;
}

function roundRecords(pair: string, { arm, result }: Run): RoundRecord[] {
  if (result instanceof Error) return [];
  return result.rounds.map((round, index) => ({
    schema: SCHEMA,
    pair,
    arm,
    round: index,
    drafted: round.drafted.length,
    tested: round.tested,
    accepted: round.accepted,
    emitted: round.emitted.length,
    draftMs: roundMs(round.draftMs),
    verifyMs: roundMs(round.verifyMs),
    sampleMs: roundMs(round.sampleMs),
    hostMs: roundMs(round.hostMs),
  }));
}

function tokensOf({ result }: Run): readonly TokenId[] | null {
  return result instanceof Error ? null : result.rounds.flatMap((round) => round.emitted);
}

function equalTokens(
  a: readonly TokenId[] | null,
  b: readonly TokenId[] | null,
): boolean | null {
  if (!a || !b) return null;
  return a.length === b.length && a.every((token, i) => token === b[i]);
}
