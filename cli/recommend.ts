/**
 * `deno task recommend`: whether to speculate on this machine, and how.
 *
 * @module
 */

import { join } from "node:path";
import { advise } from "../lib/advice/advise.ts";
import {
  type AdviceEvidence,
  type AdviceWork,
  type DraftName,
  gather,
  hasCosts,
} from "../lib/advice/gather.ts";
import { holdOutAdvice } from "../lib/advice/held_out.ts";
import { measuredAdvice } from "../lib/advice/measured.ts";
import { draftBytes } from "../lib/advice/memory.ts";
import { policyOf } from "../lib/advice/policy.ts";
import type { DraftUse } from "../lib/advice/use.ts";
import { draftName } from "../lib/analysis/table.ts";
import { validate } from "../lib/analysis/validation.ts";
import { architectureOf } from "../lib/models/architecture.ts";
import { cacheDirectory } from "../lib/models/cache.ts";
import { findModel } from "../lib/models/catalog.ts";
import { openGguf } from "../lib/models/gguf.ts";
import type { Precision } from "../lib/models/graph.ts";
import { storedPaths } from "../lib/models/stored.ts";
import { RecordError } from "../lib/study/columns.ts";
import type { CostRecord } from "../lib/study/cost_records.ts";
import { readCosts } from "../lib/study/cost_store.ts";
import { describeOrigin } from "../lib/study/provenance.ts";
import { readRecords } from "../lib/study/store.ts";
import type { TraceRecord } from "../lib/study/trace_records.ts";
import { readTraces } from "../lib/study/trace_store.ts";
import { TASKS } from "../lib/study/workload.ts";
import { requireInteger, requireNumber } from "../lib/validate.ts";
import { describeAdvice, describeHeldOut } from "./advice_text.ts";
import { parseArguments } from "./arguments.ts";
import { LOADING, PRECISIONS } from "./flags.ts";
import { draftsOf } from "./lists.ts";
import { recordOwnTraces } from "./own_traces.ts";
import { measureQuickCosts } from "./quick_costs.ts";
import { report } from "./report.ts";

const ROOT = new URL("../", import.meta.url);
const COMMAND = "deno task recommend";

