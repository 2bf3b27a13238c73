/**
 * `deno task sweep costs`: what passes of every shape take on this machine, whatever they read.
 *
 * @module
 */

import { join } from "node:path";
import { Runtime } from "../lib/onnx/mod.ts";
import {
  COST_PRESETS,
  type CostDraft,
  costPreset,
  nextCostProcess,
  planCosts,
} from "../lib/study/cost_plan.ts";
import { openCosts } from "../lib/study/cost_store.ts";
import { sweepCosts } from "../lib/study/cost_sweep.ts";
import { describeOrigin, writeMachine } from "../lib/study/provenance.ts";
import { parseShard } from "../lib/study/shard.ts";
import { requireInteger, requireNumber } from "../lib/validate.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { costLoader } from "./cost_loader.ts";
import { describeCosts } from "./cost_table.ts";
import { LOADING } from "./flags.ts";
import { draftsOf, integersOf, precisionsOf } from "./lists.ts";
import { progress } from "./progress.ts";
import { report } from "./report.ts";

const ROOT = new URL("../", import.meta.url);

const COMMAND = "deno task sweep costs";

const SPECIFICATION = {
  command: COMMAND,
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
      description: "what may draft: models as id@precision, with commas; tables take no passes",
    },
    precisions: { type: "string", description: "the target's, with commas; else the preset's" },
    contexts: { type: "string", description: "tokens before a pass's own; else the preset's" },
    batches: { type: "string", description: "rows, with commas; else the preset's" },
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
  const integers = (name: string, text: string) => integersOf("measure costs", name, text);
  const contexts = flags.contexts ? integers("contexts", flags.contexts) : grid.contexts;
  const preset = {
    ...grid,
    ...flags.precisions && { precisions: precisionsOf(COMMAND, flags.precisions) },
    contexts,
    prefillContexts: grid.prefillContexts.filter((context) => context <= Math.max(...contexts)),
    ...flags.batches && { batches: integers("batches", flags.batches) },
  };
  // Tables take no passes.
  const drafts = (flags.drafts ? draftsOf(COMMAND, flags.drafts) : [])
    .flatMap((draft): CostDraft[] =>
      draft.draft === "model" ? [{ model: draft.draftModel, precision: draft.draftPrecision }] : []
    );
  const threadCounts = integers("threads", flags.threads);
  const minutes = flags.minutes ?? (flags.preset === "quick" ? 3 : Infinity);
  if (minutes !== Infinity) requireNumber("measure costs", "minutes", minutes, 0);
  if (flags.process !== undefined) requireInteger("measure costs", "process", flags.process, 1);
  const shard = parseShard(flags.shard);

  const provenance = await describeOrigin(ROOT.pathname);
  const folder = join(flags.records, provenance.machine.id);
  await using store = await openCosts(folder);
  await writeMachine(folder, provenance.machine);
  if (store.repaired) console.error("Dropped a row that was half-written.");
  const ends = performance.now() + minutes * 60_000;
  let [measured, left] = [0, 0];
  for (const [index, threads] of threadCounts.entries()) {
    const options = { model: flags.model, drafts, threads, exact: flags.exact, shard };
    const process = flags.process ?? nextCostProcess(preset, options, store.costs);
    const plan = planCosts(preset, { ...options, process });
    const bar = progress(`Costs, ${threads} threads, process ${process}`);
    using runtime = new Runtime({ threads });
    const outcome = await sweepCosts(plan, {
      load: costLoader(runtime, plan, signal, (note) => bar.update(0, 1, note)),
      store,
      provenance,
      signal,
      budgetMs: Math.max(0, ends - performance.now()) / (threadCounts.length - index),
      tolerance: flags.tolerance / 100,
      onProgress: ({ done, total, share, note }) =>
        bar.update(share, 1, `${done}/${total} cells, ${note}`),
    }).finally(() => bar.end());
    measured += outcome.measured;
    left += outcome.left;
    const rows = store.costs.filter((row) => row.threads === threads && row.exact === flags.exact);
    const targets = preset.precisions.map((precision) => ({ model: flags.model, precision }));
    console.log(describeCosts(rows, targets, drafts));
  }
  if (measured === 0 && left > 0 && !signal.aborted) {
    throw new ArgumentError(
      `Cannot measure costs as the ${minutes} minutes were over before a pass was timed: raise --minutes`,
    );
  }
  console.log(`Records: ${join(folder, "costs.csv")}`);
  if (left > 0) console.log(`${left} cells are left: the same command goes on from here.`);
  return signal.aborted ? 130 : 0;
}
