/**
 * `deno task sweep`: measures, on this machine, where speculation pays.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { selectPairs } from "../lib/analysis/pairs.ts";
import { summarise } from "../lib/analysis/summary.ts";
import { formatTable } from "../lib/analysis/table.ts";
import { renderPng } from "../lib/figures/render.ts";
import { speedupByAcceptance } from "../lib/figures/speedup_by_acceptance.ts";
import { speedupByContext } from "../lib/figures/speedup_by_context.ts";
import { catalog } from "../lib/models/catalog.ts";
import { answerContext } from "../lib/notebook/answers.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import { openSweepEnergy } from "../lib/study/energy/sweep_energy.ts";
import { subjectLoader } from "../lib/study/load_subjects.ts";
import { plan } from "../lib/study/plan.ts";
import { presetPrompts } from "../lib/study/preset_prompts.ts";
import { CONTEXT_STUDY, preset, PRESETS } from "../lib/study/presets.ts";
import { describeOrigin, writeMachine } from "../lib/study/provenance.ts";
import type { Records } from "../lib/study/records.ts";
import { openRecords, readRecords } from "../lib/study/store.ts";
import { nextProcess } from "../lib/study/resume.ts";
import { parseShard } from "../lib/study/shard.ts";
import { sweep } from "../lib/study/sweep.ts";
import { requireInteger } from "../lib/validate.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { behaviour } from "./behaviour.ts";
import { costs } from "./costs.ts";
import { merge } from "./merge.ts";
import { progress } from "./progress.ts";
import { report } from "./report.ts";
import { study } from "./study.ts";
import { validate } from "./validate.ts";

const ROOT = new URL("../", import.meta.url);

const specification = {
  command: "deno task sweep",
  summary: "Measures where speculation pays on this machine, and resumes what was interrupted. " +
    "(What passes of any shape take alone: deno task sweep costs --help. What drafts are worth on " +
    "any machine: deno task sweep behaviour --help. Both, held against measured pairs: deno task " +
    "sweep validate --help. The records of shards in one folder: deno task sweep merge --help.)",
  flags: {
    preset: {
      type: "string",
      choices: [...PRESETS, "study"],
      default: "quick",
      description: "quick: pairs at set acceptances, minutes; context: the same from 50 to 7,680 " +
        "tokens of context, ten minutes; study: costs, behaviour and validation, within an hour; " +
        "tiny: for trials",
    },
    model: {
      type: "string",
      default: catalog[0]!.id,
      description: "a name from `deno task models`, or the path of a .gguf file",
    },
    threads: {
      type: "number",
      default: navigator.hardwareConcurrency,
      description: "threads of a pass",
    },
    exact: { type: "boolean", description: "pad passes so that logits never depend on width" },
    process: {
      type: "number",
      description: "the replicate to run; else the first that is not complete",
    },
    shard: {
      type: "string",
      default: "1/1",
      description: "the part to run: i/n, each into --records of its own; it draws no figure",
    },
    drafts: {
      type: "string",
      description: "of the study: prompt-lookup, ngram or models as id@precision, with commas",
    },
    contexts: {
      type: "string",
      default: "1024,4096",
      description: "of the study: tokens of long prompts beside short ones, with commas, or none",
    },
    records: { type: "string", default: "data/records", description: "folder of records" },
    traces: { type: "string", default: "data/traces", description: "the study's folder of traces" },
    figures: { type: "string", default: "figures", description: "folder of figures" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof specification>>["flags"] & {
  readonly preset: typeof PRESETS[number];
};

if (import.meta.main) {
  if (Deno.args[0] === "costs") await costs(Deno.args.slice(1));
  else if (Deno.args[0] === "merge") await merge(Deno.args.slice(1));
  else if (Deno.args[0] === "behaviour") await behaviour(Deno.args.slice(1));
  else if (Deno.args[0] === "validate") await validate(Deno.args.slice(1));
  else await sweepRuns(Deno.args);
}

async function sweepRuns(args: readonly string[]): Promise<void> {
  const { flags } = parseArguments(specification, args);
  const { preset } = flags;
  if (preset === "study" && flags.shard === "1/1") return await study(flags);
  await report(async (signal) => {
    if (preset === "study") {
      throw new ArgumentError(
        "Cannot shard the study as its layers build on each other: shard deno task sweep costs, or another preset",
      );
    }
    Deno.exitCode = await run({ ...flags, preset }, signal);
  });
}

/** Runs one process of the study, then shows all of them. Returns the exit code. */
async function run(flags: Flags, signal: AbortSignal): Promise<number> {
  requireInteger("sweep", "threads", flags.threads, 1);
  if (flags.process !== undefined) requireInteger("sweep", "process", flags.process, 1);
  const options = { ...flags, shard: parseShard(flags.shard) };
  const study = preset(flags.preset, flags.model);
  const origin = await describeOrigin(ROOT.pathname);
  const folder = join(flags.records, origin.machine.id);
  await using store = await openRecords(folder);
  await writeMachine(folder, origin.machine);
  if (store.repaired > 0) console.error(`Dropped ${store.repaired} rows that were half-written.`);

  const bar = progress(flags.preset);
  await using energy = await openSweepEnergy();
  using runtime = new Runtime({ threads: flags.threads });
  let share = 0;
  const load = subjectLoader(runtime, { signal, onNote: (note) => bar.update(share, 1, note) });
  const { threads, exact } = flags;
  const counting = { threads, exact, precision: study.precisions[0]! };
  const prompts = await presetPrompts(study, () => load(study.model, counting));
  const process = flags.process ?? nextProcess(study, prompts, options, store.runs);
  const outcome = await sweep(plan(study, prompts, { ...options, process }), {
    load,
    store,
    provenance: { study: study.name, ...origin, energy: energy.provenance },
    ...energy.options,
    signal,
    onProgress: (now) => {
      share = now.share;
      bar.update(share, 1, `process ${process}, ${now.done}/${now.total} pairs, ${now.note}`);
    },
  }).finally(() => bar.end());

  const records = selectRecords(await readRecords(folder), flags);
  const cells = summarise(records);
  const isOfContexts = study.name === CONTEXT_STUDY;
  console.log(
    isOfContexts
      ? answerContext(records, { acceptance: 0.7, draftLength: 4 })
      : formatTable(cells, { colour: useColour() }),
  );
  console.log(`Records: ${join(folder, "runs.csv")}, rounds.csv, machine.json`);
  if (outcome.left > 0) {
    console.log(`Interrupted with ${outcome.left} pairs left: the same command goes on from here.`);
    return 130;
  }
  if (options.shard.count > 1) return 0;
  if (cells.some((cell) => cell.pairs > 0)) {
    const [name, draw] = isOfContexts
      ? ["speedup_by_context", speedupByContext] as const
      : ["speedup_by_acceptance", speedupByAcceptance] as const;
    await writeFigure(join(flags.figures, name), draw(records));
  } else console.log("No figure, as no pair counts: sweep again when nothing else is running.");
  return 0;
}

/** The rows that this command's settings made, in any process. */
function selectRecords(records: Records, flags: Flags): Records {
  return selectPairs(
    records,
    (run) =>
      run.study === flags.preset && run.model === flags.model && run.threads === flags.threads &&
      run.exact === flags.exact,
  );
}

async function writeFigure(path: string, svg: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(`${path}.svg`, svg);
  await Deno.writeFile(`${path}.png`, renderPng(svg));
  console.log(`Figure:  ${path}.svg, ${path}.png`);
}

function useColour(): boolean {
  return Deno.stdout.isTerminal() && !Deno.noColor;
}
