/** Studies of table models: the whole machinery without weights. */

import { openRecords, type RecordStore } from "../../lib/study/store.ts";
import { plan, type PlanOptions, type Stage } from "../../lib/study/plan.ts";
import { preset } from "../../lib/study/presets.ts";
import type { Provenance } from "../../lib/study/pair_records.ts";
import type { Subject, SubjectLoader } from "../../lib/study/subject.ts";
import { sweep, type SweepOptions, type SweepOutcome } from "../../lib/study/sweep.ts";
import { type Prompt, readWorkload } from "../../lib/study/workload.ts";
import { type Context, type LanguageModel, tableModel, type TokenId } from "@specbound/specbound";

export const PROMPTS: readonly Prompt[] = await readWorkload(
  new URL("../../data/prompts/quick.json", import.meta.url),
);

export const PROVENANCE: Provenance = {
  study: "tiny",
  machine: {
    id: "table-2c",
    os: "linux",
    osRelease: "6.0",
    architecture: "x86_64",
    cpu: "Table, of wood",
    cores: 2,
    memoryBytes: 1e9,
    instructionSets: null,
    gpu: null,
  },
  code: { commit: null, dirty: null },
  versions: { specbound: "0.1.0", deno: "2.9.6", onnxruntime: "1.30.0" },
};

/** Counters of a machine that does nothing else. */
export const quiet = () => ({
  wall: 0,
  own: 0,
  idle: null,
  residentBytes: 1e8,
  peakMemoryBytes: 1e8,
});

/** A subject whose text is bytes and whose model is a table: the same in every precision. */
export const loadTable: SubjectLoader = (id, { precision }) =>
  Promise.resolve(tableSubject(id, precision));

export function tableSubject(
  id: string,
  precision: Subject["precision"],
  model: LanguageModel = tableModel({ vocabularySize: 256, seed: id, order: 1 }),
): Subject {
  return {
    model,
    id,
    hash: null,
    precision,
    headPrecision: null,
    differingWidths: null,
    attention: null,
    provider: "table",
    endOfText: new Set([0]),
    encode: (messages) => [
      ...new TextEncoder().encode(messages.map(({ content }) => content).join("\n")),
    ],
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

/** A model whose passes call `before` with their tokens and context; it may take virtual time or throw. */
export function observed(
  model: LanguageModel,
  before: (tokens: readonly TokenId[], context: number) => void,
): LanguageModel {
  const wrap = (context: Context): Context => ({
    rows: 1,
    length: () => context.length(),
    append: (tokens) => context.append(tokens),
    commit: (evaluation, kept) => context.commit(evaluation, kept),
    truncate: (length) => context.truncate(length),
    fork: () => wrap(context.fork()),
    async evaluate(tokens) {
      before(tokens[0]!, context.length());
      return await context.evaluate(tokens);
    },
    [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
  });
  return { ...model, open: () => wrap(model.open()) };
}

/** A model that tells the bytes of its weights, and of each context. */
export function sized(
  model: LanguageModel,
  weightBytes: number,
  cacheBytes: number,
): LanguageModel {
  const wrap = (context: Context): Context => ({
    ...observed({ ...model, open: () => context }, () => {}).open(),
    cacheBytes,
    fork: () => wrap(context.fork()),
  });
  return { ...model, weightBytes, open: () => wrap(model.open()) };
}

export function tinyPlan(options: Partial<PlanOptions> = {}): Stage[] {
  return plan(preset("tiny", "table"), PROMPTS, { process: 1, threads: 1, ...options });
}

export function tinySweep(
  store: RecordStore,
  options: Partial<SweepOptions> = {},
  stages: readonly Stage[] = tinyPlan(),
): Promise<SweepOutcome> {
  return sweep(stages, {
    load: loadTable,
    store,
    provenance: PROVENANCE,
    meter: quiet,
    ...options,
  });
}

/** Opens records in a folder that is deleted with the store. */
export async function temporaryRecords(): Promise<RecordStore & { readonly folder: string }> {
  const folder = await Deno.makeTempDir();
  const store = await openRecords(folder);
  return {
    folder,
    get runs() {
      return store.runs;
    },
    repaired: store.repaired,
    append: (pair) => store.append(pair),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
