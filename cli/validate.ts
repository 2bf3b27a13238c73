/**
 * `deno task sweep validate`: predictions from behaviour and costs, held against measured pairs.
 *
 * @module
 */

import { join } from "node:path";
import { expectedMinutes } from "../lib/analysis/study_time.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import type { CostRecord } from "../lib/study/cost_records.ts";
import { readCosts } from "../lib/study/cost_store.ts";
import { openSweepEnergy } from "../lib/study/energy/sweep_energy.ts";
import { subjectLoader } from "../lib/study/load_subjects.ts";
import { describeMachine, describeOrigin, writeMachine } from "../lib/study/provenance.ts";
import type { Records } from "../lib/study/records.ts";
import { openRecords, readRecords } from "../lib/study/store.ts";
import type { SubjectLoader } from "../lib/study/subject.ts";
import { sweep } from "../lib/study/sweep.ts";
import { readTraces } from "../lib/study/trace_store.ts";
import {
  nextValidation,
  planValidation,
  VALIDATION,
  VALIDATION_LEVELS,
  validationCells,
  type ValidationDesign,
} from "../lib/study/validation_plan.ts";
import { type Prompt, TASKS } from "../lib/study/workload.ts";
import { requireInteger } from "../lib/validate.ts";
import { parseArguments } from "./arguments.ts";
import { LOADING } from "./flags.ts";
import { contextsOf, draftsOf, precisionsOf } from "./lists.ts";
import { progress } from "./progress.ts";
import { promptsByContext } from "./prompts.ts";
import { report } from "./report.ts";
import { describeValidation } from "./validation_table.ts";

const ROOT = new URL("../", import.meta.url);
const COMMAND = "deno task sweep validate";

/** Prompts of each long context: each is read anew in every precision, which takes its time. */
const LONG_PROMPTS = 2;
/** Tokens of the workload's own prompts, about. */
const SHORT_CONTEXT = 64;

