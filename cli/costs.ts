/**
 * `deno task sweep costs`: what passes of every shape take on this machine, whatever they read.
 *
 * @module
 */

import { join } from "node:path";
import { loadModel } from "../lib/engine/load.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import {
  COST_PRESETS,
  type CostDraft,
  costPreset,
  type CostStage,
  nextCostProcess,
  planCosts,
} from "../lib/study/cost_plan.ts";
import { openCosts } from "../lib/study/cost_store.ts";
import { sweepCosts } from "../lib/study/cost_sweep.ts";
import { type CostLoader, costTimer } from "../lib/study/cost_timer.ts";
import { describeCode, describeMachine, describeVersions } from "../lib/study/provenance.ts";
import { parseShard } from "../lib/study/shard.ts";
import { requireInteger, requireNumber } from "../lib/validate.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { describeCosts } from "./cost_table.ts";
import { LOADING, PRECISIONS } from "./flags.ts";
import { progress } from "./progress.ts";
import { report } from "./report.ts";

const ROOT = new URL("../", import.meta.url);

const SPECIFICATION = {
  command: "deno task sweep costs",
  summary: "Times passes of every width, context and batch, and resumes what was interrupted.",
  flags: {
    preset: {
      type: "string",
      choices: COST_PRESETS,
      default: "quick",
      description: "the grid: one precision in minutes, or all of it in hours",
    },
    model: { ...LOADING.model, description: "the target: an id, a shape:id, or a .gguf file" },
    drafts: {
      type: "string",
      description: "models that may draft, as id@precision, with commas",
    },
    precisions: { type: "string", description: "the target's, with commas; else the preset's" },
    exact: LOADING.exact,
    threads: {
      type: "string",
      default: String(navigator.hardwareConcurrency),
      description: "threads of a pass, with commas",
    },
    minutes: {
      type: "number",
      description: "when to stop with what was measured; by default 3 for quick, never for study",
    },
    tolerance: {
      type: "number",
      default: 2,
      description: "percent of its time that a cell's interval may reach to either side",
    },
    process: {
      type: "number",
      description: "the replicate to measure; else the first that is not complete",
    },
    shard: {
      type: "string",
      default: "1/1",
      description: "the part to measure: i/n, each into --records of its own",
    },
    records: { type: "string", default: "data/records", description: "folder of records" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];

/** Runs the command with the arguments after `costs`. */
export async function costs(args: readonly string[]): Promise<void> {
  const { flags } = parseArguments(SPECIFICATION, args);
  await report(async (signal) => {
    Deno.exitCode = await run(flags, signal);
  });
}

async function run(flags: Flags, signal: AbortSignal): Promise<number> {
  const grid = costPreset(flags.preset);
  const precisions = flags.precisions?.split(",").map(precisionOf) ?? grid.precisions;
  const preset = { ...grid, precisions };
  const drafts = flags.drafts?.split(",").map(draftOf) ?? [];
  const threadCounts = flags.threads.split(",").map(Number);
  for (const threads of threadCounts) requireInteger("measure costs", "threads", threads, 1);
  const minutes = flags.minutes ?? (flags.preset === "quick" ? 3 : Infinity);
  if (minutes !== Infinity) requireNumber("measure costs", "minutes", minutes, 0);
  if (flags.process !== undefined) requireInteger("measure costs", "process", flags.process, 1);
  const shard = parseShard(flags.shard);

  const machine = await describeMachine();
  const folder = join(flags.records, machine.id);
  await using store = await openCosts(folder);
  await Deno.writeTextFile(join(folder, "machine.json"), JSON.stringify(machine, null, 2) + "\n");
  if (store.repaired) console.error("Dropped a row that was half-written.");
  const code = await describeCode(ROOT.pathname);
  const provenance = { machine, code, versions: describeVersions() };
  const ends = performance.now() + minutes * 60_000;
  let left = 0;
  for (const [index, threads] of threadCounts.entries()) {
    const options = { model: flags.model, drafts, threads, exact: flags.exact, shard };
    const process = flags.process ?? nextCostProcess(preset, options, store.costs);
    const plan = planCosts(preset, { ...options, process });
    const bar = progress(`Costs, ${threads} threads, process ${process}`);
    using runtime = new Runtime({ threads });
    const outcome = await sweepCosts(plan, {
      load: loaderOf(runtime, furthest(plan), signal, (note) => bar.update(0, 1, note)),
      store,
      provenance,
      signal,
      budgetMs: Math.max(0, ends - performance.now()) / (threadCounts.length - index),
      tolerance: flags.tolerance / 100,
      onProgress: ({ done, total, note }) => bar.update(done, total, `${done}/${total}, ${note}`),
    }).finally(() => bar.end());
    left += outcome.left;
    const rows = store.costs.filter((row) => row.threads === threads && row.exact === flags.exact);
    const targets = preset.precisions.map((precision) => ({ model: flags.model, precision }));
    console.log(describeCosts(rows, targets, drafts));
  }
  console.log(`Records: ${join(folder, "costs.csv")}`);
  if (left > 0) console.log(`${left} cells are left: the same command goes on from here.`);
  return signal.aborted ? 130 : 0;
}

function loaderOf(
  runtime: Runtime,
  room: number,
  signal: AbortSignal,
  note: (text: string) => void,
): CostLoader {
  return async (id, { precision, exact }) => {
    const options = { runtime, precision, exact, contextLength: room, signal, onStage: note };
    const model = await loadModel(id, options);
    const { sha256, headPrecision, form } = model.details;
    const { trainedLength, contextLength } = model.architecture;
    return {
      id,
      hash: sha256,
      precision,
      headPrecision,
      attention: form,
      provider: "cpu",
      limit: Math.min(trainedLength, contextLength),
      open: (context, batch) => Promise.resolve(costTimer(model, context, batch)),
      [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    };
  };
}

/** Positions that a plan reaches. */
function furthest(stages: readonly CostStage[]): number {
  const ends = stages.flatMap(({ costs }) => costs.map(({ width, context }) => width + context));
  return Math.max(0, ...ends);
}

function draftOf(text: string): CostDraft {
  const [model, precision, ...rest] = text.split("@");
  if (model && precision && rest.length === 0) return { model, precision: precisionOf(precision) };
  throw new ArgumentError(
    `Cannot run ${SPECIFICATION.command} as a draft must be id@precision: current value is ${text}`,
  );
}

function precisionOf(text: string): typeof PRECISIONS[number] {
  const known = PRECISIONS.find((precision) => precision === text);
  if (known) return known;
  throw new ArgumentError(
    `Cannot run ${SPECIFICATION.command} as a precision must be one of ${
      PRECISIONS.join(", ")
    }: current value is ${text}`,
  );
}