const SPECIFICATION = {
  command: COMMAND,
  summary: "Says whether speculation pays on this machine for a kind of work: with which draft, " +
    "how far at each context, when to stop, and why.",
  flags: {
    ...LOADING,
    context: { type: "number", description: "tokens of a prompt; by default the median of traces" },
    task: { type: "string", choices: TASKS, description: "kind of task; by default all" },
    batch: { type: "number", default: 1, description: "texts decoded side by side" },
    precision: {
      type: "string",
      choices: PRECISIONS,
      description: "the target's precision; by default the one with the fastest replies",
    },
    temperature: { type: "number", default: 0, description: "0 is greedy" },
    maxTokens: {
      type: "number",
      default: 128,
      description: "tokens of a reply, over which the draft's reading of the prompt is spread",
    },
    latencySlack: {
      type: "number",
      default: 0,
      description: "percent by which replies may be slower than plain ones at the unlucky end of " +
        "the 95 % interval",
    },
    prompts: {
      type: "string",
      description:
        "your own prompts, a line each or as JSON (texts or a workload): traced now, kept nowhere",
    },
    drafts: {
      type: "string",
      description:
        "what to try on --prompts: prompt-lookup, ngram or models as id@precision, with " +
        "commas; by default both tables and the target's own int4 weights",
    },
    minutes: {
      type: "number",
      default: 3,
      description: "time to trace --prompts, and to measure costs where none are on record",
    },
    heldOut: {
      type: "boolean",
      description: "advises from each half of the prompts, and judges that on the other half",
    },
    json: {
      type: "string",
      description: "file to write the policy to that deno task generate --policy obeys",
    },
    records: { type: "string", default: "data/records", description: "folder of records" },
    traces: { type: "string", default: "data/traces", description: "folder of traces" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];

async function recommend(flags: Flags, signal: AbortSignal): Promise<void> {
  const slack = flags.latencySlack / 100;
  requireNumber("advise", "latencySlack", flags.latencySlack, 0, 100);
  requireNumber("advise", "minutes", flags.minutes, 0);
  requireInteger("advise", "threads", flags.threads, 1);
  if (flags.context !== undefined) requireInteger("advise", "context", flags.context, 1);
  const provenance = await describeOrigin(ROOT.pathname);
  const { machine } = provenance;
  const work: AdviceWork = flags;
  const folder = join(flags.records, machine.id);
  const budgetMs = flags.minutes * 60_000;
  const known = await costsIn(folder);
  const traces = flags.prompts === undefined
    ? await readTraces(flags.traces)
    : await recordOwnTraces({
      ...flags,
      file: flags.prompts,
      precisions: precisionsToTry(flags, known),
      drafts: draftsOf(COMMAND, flags.drafts ?? `prompt-lookup,ngram,${flags.model}@int4`),
      budgetMs,
      provenance,
    }, signal);
  const wanted = modelsOf(work, traces);
  const costs = hasCosts(work, known) || flags.minutes === 0
    ? known
    : await measureQuickCosts({ work, ...wanted, folder, budgetMs, provenance }, signal);

  const evidence = gather(work, traces, costs);
  const records = await readRecords(folder).catch(absent);
  const cells = records ? validate(records, traces, costs) : [];
  if (flags.heldOut) {
    const halves = holdOutAdvice(work, evidence, { slack });
    const found = halves.map((half) => measuredAdvice({ work, ...half }, cells));
    console.log(describeHeldOut(halves, { model: work.model, found }));
    return;
  }
  const advice = advise(work, evidence, { slack });
  const { precision, use } = advice;
  console.log(describeAdvice(advice, {
    draftBytes: await draftBytesOf(advice.use, work),
    measured: measuredAdvice({ work, precision, ...use }, cells),
    notes: notesOn(work, traces, evidence),
  }));
  if (flags.json === undefined) return;
  const policy = policyOf(advice, machine.id);
  await Deno.writeTextFile(flags.json, JSON.stringify(policy, null, 2) + "\n");
  console.log(`Policy: deno task generate --policy ${flags.json} "…"`);
}

/** Rows on record; none where there is no such record. */
async function costsIn(folder: string): Promise<readonly CostRecord[]> {
  return await readCosts(folder).catch(absent) ?? [];
}

function absent(error: unknown): null {
  if (error instanceof RecordError && error.message.includes("holds none")) return null;
  throw error;
}

/** Precisions of the target to trace one's own prompts in: those with costs, or all. */
function precisionsToTry({ model, precision }: Flags, costs: readonly CostRecord[]): Precision[] {
  if (precision) return [precision];
  const priced = PRECISIONS.filter((name) =>
    costs.some((row) => row.model === model && row.precision === name)
  );
  return priced.length > 0 ? priced : [...PRECISIONS];
}

/** The target's precisions and the draft models that traces are of. */
function modelsOf({ model, precision }: AdviceWork, traces: readonly TraceRecord[]) {
  const of = traces.filter((trace) => trace.model === model);
  const precisions = PRECISIONS.filter((name) =>
    precision ? name === precision : of.some((trace) => trace.precision === name)
  );
  const drafts = new Map(
    of.flatMap(({ draftModel, draftPrecision }) =>
      draftModel === null ? [] : [[`${draftModel} ${draftPrecision}`, {
        model: draftModel,
        precision: draftPrecision as Precision,
      }]]
    ),
  );
  return { precisions, drafts: [...drafts.values()] };
}

/** What of the data is not as it should be: disturbed costs, drafts that were traced but not weighed. */
function notesOn(
  { model, temperature }: AdviceWork,
  traces: readonly TraceRecord[],
  evidence: readonly AdviceEvidence[],
): string[] {
  const namesOf = (drafts: readonly DraftName[]) =>
    drafts.map((one) => draftName({ ...one, model }));
  const weighed = new Set(evidence.flatMap(({ drafts }) => namesOf(drafts)));
  const like = traces.filter((trace) => trace.model === model && trace.temperature === temperature);
  const left = [...new Set(namesOf(like))].filter((name) => !weighed.has(name));
  const notes: string[] = [];
  if (evidence.some(({ disturbed }) => disturbed)) {
    notes.push("other work disturbed the costs, so S is a rough guess: measure them in quiet");
  }
  if (left.length > 0) notes.push(`left out, as costs or traces are too few: ${left.join(", ")}`);
  return notes;
}

/** What the draft takes, where its file is at hand. */
async function draftBytesOf({ draft }: DraftUse, { batch, context = 0, maxTokens }: AdviceWork) {
  if (draft.draft !== "model") return 0;
  const entry = findModel(draft.draftModel!);
  const path = typeof entry === "string" ? entry : storedPaths(entry, cacheDirectory()).file;
  try {
    using gguf = await openGguf(path);
    const place = { context: context + maxTokens, batch };
    return draftBytes(architectureOf(gguf), draft.draftPrecision as Precision, place);
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const { flags } = parseArguments(SPECIFICATION, Deno.args);
  await report((signal) => recommend(flags, signal));
}
