/**
 * Everything that takes memory of the library's, over and over: `soak_child.ts SECONDS`. Prints the
 * rounds that it did and its memory in use at equal distances in time, as JSON.
 */

import { assert, assertRejects } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import { promptLookup } from "../../lib/decoding/drafters/prompt_lookup.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { formsOf } from "../../lib/engine/form_rule.ts";
import { ContextError, type LanguageModel } from "../../lib/engine/language_model.ts";
import { type LoadedModel, loadModel } from "../../lib/engine/load.ts";
import { Binding, OnnxRuntimeError, Runtime, Tensor } from "../../lib/onnx/mod.ts";
import { type Random, seeded } from "./random.ts";
import { tinyGguf } from "./tiny_model.ts";

/** What a soak found. */
export interface SoakReport {
  /** Rounds done: each some sessions, tensors, bindings, forks, aborts and failures. */
  readonly rounds: number;
  /** Resident memory that is in use, in bytes, after warming up and then at equal distances. */
  readonly held: readonly number[];
}

const SAMPLES = 12;
/** Times that a session is used before the next is loaded. */
const CONTEXTS = 10;
const PRECISIONS = ["fp32", "int8", "int4"] as const;

/** A text, forked some times, of which each fork is decoded to some end. */
async function decode(model: LoadedModel, random: Random): Promise<void> {
  const prompt = Array.from({ length: 1 + random(300) }, () => random(model.vocabularySize));
  await using context = model.open();
  await context.append([prompt.slice(0, -1)]);
  for (let forks = 1 + random(4); forks > 0; forks--) {
    await using fork = context.fork();
    const settings = { maxTokens: 8, seed: random(1000), sampling: { temperature: random(2) } };
    const rounds = random(2) === 0 ? autoregress(fork, prompt, settings) : speculate(
      fork,
      promptLookup(),
      prompt,
      { ...settings, policy: fixed(4) },
    );
    let left = 1 + random(10);
    for await (const _ of rounds) if (--left === 0) break; // some are left unfinished
  }
}

/** A generation that is aborted while a pass runs. */
async function abort(model: LanguageModel, random: Random): Promise<void> {
  await using context = model.open();
  const controller = new AbortController();
  const settings = { maxTokens: 1000, seed: 1, signal: controller.signal };
  setTimeout(() => controller.abort(), random(3));
  await assertRejects(async () => {
    for await (const _ of autoregress(context, [1, 2, 3], settings));
  }, DOMException);
}

/** Contexts disposed of while a pass runs. */
async function leave(model: LanguageModel): Promise<void> {
  const context = model.open(2);
  const running = context.evaluate([[1, 2, 3], [4]]);
  await context[Symbol.asyncDispose]();
  await running;
}

/** Runs that are refused: tokens that are none, inputs of the wrong shape or not bound. */
async function fail(model: LoadedModel): Promise<void> {
  await using context = model.open();
  await assertRejects(() => context.evaluate([[model.vocabularySize]]), ContextError);
  const tooLong = new Array(model.contextLength + 1).fill(1);
  await assertRejects(() => context.evaluate([tooLong]), ContextError);
  const session = model.session(formsOf(model.attention)[0]!);
  using unbound = new Binding(session);
  await assertRejects(() => unbound.run(), OnnxRuntimeError);
  using tokens = Tensor.allocate(session.runtime, "int64", [3]);
  using view = tokens.view([1, 2]);
  tokens.data.fill(0n);
  unbound.input("tokens", view);
  await assertRejects(() => unbound.run(), OnnxRuntimeError);
}

async function round(folder: string, runtime: Runtime, random: Random): Promise<void> {
  const settings = { runtime, cache: folder, precision: PRECISIONS[random(3)]! };
  await using model = await loadModel(`${folder}/tiny.gguf`, settings);
  for (let i = 0; i < CONTEXTS; i++) {
    await decode(model, random);
    await abort(model, random);
    await leave(model);
    await fail(model);
  }
}

if (import.meta.main) {
  const seconds = Number(Deno.args[0]);
  const folder = Deno.makeTempDirSync();
  const collect: unknown = Reflect.get(globalThis, "gc");
  assert(typeof collect === "function", "run with --v8-flags=--expose-gc");
  const held = (): number => {
    collect();
    const { rss, heapTotal, heapUsed } = Deno.memoryUsage();
    return rss - (heapTotal - heapUsed); // V8 keeps pages at hand, in steps of some 25 MB
  };
  try {
    Deno.writeFileSync(`${folder}/tiny.gguf`, tinyGguf());
    const random = seeded(1);
    using runtime = new Runtime({ threads: 2 });
    const started = performance.now();
    const share = (): number => (performance.now() - started) / (seconds * 1000);
    const samples: number[] = [];
    let rounds = 0;
    while (share() < 1) {
      await round(folder, runtime, random);
      rounds++;
      // The first quarter warms up: code is compiled, pools reach their size.
      if (share() > 0.25 + samples.length / SAMPLES * 0.75) samples.push(held());
    }
    samples.push(held());
    const report: SoakReport = { rounds, held: samples };
    console.log(JSON.stringify(report));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
