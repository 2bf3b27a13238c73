/** A machine in the head, measured in all three layers: passes take planted times, and no more. */

import { type LanguageModel, type Precision, stream, tableModel } from "@specbound/specbound";
import type { CostRecord } from "../../lib/study/cost_records.ts";
import { behaviourPreset, planTraces } from "../../lib/study/behaviour_plan.ts";
import { sweepBehaviour } from "../../lib/study/behaviour_sweep.ts";
import { planCosts } from "../../lib/study/cost_plan.ts";
import type { Records, RunRecord } from "../../lib/study/records.ts";
import { readRecords } from "../../lib/study/store.ts";
import { sweep } from "../../lib/study/sweep.ts";
import type { TraceRecord } from "../../lib/study/trace_records.ts";
import { openTraces } from "../../lib/study/trace_store.ts";
import {
  planValidation,
  VALIDATION,
  VALIDATION_LEVELS,
  type ValidationDesign,
} from "../../lib/study/validation_plan.ts";
import { plant, SMALL, smallSweep, temporaryCosts } from "../study/planted_costs.ts";
import { leaning } from "../study/leaning.ts";
import {
  observed,
  PROMPTS,
  PROVENANCE,
  quiet,
  tableSubject,
  temporaryRecords,
} from "../study/tables.ts";

/** Virtual time passes in passes alone. */
const HOST_MS = 0.001;
const PASS_MS = { fp32: 24, int8: 12, int4: 6 };

/** Milliseconds of a pass over `width` tokens. */
function passMs(precision: Precision, width: number): number {
  return PASS_MS[precision] * (1 + 0.2 * (width - 1));
}

/** int4 says a little other things than the rest, so that it drafts for them. */
function tableOf(precision: Precision): LanguageModel {
  const [fine, coarse] = ["fine", "coarse"].map((seed) =>
    tableModel({ vocabularySize: 256, seed, order: 1, spread: 8 })
  );
  return precision === "int4" ? leaning(fine!, coarse!, 0.15) : fine!;
}

export const DESIGN: ValidationDesign = {
  ...VALIDATION_LEVELS,
  model: "table",
  precisions: ["fp32", "int8", "int4"],
  drafts: [
    { draft: "prompt-lookup" },
    { draft: "ngram" },
    { draft: "model", draftModel: "table", draftPrecision: "int4" },
  ],
  prompts: [PROMPTS.slice(0, 8)],
  maxTokens: 40,
};

/** Validation pairs in virtual time, each pass off by noise. */
export async function plantedRecords(
  { processes = 3, noise = 0 }: { readonly processes?: number; readonly noise?: number } = {},
): Promise<Records> {
  const random = stream(1, "noise");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let now = 0;
  await using store = await temporaryRecords();
  for (let process = 1; process <= processes; process++) {
    await sweep(planValidation(DESIGN, { process, threads: 1 }), {
      clock: () => now,
      meter: quiet,
      store,
      provenance: { ...PROVENANCE, study: VALIDATION },
      load: (id, { precision }) => {
        const model = observed(tableOf(precision), ({ length }) => {
          now += passMs(precision, length) * Math.exp(noise * normal());
        });
        return Promise.resolve(tableSubject(id, precision, model));
      },
    });
  }
  return await readRecords(store.folder);
}

/** Traces of the same prompts. */
export async function plantedTraces(
  options: { readonly seeds?: readonly number[] } = {},
): Promise<TraceRecord[]> {
  const folder = await Deno.makeTempDir();
  const preset = {
    ...behaviourPreset("study"),
    precisions: DESIGN.precisions,
    maxTokens: 48,
    longest: 8,
    ...options,
  };
  const drafts = DESIGN.drafts.filter((draft) => draft.draft !== "replay");
  const traces: TraceRecord[] = [];
  {
    await using store = await openTraces(folder);
    await sweepBehaviour(planTraces(preset, DESIGN.prompts.flat(), { model: "table", drafts }), {
      load: (id, { precision }) => Promise.resolve(tableSubject(id, precision, tableOf(precision))),
      store,
      provenance: PROVENANCE,
      threads: 1,
    });
    traces.push(...store.traces);
  }
  await Deno.remove(folder, { recursive: true });
  return traces;
}

/** Costs of the same passes. */
export async function plantedCosts(): Promise<CostRecord[]> {
  let now = 0;
  const preset = {
    ...SMALL,
    precisions: DESIGN.precisions,
    widths: [1, 2, 3, 5, 9],
    contexts: [16, 4096],
    prefillContexts: [],
    host: { widths: [1, 9], context: 16 },
  };
  await using store = await temporaryCosts();
  await smallSweep(
    store,
    {
      clock: () => now += 50,
      load: (id, options) =>
        plant({
          ms: ({ kind, width }) => kind === "host" ? HOST_MS : passMs(options.precision, width),
          noise: 0.001,
          drift: 0,
        }).load(id, options),
    },
    {},
    planCosts(preset, { model: "table", drafts: [], threads: 1, process: 1 }),
  );
  return [...store.costs];
}

/** The same records, one arm of some runs slower by a factor. */
export function slowed(
  { runs, rounds }: Records,
  factor: number,
  slow: (row: Pick<RunRecord, "arm" | "pair">) => boolean,
): Records {
  const times = ["draftMs", "verifyMs", "sampleMs", "hostMs"] as const;
  const stretch = <Row extends object>(row: Row, names: readonly (keyof Row)[]): Row => ({
    ...row,
    ...Object.fromEntries(names.map((name) => [name, Number(row[name]) * factor])),
  });
  return {
    runs: runs.map((run) => slow(run) ? stretch(run, [...times, "firstTokenMs", "decodeMs"]) : run),
    rounds: rounds.map((round) => slow(round) ? stretch(round, times) : round),
  };
}
