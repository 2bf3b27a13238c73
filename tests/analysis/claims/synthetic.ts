/** Evidence in which the truth is known: planted speed-ups, costs and acceptances. */

import type { Evidence, MachineEvidence } from "../../../lib/analysis/evidence.ts";
import type { CostRecord } from "../../../lib/study/cost_records.ts";
import type { RoundRecord, RunRecord } from "../../../lib/study/records.ts";
import type { ChosenDraft } from "../../../lib/study/trace.ts";
import { packTrace, type TraceRecord } from "../../../lib/study/trace_records.ts";

/** A target of 134,515,008 parameters. */
export const TARGET = "smollm2-135m-instruct";

export function evidenceOf(parts: Partial<Evidence> = {}): Evidence {
  return { machines: [], traces: [], manifest: { drafts: {} }, parts: [], ...parts };
}

export function machineOf(
  parts: Partial<Omit<MachineEvidence, "machine">>,
  id = "machine",
): MachineEvidence {
  const machine = { id, cpu: "cpu", cores: 2 } as MachineEvidence["machine"];
  return { machine, records: { runs: [], rounds: [] }, costs: [], benches: [], ...parts };
}

export interface PlantedCosts {
  /** Milliseconds of a pass. */
  readonly ms: (width: number, context: number, batch: number) => number;
  readonly model?: string;
  readonly precision?: string;
  readonly machine?: string;
  readonly widths?: readonly number[];
  readonly contexts?: readonly number[];
  readonly batches?: readonly number[];
}

/** A cost layer that knows its times to 1 %. */
export function costsOf(planted: PlantedCosts): CostRecord[] {
  const { ms, model = TARGET, precision = "int8", machine = "machine" } = planted;
  const { widths = [1, 2, 3, 5, 6, 7, 9, 17], contexts = [64, 1024, 4096, 8160], batches = [1] } =
    planted;
  const shared = {
    ...{ machine, model, modelHash: "hash", precision, headPrecision: precision, threads: 2 },
    ...{ exact: false, status: "ok", visits: 5, disturbed: false, attention: "grouped" },
    startedAt: "2026-11-24T00:00:00Z",
  };
  const row = (kind: string, width: number, context: number, batch: number, ms: number) => ({
    ...shared,
    ...{ kind, width, context, batch, ms, lowMs: ms / 1.01, highMs: ms * 1.01 },
    cell: [machine, model, precision, kind, width, context, batch].join(" "),
  } as CostRecord);
  return batches.flatMap((batch) => [
    ...contexts.flatMap((context) =>
      widths.map((width) => row("pass", width, context, batch, ms(width, context, batch)))
    ),
    ...[1, 17].map((width) => row("host", width, 64, batch, 0.001)),
  ]);
}

/** Costs of a draft, which is never timed at widths that check. */
export function draftCosts(ms: number, model: string): CostRecord[] {
  return costsOf({ ms: () => ms, model, widths: [1, 2] });
}

export interface PlantedPairs {
  /** S of each prompt. */
  readonly speedups: readonly number[];
  readonly alpha?: number;
  readonly precision?: string;
  readonly draft?: "prompt-lookup" | "replay";
  readonly draftLength?: number;
  readonly context?: number;
  readonly study?: string;
  readonly exact?: boolean;
  /** How many of the texts differ from plain decoding's. */
  readonly differing?: number;
}

/** Pairs of one cell, a prompt each. */
export function pairsOf(planted: PlantedPairs): Pick<MachineEvidence, "records"> {
  const { speedups, alpha = 0.5, precision = "int8", draft = "prompt-lookup", draftLength = 4 } =
    planted;
  const { context = 64, study = "planted", exact = false, differing = 0 } = planted;
  const runs: RunRecord[] = [];
  const rounds: RoundRecord[] = [];
  for (const [i, speedup] of speedups.entries()) {
    const pair = [precision, draft, draftLength, alpha, context, exact, i].join("-");
    for (const arm of ["plain", "speculative"] as const) {
      const speculative = arm === "speculative";
      const decodeMs = speculative ? 400 / speedup : 400;
      const counts = speculative
        ? { drafted: 1000, tested: 1000, accepted: 1000 * alpha, emitted: 40 }
        : { drafted: 0, tested: 0, accepted: 0, emitted: 40 };
      const times = { draftMs: 0, verifyMs: decodeMs, sampleMs: 0, hostMs: 0 };
      runs.push({
        ...{
          pair,
          arm,
          study,
          machine: "machine",
          model: TARGET,
          precision,
          exact,
          threads: 2,
          context,
        },
        ...{ draft: speculative ? draft : "none", draftModel: null, draftPrecision: null },
        ...{ draftLength: speculative ? draftLength : 0, policy: "" },
        ...{ maxTokens: 40, temperature: 0, topK: 0, topP: 1, prompt: `p${i}`, process: 1 },
        ...{ status: "ok", rounds: 1, ...counts, ...times, decodeMs, disturbed: false },
        ...{ prefillMs: 1, draftPrefillMs: 0, firstTokenMs: 1, cpuSeconds: decodeMs / 1000 },
        ...{ weightBytes: 100, keyValueBytes: 10, energyJoules: null },
        acceptance: speculative && draft === "replay" ? alpha : null,
        equalsPlain: speculative ? i >= differing : null,
      } as unknown as RunRecord);
      rounds.push({ pair, arm, round: 0, ...counts, ...times } as RoundRecord);
    }
  }
  return { records: { runs, rounds } };
}

export interface PlantedTraces {
  /** What would be drafted at each position of a text. */
  readonly at: (position: number, prompt: number) => ChosenDraft;
  readonly prompts?: number;
  readonly task?: string;
  readonly temperature?: number;
  readonly draftModel?: string;
  readonly tokens?: number;
}

/** Traces of one draft, a prompt each. */
export function tracesOf(planted: PlantedTraces): TraceRecord[] {
  const { at, prompts = 6, task = "code", temperature = 0, draftModel, tokens = 64 } = planted;
  return Array.from({ length: prompts }, (_, prompt) => {
    const packed = packTrace({
      ...{ choice: "chosen", tokens: Array(tokens).fill(7), stop: "length", maxTokens: tokens },
      longest: 16,
      drafts: Array.from({ length: tokens }, (_, position) => at(position, prompt)),
    });
    return {
      ...packed,
      ...{ key: [task, prompt, temperature, draftModel].join(), recordedAt: "2026-11-24" },
      ...{ machine: "machine", model: TARGET, modelHash: "hash", precision: "int8", threads: 2 },
      ...{ exact: false, draft: draftModel ? "model" : "prompt-lookup", temperature, task },
      ...{ draftModel: draftModel ?? null, draftPrecision: draftModel ? "int8" : null },
      ...{ prompt: `${task}-${prompt}`, promptTokens: 100 },
    } as unknown as TraceRecord;
  });
}

/** A draft that is right at every position but some. */
export function rightBut(wrong: (position: number) => boolean): PlantedTraces["at"] {
  return (position) => {
    let right = 0;
    while (right < 16 && !wrong(position + right)) right++;
    return { offered: 16, right, confidences: [] };
  };
}
