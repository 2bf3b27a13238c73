// Times llama.cpp, or lets it continue a prompt greedily, one request a line on standard input:
//
//     {"kind": "pass", "context": 64, "tokens": 5}          ->  {"milliseconds": 42.1}
//     {"kind": "continue", "prompt": [9, 4], "tokens": 5}   ->  {"tokens": [7, 7, 1, 3, 2]}
//
// usage: node llama_cpp.mjs MODEL.gguf THREADS FOLDER
//
// FOLDER is where npm puts node-llama-cpp's prebuilt binaries, 30 MB, if they are not there yet. The
// addon in them is called without node-llama-cpp's own API, which scores a token only to sample from
// it, and whose loop takes twice the time of the passes in it.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

const VERSION = "3.22.1";
const PLATFORMS = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-x64": "mac-x64",
  "win32-x64": "win-x64",
  "win32-arm64": "win-arm64",
};
/** Tokens that a pass reads at most: llama.cpp's own default. */
const BATCH = 512;

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function install(folder) {
  const here = `${process.platform}-${process.arch}`;
  const platform = PLATFORMS[here];
  if (!platform) {
    throw new Error(`node-llama-cpp has no binary without a GPU for ${here}: leave it out`);
  }
  const name = `@node-llama-cpp/${platform}`;
  const home = join(folder, "node_modules", name);
  const installed = () => {
    try {
      return JSON.parse(readFileSync(join(home, "package.json"), "utf8")).version === VERSION;
    } catch {
      return false;
    }
  };
  if (!installed()) {
    mkdirSync(folder, { recursive: true });
    const args = ["install", "--prefix", folder, "--no-audit", "--no-fund", `${name}@${VERSION}`];
    const shell = process.platform === "win32"; // where npm is a script
    const { error } = spawnSync("npm", args, { shell, stdio: ["ignore", 2, 2] });
    if (!installed()) {
      const reason = error ? `npm cannot be run (${error.code})` : "npm failed, as it says above";
      throw new Error(`${reason}: install them by hand, npm ${args.join(" ")}`);
    }
  }
  return join(home, "bins", platform);
}

/** Reads, scores and decodes tokens after those that it holds. */
class Engine {
  #addon;
  #model;
  #threads;
  #context = null;
  #filled = -1;
  #room = 0;

  constructor(addon, model, threads) {
    this.#addon = addon;
    this.#model = model;
    this.#threads = threads;
  }

  /** Holds `length` tokens and no more, with room for `room` others. */
  async open(length, room) {
    if (this.#filled !== length || this.#room < room) {
      await this.#context?.dispose();
      this.#context = new this.#addon.AddonContext(this.#model, {
        contextSize: length + room,
        batchSize: BATCH,
        sequences: 1,
        flashAttention: "auto",
        threads: this.#threads,
      });
      if (!await this.#context.init()) {
        throw new Error(`it has no memory for ${length + room} tokens: bench shorter contexts`);
      }
      await this.read(0, noise(length, 7919));
      [this.#filled, this.#room] = [length, room];
    }
    this.#context.removeTokenCellsFromSequence(0, length, -1);
  }

  /** Reads tokens at a position and scores none but the last. */
  async read(at, tokens) {
    for (let from = 0; from < tokens.length; from += BATCH) {
      const chunk = tokens.slice(from, from + BATCH);
      const last = from + chunk.length === tokens.length ? [chunk.length - 1] : [];
      await this.pass(at + from, chunk, last);
    }
  }

  /** One pass, which scores the tokens at `scored`. */
  async pass(at, tokens, scored = tokens.keys()) {
    this.#context.initBatch(tokens.length);
    this.#context.addToBatch(0, at, Uint32Array.from(tokens), Uint32Array.from(scored));
    await this.#context.decodeBatch();
  }

  /** Greedy decoding, a pass a token. */
  async decode(at, token, count) {
    const sampler = new this.#addon.AddonSampler(this.#model);
    sampler.applyConfig({ temperature: 0 });
    const tokens = [token];
    for (let i = 0; i < count; i++) {
      await this.pass(at + i, tokens.slice(-1));
      tokens.push(await this.#context.sampleToken(0, sampler));
    }
    sampler.dispose();
    return tokens.slice(1);
  }
}

function noise(count, step) {
  return Array.from({ length: count }, (_, i) => (i * step + 13) % 1000);
}

async function time(engine, { kind, context, tokens }) {
  await engine.open(context, Math.max(tokens, 64));
  const text = noise(tokens, 31);
  const started = performance.now();
  if (kind === "pass") await engine.pass(context, text);
  else if (kind === "prefill") await engine.read(context, text);
  else await engine.decode(context, text[0], tokens);
  return performance.now() - started;
}

async function continueText(engine, { prompt, tokens }) {
  await engine.open(0, prompt.length + tokens);
  await engine.read(0, prompt.slice(0, -1));
  return await engine.decode(prompt.length - 1, prompt.at(-1), tokens);
}

try {
  const [path, threads, folder] = process.argv.slice(2);
  const binaries = install(resolve(folder));
  const addon = createRequire(import.meta.url)(join(binaries, "llama-addon.node"));
  addon.setLoggerLogLevel(1); // errors alone
  addon.loadBackends(binaries);
  await addon.init();
  const model = new addon.AddonModel(path, { gpuLayers: 0 });
  if (!await model.init()) throw new Error(`it cannot read ${path}: leave it out`);
  const engine = new Engine(addon, model, Number(threads));
  const { buildOptions } = JSON.parse(
    readFileSync(join(binaries, "_nlcBuildMetadata.json"), "utf8"),
  );
  say({ version: buildOptions.llamaCpp.release });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (request.kind === "continue") say({ tokens: await continueText(engine, request) });
    else say({ milliseconds: await time(engine, request) });
  }
} catch (error) {
  say({ error: error.message });
}
