/**
 * `deno task bench`: what passes cost here, beside another engine on the same weights.
 *
 * @module
 */

import { join } from "node:path";
import { median } from "../lib/analysis/statistics.ts";
import { autoregress } from "../lib/decoding/autoregressive.ts";
import { replay } from "../lib/decoding/drafters/replay.ts";
import { fixed } from "../lib/decoding/policies/fixed.ts";
import { speculate } from "../lib/decoding/speculative.ts";
import type { LoadedModel } from "../lib/engine/load.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import { alternatePasses, engineTimer, type PassTimes } from "../lib/study/pass_times.ts";
import { describeCode, describeMachine, describeVersions } from "../lib/study/provenance.ts";
import { parseArguments } from "./arguments.ts";
import { loadWithProgress } from "./load.ts";
import { genaiTimer } from "./peer.ts";
import { report } from "./report.ts";

const SPECIFICATION = {
  command: "deno task bench",
  summary:
    "Times forward passes of each width and context, alternating with another engine if told.",
  flags: {
    model: {
      type: "string",
      default: "smollm2-135m-instruct",
      description: "a catalogue id or the path of a .gguf file",
    },
    precisions: { type: "string", default: "fp32,int8,int4", description: "with commas" },
    headPrecision: {
      type: "string",
      choices: ["fp32", "int8", "int4"],
      description: "the output head's precision; else the matrices' own, and int8 beside int4",
    },
    contexts: { type: "string", default: "64,1024,4096", description: "tokens, with commas" },
    widths: { type: "string", default: "1,2,3,4,5,6,8,9,12,16", description: "with commas" },
    repeats: { type: "number", default: 9, description: "timed passes of each kind" },
    exact: { type: "boolean", description: "run passes only at widths that agree to the bit" },
    threads: { type: "number", description: "threads of a pass; by default all processors" },
    peer: {
      type: "string",
      description: "folder of onnxruntime-genai models built by tools/peers/genai_build.py",
    },
    out: { type: "string", default: "data/records", description: "folder of records" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];
type Precision = "fp32" | "int8" | "int4";

/** What was found of one precision. */
interface Bench {
  readonly precision: Precision;
  readonly headPrecision: string;
  readonly attention: string;
  readonly loadMs: number;
  readonly residentBytes: number;
  readonly prefillTokensPerSecond: number;
  /** Host milliseconds of a round at K = 4, as a share of a plain pass. */
  readonly hostShare: number;
  readonly passes: readonly PassTimes[];
}

async function bench(flags: Flags, signal: AbortSignal): Promise<void> {
  const threads = flags.threads ?? navigator.hardwareConcurrency;
  using runtime = new Runtime({ threads });
  const results: Bench[] = [];
  for (const precision of flags.precisions.split(",") as Precision[]) {
    results.push(await benchPrecision(flags, runtime, precision, signal));
  }
  const machine = await describeMachine();
  const folder = join(flags.out, machine.id);
  const code = await describeCode(new URL("../", import.meta.url).pathname);
  const settings = { model: flags.model, exact: flags.exact, threads, startedAt: new Date() };
  const record = { ...settings, machine, code, versions: describeVersions(), results };
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "bench.json"), `${JSON.stringify(record, null, 1)}\n`);
  console.log(`Saved ${join(folder, "bench.json")}`);
}

async function benchPrecision(
  flags: Flags,
  runtime: Runtime,
  precision: Precision,
  signal: AbortSignal,
): Promise<Bench> {
  const { headPrecision, exact, repeats } = flags;
  const before = Deno.memoryUsage().rss;
  const options = { runtime, precision, exact, signal, ...(headPrecision && { headPrecision }) };
  // The first load builds and probes; the second is what every later start takes.
  await using _first = await loadWithProgress(flags.model, options);
  await _first[Symbol.asyncDispose]();
  const started = performance.now();
  await using model = await loadWithProgress(flags.model, options);
  const loadMs = performance.now() - started;
  await using own = engineTimer(model, "specbound");
  await using peers = new AsyncDisposableStack();
  const timers = [own];
  if (flags.peer && precision !== "int8") {
    timers.push(peers.use(await genaiTimer(join(flags.peer, precision), runtime.threads)));
  }
  const { details } = model;
  console.log(
    `\n${precision}, head ${details.headPrecision}, attention ${details.form}: ` +
      timers.map(({ name }) => name).join(", "),
  );
  const passes: PassTimes[] = [];
  const [contexts, widths] = [numbers(flags.contexts), numbers(flags.widths)];
  for await (const times of alternatePasses(timers, { contexts, widths, repeats, signal })) {
    passes.push(times);
    if (times.name === timers.at(-1)!.name) console.log(line(passes, times));
  }
  const plain = median(passes.find(({ width }) => width === 1)?.milliseconds ?? [NaN]);
  const result = {
    precision,
    headPrecision: details.headPrecision,
    attention: details.form,
    loadMs,
    residentBytes: Deno.memoryUsage().rss - before,
    prefillTokensPerSecond: await prefillRate(model),
    hostShare: await hostMs(model) / plain,
    passes,
  };
  console.log(
    `prefill ${result.prefillTokensPerSecond.toFixed(0)} tok/s · h ${
      (100 * result.hostShare).toFixed(1)
    } % · load ${(loadMs / 1000).toFixed(1)} s · ${(result.residentBytes / 1e6).toFixed(0)} MB`,
  );
  return result;
}

/** A shape's median, v, and the ratio to the peer: above 1 the engine here is the faster one. */
function line(passes: readonly PassTimes[], { context, width }: PassTimes): string {
  const all = passes.filter((times) => times.context === context && times.width === width);
  const [own, peer] = all.map(({ milliseconds }) => median(milliseconds));
  const single = passes.find((times) => times.context === context && times.width === 1);
  const v = single ? `  v ${(own! / median(single.milliseconds)).toFixed(2)}` : "";
  const beside = peer === undefined
    ? ""
    : `  peer ${peer.toFixed(1)} ms  ratio ${(peer / own!).toFixed(2)}`;
  return `n ${context}  w ${`${width}`.padStart(2)}  ${
    own!.toFixed(1).padStart(6)
  } ms${v}${beside}`;
}

async function prefillRate(model: LoadedModel): Promise<number> {
  const tokens = Array.from({ length: 513 }, (_, i) => (i * 7919 + 13) % model.vocabularySize);
  const times: number[] = [];
  for (let repeat = 0; repeat < 3; repeat++) {
    await using context = model.open();
    const started = performance.now();
    await context.append([tokens]);
    times.push(performance.now() - started);
  }
  return tokens.length / median(times) * 1000;
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

function numbers(list: string): number[] {
  return list.split(",").map(Number);
}

if (import.meta.main) {
  const { flags } = parseArguments(SPECIFICATION, Deno.args);
  await report((signal) => bench(flags, signal));
}