const SPECIFICATION = {
  command: COMMAND,
  summary: "Runs pairs over all factors at once, and compares them with what traces and costs " +
    "predict. Run it three times: each is a process of its own.",
  flags: {
    model: LOADING.model,
    drafts: {
      type: "string",
      description:
        "prompt-lookup, ngram or models as id@precision, with commas; by default both tables " +
        "and the target's own int4 weights",
    },
    precisions: { type: "string", description: "the target's, with commas; by default all three" },
    contexts: {
      type: "string",
      default: "1024,4096",
      description: "tokens of long prompts beside short ones, with commas, or none",
    },
    prompts: {
      type: "string",
      default: new URL("data/prompts/evaluation.json", ROOT).pathname,
      description: "the workload; the first prompt of each task is taken",
    },
    maxTokens: {
      type: "number",
      default: VALIDATION_LEVELS.maxTokens,
      description: "most tokens a run emits",
    },
    exact: LOADING.exact,
    threads: LOADING.threads,
    process: {
      type: "number",
      description: "the replicate to run; else the first that is not complete",
    },
    cells: {
      type: "number",
      description: "most cells, spread evenly over all factors; by default all",
    },
    plan: { type: "boolean", description: "run nothing; say what there is to run, and how long" },
    report: { type: "boolean", description: "run nothing; compare what is on record" },
    records: { type: "string", default: "data/records", description: "folder of records" },
    traces: { type: "string", default: "data/traces", description: "folder of traces" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];

/** Runs the command with the arguments after `validate`. */
export async function validate(args: readonly string[]): Promise<void> {
  const { flags } = parseArguments(SPECIFICATION, args);
  await report(async (signal) => {
    const { id } = await describeMachine();
    const folder = join(flags.records, id);
    if (flags.plan) return console.log(await describePlan(flags, await readCosts(folder), signal));
    // What is compared with comes first: without it, measuring would be in vain.
    const [traces, costs] = [await readTraces(flags.traces), await readCosts(folder)];
    const left = flags.report ? 0 : await measure(flags, folder, signal);
    const records = selectRecords(await readRecords(folder), flags);
    console.log(describeValidation(records, traces, costs));
    console.log(`Records: ${join(folder, "runs.csv")}, rounds.csv`);
    if (left > 0) {
      console.log(`Interrupted with ${left} pairs left: the same command goes on from here.`);
      Deno.exitCode = 130;
    }
  });
}

/** What a process of the design holds, and how long it takes at the costs on record. */
async function describePlan(
  flags: Flags,
  costs: readonly CostRecord[],
  signal: AbortSignal,
): Promise<string> {
  using runtime = new Runtime({ threads: flags.threads });
  const design = await designOf(flags, subjectLoader(runtime, { signal }));
  const levels = [SHORT_CONTEXT, ...contextsOf("validate", flags.contexts)];
  const contextOf = (prompt: Prompt) =>
    levels[design.prompts.findIndex((prompts) => prompts.includes(prompt))]!;
  const cells = Map.groupBy(validationCells(design, flags), (cell) => cell.condition.precision);
  const lines = planValidation(design, { ...flags, process: flags.process ?? 1 }).map((stage) => {
    const pairs = stage.blocks.flatMap((block) => block.pairs).length;
    const minutes = expectedMinutes(stage, costs, contextOf)?.toFixed(1) ?? "unknown";
    const count = cells.get(stage.precision)?.length ?? 0;
    return `${stage.precision}: ${count} cells, ${pairs} pairs, about ${minutes} minutes`;
  });
  return lines.join("\n");
}

/** Runs one process of the design. Returns how many of its pairs are left. */
async function measure(flags: Flags, folder: string, signal: AbortSignal): Promise<number> {
  const { threads, exact } = flags;
  requireInteger("validate", "threads", threads, 1);
  requireInteger("validate", "maxTokens", flags.maxTokens, 2);
  if (flags.process !== undefined) requireInteger("validate", "process", flags.process, 1);
  const origin = await describeOrigin(ROOT.pathname);
  await using store = await openRecords(folder);
  await writeMachine(folder, origin.machine);
  if (store.repaired > 0) console.error(`Dropped ${store.repaired} rows that were half-written.`);
  const bar = progress("Validation");
  await using energy = await openSweepEnergy();
  using runtime = new Runtime({ threads });
  let share = 0;
  const load = subjectLoader(runtime, { signal, onNote: (note) => bar.update(share, 1, note) });
  const design = await designOf(flags, load);
  const process = flags.process ?? nextValidation(design, flags, store.runs);
  const { left } = await sweep(planValidation(design, { threads, exact, process }), {
    load,
    store,
    provenance: { study: VALIDATION, ...origin, energy: energy.provenance },
    ...energy.options,
    signal,
    onProgress: (now) => {
      share = now.share;
      bar.update(share, 1, `process ${process}, ${now.done}/${now.total} pairs, ${now.note}`);
    },
  }).finally(() => bar.end());
  return left;
}

async function designOf(
  flags: Flags,
  load: SubjectLoader,
): Promise<ValidationDesign> {
  const { model, threads, exact, maxTokens } = flags;
  const precisions = flags.precisions
    ? precisionsOf(COMMAND, flags.precisions)
    : VALIDATION_LEVELS.precisions;
  const drafts = draftsOf(COMMAND, flags.drafts ?? `prompt-lookup,ngram,${model}@int4`);
  const [workload, ...long] = await promptsByContext(
    flags.prompts,
    contextsOf("validate", flags.contexts),
    () => load(model, { precision: precisions[0]!, threads, exact }),
  );
  const prompts = [firstOfEachTask(workload!), ...long.map((same) => same.slice(0, LONG_PROMPTS))];
  if (flags.cells !== undefined) requireInteger("validate", "cells", flags.cells, 1);
  const limit = flags.cells === undefined ? {} : { cells: flags.cells };
  return { ...VALIDATION_LEVELS, ...limit, model, precisions, drafts, prompts, maxTokens };
}

function firstOfEachTask(prompts: readonly Prompt[]): Prompt[] {
  return TASKS.flatMap((task) => prompts.find((prompt) => prompt.task === task) ?? []);
}

/** The rows that this command's settings made, in any process. */
function selectRecords({ runs, rounds }: Records, flags: Flags): Records {
  const selected = runs.filter((run) =>
    run.study === VALIDATION && run.model === flags.model && run.threads === flags.threads &&
    run.exact === flags.exact
  );
  const pairs = new Set(selected.map((run) => run.pair));
  return { runs: selected, rounds: rounds.filter((round) => pairs.has(round.pair)) };
}
