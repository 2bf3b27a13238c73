/**
 * `deno task bench`: what passes cost here, beside other engines on the same weights.
 *
 * @module
 */

import { join } from "node:path";
import { median } from "../lib/analysis/statistics.ts";
import { autoregress } from "../lib/decoding/autoregressive.ts";
import { replay } from "../lib/decoding/drafters/replay.ts";
import { fixed } from "../lib/decoding/policies/fixed.ts";
import { speculate } from "../lib/decoding/speculative.ts";
import { sayForms } from "../lib/engine/form_rule.ts";
import type { LoadedModel } from "../lib/engine/load.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import { type Bench, readBench, writeBench } from "../lib/study/bench_records.ts";
import { readLines, replaceFile } from "../lib/study/line_file.ts";
import {
  alternatePasses,
  engineTimer,
  type PassTimer,
  type PassTimes,
  type Work,
} from "../lib/study/pass_times.ts";
import { describeOrigin, type Origin, writeMachine } from "../lib/study/provenance.ts";
import { roundMs } from "../lib/study/records.ts";
import { requireInteger } from "../lib/validate.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { benchHead, benchRow } from "./bench_table.ts";
import { LOADING, PRECISIONS } from "./flags.ts";
import { loadWithProgress } from "./load.ts";
import { openPeer, type Peer, type PeerChoice, readPeers } from "./peers/choice.ts";
import { report } from "./report.ts";

