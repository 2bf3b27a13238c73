/**
 * `deno task sweep behaviour`: what the target accepts of each draft, whatever the machine.
 *
 * @module
 */

import { Runtime } from "../lib/onnx/mod.ts";
import { BEHAVIOUR_PRESETS, behaviourPreset, planTraces } from "../lib/study/behaviour_plan.ts";
import { sweepBehaviour } from "../lib/study/behaviour_sweep.ts";
import { LONG_CONTEXTS } from "../lib/study/documents/long_prompts.ts";
import { subjectLoader } from "../lib/study/load_subjects.ts";
import { describeOrigin } from "../lib/study/provenance.ts";
import { openTraces } from "../lib/study/trace_store.ts";
import { requireInteger } from "../lib/validate.ts";
import { parseArguments } from "./arguments.ts";
import { describeBehaviour } from "./behaviour_table.ts";
import { LOADING } from "./flags.ts";
import { contextsOf, draftsOf, integersOf, precisionsOf, temperaturesOf } from "./lists.ts";
import { progress } from "./progress.ts";
import { promptsByContext } from "./prompts.ts";
import { report } from "./report.ts";

const ROOT = new URL("../", import.meta.url);
const COMMAND = "deno task sweep behaviour";

const SPECIFICATION = {
  command: COMMAND,
  summary: "Records which tokens of each draft the target accepts, and resumes what was " +
    "interrupted. Traces hold on every machine.",
  flags: {
    preset: {
      type: "string",
      choices: BEHAVIOUR_PRESETS,
      default: "quick",
      description: "what is crossed with prompts: one precision and two temperatures, or all",
    },
    model: LOADING.model,
    drafts: {
      type: "string",
      description: "prompt-lookup, ngram or models as id@precision, with commas; by default both " +
        "tables and the target's own int4 weights",
    },
    precisions: { type: "string", description: "the target's, with commas; else the preset's" },
    prompts: {
      type: "string",
      default: new URL("data/prompts/evaluation.json", ROOT).pathname,
      description: "the workload",
    },
    take: { type: "number", description: "prompts of the workload, from the first; else all" },
    contexts: {
      type: "string",
      description: "tokens of long prompts beside the workload, with commas, or none; by default " +
        "none for quick, all for study",
    },
    maxTokens: { type: "number", description: "most tokens of a text; else the preset's" },
    temperatures: {
      type: "string",
      description: "of texts, with commas, 0 is greedy; else the preset's",
    },
    seeds: {
      type: "string",
      description: "of sampled texts, with commas: each prompt is continued once with each; else " +
        "the preset's one",
    },
    threads: LOADING.threads,
    traces: { type: "string", default: "data/traces", description: "folder of traces" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];

/** Runs the command with the arguments after `behaviour`. */
export async function behaviour(args: readonly string[]): Promise<void> {
  const { flags } = parseArguments(SPECIFICATION, args);
  await report(async (signal) => {
    Deno.exitCode = await run(flags, signal);
  });
}

async function run(flags: Flags, signal: AbortSignal): Promise<number> {
  const { model, threads, take = Infinity } = flags;
  requireInteger("record traces", "threads", threads, 1);
  if (take !== Infinity) requireInteger("record traces", "take", take, 1);
  const base = behaviourPreset(flags.preset);
  const { maxTokens = base.maxTokens } = flags;
  requireInteger("record traces", "maxTokens", maxTokens, 2);
  const precisions = flags.precisions ? precisionsOf(COMMAND, flags.precisions) : base.precisions;
  const drafts = draftsOf(COMMAND, flags.drafts ?? `prompt-lookup,ngram,${model}@int4`);
  const long = flags.preset === "study" ? LONG_CONTEXTS.join(",") : "none";
  const contexts = contextsOf("record traces", flags.contexts ?? long);

  await using store = await openTraces(flags.traces);
  if (store.repaired > 0) console.error(`Dropped ${store.repaired} rows that were half-written.`);
  const bar = progress("Behaviour");
  using runtime = new Runtime({ threads });
  const load = subjectLoader(runtime, { signal, onNote: (note) => bar.update(0, 1, note) });
  const [workload, ...others] = await promptsByContext(
    flags.prompts,
    contexts,
    () => load(model, { precision: precisions[0]!, threads, exact: true }),
  );
  const prompts = [...workload!.slice(0, take), ...others.flat()];
  const seeds = flags.seeds ? integersOf("record traces", "seeds", flags.seeds) : base.seeds;
  const temperatures = flags.temperatures
    ? temperaturesOf("record traces", flags.temperatures)
    : base.temperatures;
  const preset = { ...base, precisions, maxTokens, temperatures, seeds };
  const stages = planTraces(preset, prompts, { model, drafts });
  const outcome = await sweepBehaviour(stages, {
    load,
    store,
    provenance: await describeOrigin(ROOT.pathname),
    threads,
    signal,
    onProgress: ({ done, total, note }) => bar.update(done, total, `${done}/${total}, ${note}`),
  }).finally(() => bar.end());

  const planned = new Set(
    stages.flatMap(({ blocks }) => blocks.flatMap(({ traces }) => traces.map(({ key }) => key))),
  );
  console.log(describeBehaviour(store.traces.filter(({ key }) => planned.has(key))));
  console.log(`Traces: ${flags.traces}`);
  if (outcome.left > 0) {
    console.log(
      `Interrupted with ${outcome.left} traces left: the same command goes on from here.`,
    );
  }
  return signal.aborted ? 130 : 0;
}