const SPECIFICATION = {
  command: "deno task bench",
  summary: "Times passes of each width and context, prefill and plain decoding, alternating with " +
    "other engines if told. A ratio above 1 says that the engine here is faster.",
  flags: {
    ...LOADING,
    precisions: { type: "string", default: PRECISIONS.join(), description: "with commas" },
    headPrecision: {
      type: "string",
      choices: PRECISIONS,
      description: "the output head's precision; else the matrices' own, and int8 beside int4",
    },
    contexts: { type: "string", default: "64,1024,4096", description: "tokens, with commas" },
    widths: { type: "string", default: "1,2,3,4,5,6,8,9,12,16", description: "with commas" },
    prefill: { type: "number", default: 512, description: "tokens of the prompt that is read" },
    decode: { type: "number", default: 32, description: "tokens decoded after each context" },
    repeats: { type: "number", default: 9, description: "counted times of each" },
    peer: {
      type: "string",
      description:
        "with commas: llama.cpp, which npm puts into the cache, or llama.cpp:FOLDER for " +
        "elsewhere; genai:FOLDER, with models built by tools/peers/genai_build.py",
    },
    out: { type: "string", default: "data/records", description: "folder of records" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];
type Precision = typeof PRECISIONS[number];

/** What to time, and beside whom. */
interface Plan {
  readonly precisions: readonly Precision[];
  readonly works: readonly Work[];
  readonly peers: readonly PeerChoice[];
}

async function bench(flags: Flags, signal: AbortSignal): Promise<void> {
  const plan = planOf(flags);
  const origin = await describeOrigin(new URL("../", import.meta.url).pathname);
  const folder = join(flags.out, origin.machine.id);
  await Deno.mkdir(folder, { recursive: true });
  await writeMachine(folder, origin.machine);
  const path = join(folder, "bench.json");
  const { text } = await readLines(path);
  const benches = text ? readBench(text, path) : [];
  using runtime = new Runtime({ threads: flags.threads });
  for (const precision of plan.precisions) {
    const startedAt = new Date().toISOString();
    const found = await benchPrecision(flags, plan, runtime, precision, signal);
    benches.push({ ...origin, startedAt, ...found });
  }
  await replaceFile(path, writeBench(benches));
  console.log(`Saved ${path}`);
}

/** Reads the lists, so that what is wrong with them is said before anything is loaded. */
function planOf(flags: Flags): Plan {
  const { precisions, prefill, decode, repeats, peer } = flags;
  const works: Work[] = [{ kind: "prefill", context: 0, tokens: prefill }];
  for (const context of integers("contexts", flags.contexts, 0)) {
    for (const tokens of integers("widths", flags.widths, 1)) {
      works.push({ kind: "pass", context, tokens });
    }
    works.push({ kind: "decode", context, tokens: decode });
  }
  for (const [name, value] of Object.entries({ prefill, decode, repeats })) {
    requireInteger("bench", name, value, 1);
  }
  const peers = peer === undefined ? [] : readPeers(peer);
  return { precisions: precisions.split(",").map(precisionOf), works, peers };
}

function precisionOf(name: string): Precision {
  const precision = PRECISIONS.find((known) => known === name);
  if (precision) return precision;
  throw new ArgumentError(
    `Cannot bench ${name} as that is no precision: choose from ${PRECISIONS.join(", ")}`,
  );
}

function integers(name: string, list: string, minimum: number): number[] {
  const values = list.split(",").map((value) => value.trim() === "" ? NaN : Number(value));
  for (const value of values) requireInteger("bench", name, value, minimum);
  return values;
}

async function benchPrecision(
  flags: Flags,
  plan: Plan,
  runtime: Runtime,
  precision: Precision,
  signal: AbortSignal,
): Promise<Omit<Bench, keyof Origin | "startedAt">> {
  const { headPrecision, exact, threads } = flags;
  const before = Deno.memoryUsage().rss;
  const options = { runtime, precision, exact, signal, ...(headPrecision && { headPrecision }) };
  // The first load builds and probes; the second is what every later start takes.
  await using _first = await loadWithProgress(flags.model, options);
  await _first[Symbol.asyncDispose]();
  const started = performance.now();
  await using model = await loadWithProgress(flags.model, options);
  const loadMs = performance.now() - started;
  const { details } = model;
  console.log(
    `\n${precision}, head ${details.headPrecision}, attention ${sayForms(details.attention)}`,
  );

  await using own = engineTimer(model, "specbound");
  await using stack = new AsyncDisposableStack();
  const subject = { model: flags.model, precision, threads, signal };
  const peers: Peer[] = [];
  for (const choice of plan.peers) {
    const peer = stack.use(await openPeer(choice, subject));
    if (peer) peers.push(peer);
  }
  for (const { name, weights } of peers) console.log(`${name}: ${weights}`);
  const passes = await timeWorks([own, ...peers], plan.works, flags.repeats, signal);
  const plain = passes.find(isSingle);
  const result = {
    ...{ model: flags.model, exact, threads, precision },
    headPrecision: details.headPrecision,
    attention: sayForms(details.attention),
    loadMs,
    residentBytes: Deno.memoryUsage().rss - before,
    hostShare: await hostMs(model) / median(plain?.milliseconds ?? [NaN]),
    peers: peers.map(({ name, weights }) => ({ name, weights })),
    passes: passes.map((times) => ({ ...times, milliseconds: times.milliseconds.map(roundMs) })),
  };
  console.log(
    `h ${(100 * result.hostShare).toFixed(1)} % · load ${(loadMs / 1000).toFixed(1)} s · ${
      (result.residentBytes / 1e6).toFixed(0)
    } MB`,
  );
  return result;
}

/** Times what the plan holds, and prints a row of each work as soon as all have done it. */
async function timeWorks(
  timers: readonly PassTimer[],
  works: readonly Work[],
  repeats: number,
  signal: AbortSignal,
): Promise<PassTimes[]> {
  console.log(benchHead(timers.map(({ name }) => name)));
  const passes: PassTimes[] = [];
  for await (const times of alternatePasses(timers, works, { repeats, signal })) {
    if (passes.push(times) % timers.length > 0) continue;
    const single = passes.find((pass) => isSingle(pass) && pass.context === times.context);
    console.log(benchRow(passes.slice(-timers.length), single));
  }
  return passes;
}

function isSingle({ kind, tokens }: Work): boolean {
  return kind === "pass" && tokens === 1;
}

/** Milliseconds of a round outside the passes, at K = 4 and an acceptance of 0.7. */
async function hostMs(model: LoadedModel): Promise<number> {
  const prompt = [1, 2, 3];
  const options = { maxTokens: 64, seed: 1 };
  await using context = model.open();
  await using fork = context.fork();
  const plain = await Array.fromAsync(autoregress(fork, prompt, options));
  const continuation = plain.flatMap(({ emitted }) => emitted);
  const { vocabularySize } = model;
  const drafter = replay(prompt.length, continuation, { acceptance: 0.7, seed: 1, vocabularySize });
  const policy = fixed(4);
  const rounds = await Array.fromAsync(speculate(context, drafter, prompt, { ...options, policy }));
  return median(rounds.map(({ draftMs, sampleMs, hostMs }) => draftMs + sampleMs + hostMs));
}

if (import.meta.main) {
  const { flags } = parseArguments(SPECIFICATION, Deno.args);
  await report((signal) => bench(flags, signal));
}
