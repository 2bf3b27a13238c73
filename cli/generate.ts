/**
 * `deno task generate`: text, with and without a draft's help, and what the help was worth.
 *
 * @module
 */

import { acceptance, blockEfficiency } from "../lib/analysis/metrics.ts";
import { autoregress } from "../lib/decoding/autoregressive.ts";
import type { Drafter } from "../lib/decoding/drafters/drafter.ts";
import { modelDrafter } from "../lib/decoding/drafters/model.ts";
import { promptLookup } from "../lib/decoding/drafters/prompt_lookup.ts";
import { fixed } from "../lib/decoding/policies/fixed.ts";
import { prefill } from "../lib/decoding/prefill.ts";
import type { DecodeOptions, Round } from "../lib/decoding/round.ts";
import { speculate } from "../lib/decoding/speculative.ts";
import { type Context, ContextError } from "../lib/engine/language_model.ts";
import type { LoadedModel, LoadOptions } from "../lib/engine/load.ts";
import { TextStream } from "../lib/models/text_stream.ts";
import type { TokenId } from "../lib/models/token.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import { requireInteger } from "../lib/validate.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { loadWithProgress } from "./load.ts";
import { report } from "./report.ts";

const SPECIFICATION = {
  command: "deno task generate",
  summary:
    "Continues a prompt; accepted draft tokens are green. Then says what drafting was worth.",
  positionals: [{ name: "prompt", description: "what to answer", optional: true }],
  flags: {
    model: {
      type: "string",
      default: "smollm2-135m-instruct",
      description: "the target: a catalogue id or the path of a .gguf file",
    },
    precision: {
      type: "string",
      choices: ["fp32", "int8", "int4"],
      default: "fp32",
      description: "the target's precision",
    },
    draft: {
      type: "string",
      default: "prompt-lookup",
      description:
        "what drafts: none, prompt-lookup, int4-self (the target's own weights in int4), or a model",
    },
    draftPrecision: {
      type: "string",
      choices: ["fp32", "int8", "int4"],
      default: "int8",
      description: "the precision of a model that drafts",
    },
    draftLength: { type: "number", default: 4, description: "tokens drafted a round" },
    exact: { type: "boolean", description: "run passes only at widths that agree to the bit" },
    temperature: { type: "number", default: 0, description: "0 is greedy" },
    topK: { type: "number", default: 0, description: "keep the k likeliest tokens; 0 keeps all" },
    topP: { type: "number", default: 1, description: "keep the likeliest tokens of this mass" },
    seed: { type: "number", default: 1, description: "fixes the text of a temperature above 0" },
    maxTokens: { type: "number", default: 128, description: "tokens to generate at most" },
    threads: { type: "number", description: "threads of a pass; by default all processors" },
    promptFile: { type: "string", description: "reads the prompt from a file" },
    raw: {
      type: "boolean",
      description: "no chat template; special tokens in the prompt are recognised",
    },
    compare: { type: "boolean", description: "decodes plainly too, and gives the speed-up" },
    json: { type: "boolean", description: "prints one JSON object instead of the text" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];

/** A decoded continuation and how long it took. */
interface Generation {
  readonly tokens: readonly TokenId[];
  readonly rounds: readonly Round[];
  readonly decodeMs: number;
}

async function generate(
  flags: Flags,
  prompt: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const threads = flags.threads ?? navigator.hardwareConcurrency;
  using runtime = new Runtime({ threads });
  const loading = { runtime, exact: flags.exact, signal };
  await using model = await loadWithProgress(flags.model, {
    ...loading,
    precision: flags.precision,
  });
  await using drafter = await openDrafter(flags, model, loading);
  const text = promptText(flags, prompt);
  const tokens = flags.raw
    ? model.encodeText(text)
    : model.encodeChat([{ role: "user", content: text }]);
  const room = model.contextLength - tokens.length;
  if (room < 1) {
    throw new ContextError(
      `Cannot generate as the prompt has ${tokens.length} tokens and the context length is ${model.contextLength}: shorten the prompt`,
    );
  }
  requireInteger("generate", "maxTokens", flags.maxTokens, 1, room);
  const sampling = { temperature: flags.temperature, topK: flags.topK, topP: flags.topP };
  const { endOfText } = model.tokenizer;
  const options = { maxTokens: flags.maxTokens, sampling, seed: flags.seed, endOfText, signal };

  await using context = model.open();
  const started = performance.now();
  await prefill(context, tokens, { signal });
  await drafter?.begin?.(tokens);
  const prefillMs = performance.now() - started;
  await using fork = context.fork();
  const policy = fixed(flags.draftLength);
  const rounds = drafter
    ? speculate(fork, drafter, tokens, { ...options, policy })
    : autoregress(fork, tokens, options);
  const generation = await decode(rounds, flags.json ? null : new Printer(model));
  const plain = flags.compare ? await decodePlainly(context, tokens, options) : null;

  if (flags.json) {
    printJson(flags, model, { tokens, threads, sampling, prefillMs, generation, plain });
  } else console.error(account(generation, plain));
}

async function openDrafter(
  flags: Flags,
  target: LoadedModel,
  loading: LoadOptions,
): Promise<Drafter & AsyncDisposable | null> {
  if (flags.draft === "none") return null;
  if (flags.draft === "prompt-lookup") return promptLookup();
  const self = flags.draft === "int4-self";
  const model = await loadWithProgress(self ? flags.model : flags.draft, {
    ...loading,
    precision: self ? "int4" : flags.draftPrecision,
  });
  if (model.tokenizer.fingerprint === target.tokenizer.fingerprint) return owning(model);
  await model[Symbol.asyncDispose]();
  throw new ArgumentError(
    `Cannot draft with ${flags.draft} as its tokenizer is not that of ${flags.model}: choose a draft of the target's family`,
  );
}

/** A drafter that takes its model along when it goes. */
function owning(model: LoadedModel): Drafter {
  const drafter = modelDrafter(model);
  return {
    ...drafter,
    async [Symbol.asyncDispose]() {
      await drafter[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
    },
  };
}

function promptText(flags: Flags, prompt: string | undefined): string {
  if ((prompt === undefined) === (flags.promptFile === undefined)) {
    throw new ArgumentError(
      "Cannot generate as the prompt is wanted once: give it or --prompt-file",
    );
  }
  return prompt ?? Deno.readTextFileSync(flags.promptFile!);
}

async function decode(
  rounds: AsyncGenerator<Round, void>,
  printer: Printer | null,
): Promise<Generation> {
  const kept: Round[] = [];
  for await (const round of rounds) {
    kept.push(round);
    printer?.print(round);
  }
  printer?.end();
  const decodeMs = kept.reduce(
    (sum, { draftMs, verifyMs, sampleMs, hostMs }) => sum + draftMs + verifyMs + sampleMs + hostMs,
    0,
  );
  return { tokens: kept.flatMap(({ emitted }) => emitted), rounds: kept, decodeMs };
}

async function decodePlainly(
  context: Context,
  tokens: readonly TokenId[],
  options: DecodeOptions,
): Promise<Generation> {
  await using fork = context.fork();
  return await decode(autoregress(fork, tokens, options), null);
}

/** Prints text as it comes, what the draft had right in green. */
class Printer {
  readonly #text: TextStream;
  readonly #colour = Deno.stdout.isTerminal() && !Deno.noColor;

  constructor(model: LoadedModel) {
    this.#text = new TextStream(model.tokenizer, { continued: true });
  }

  print({ emitted, accepted }: Round): void {
    const pieces = emitted.map((token) => this.#text.push(token));
    const [drafted, own] = [pieces.slice(0, accepted).join(""), pieces.slice(accepted).join("")];
    this.#write(this.#colour && drafted ? `\x1b[32m${drafted}\x1b[0m${own}` : drafted + own);
  }

  end(): void {
    this.#write(`${this.#text.end()}\n`);
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
  }
}

function account(generation: Generation, plain: Generation | null): string {
  const { tokens, rounds, decodeMs } = generation;
  const total = countsOf(rounds);
  const parts = [`${tokens.length} tokens`, `${rate(generation).toFixed(1)} tok/s`];
  if (total.tested > 0) parts.push(`α ${acceptance(total)!.toFixed(2)}`);
  parts.push(`τ ${blockEfficiency(total)!.toFixed(2)}`);
  if (plain) {
    const same = plain.tokens.length === tokens.length &&
      plain.tokens.every((token, i) => token === tokens[i]);
    parts.push(
      `speed-up ${(plain.decodeMs / decodeMs * tokens.length / plain.tokens.length).toFixed(2)}`,
      `plain ${rate(plain).toFixed(1)} tok/s`,
      same ? "same text" : "other text",
    );
  }
  return parts.join(" · ");
}

function rate({ tokens, decodeMs }: Generation): number {
  return tokens.length / decodeMs * 1000;
}

function countsOf(rounds: readonly Round[]): {
  rounds: number;
  drafted: number;
  tested: number;
  accepted: number;
  emitted: number;
} {
  const sum = (count: (round: Round) => number): number =>
    rounds.reduce((total, round) => total + count(round), 0);
  return {
    rounds: rounds.length,
    drafted: sum(({ drafted }) => drafted.length),
    tested: sum(({ tested }) => tested),
    accepted: sum(({ accepted }) => accepted),
    emitted: sum(({ emitted }) => emitted.length),
  };
}

function printJson(
  flags: Flags,
  model: LoadedModel,
  { tokens, threads, sampling, prefillMs, generation, plain }: {
    tokens: readonly TokenId[];
    threads: number;
    sampling: object;
    prefillMs: number;
    generation: Generation;
    plain: Generation | null;
  },
): void {
  const { draftLength, exact, seed, maxTokens, raw } = flags;
  console.log(JSON.stringify({
    model: flags.model,
    precision: flags.precision,
    draft: flags.draft,
    settings: {
      draftLength,
      exact,
      ...sampling,
      seed,
      maxTokens,
      threads,
      raw,
      widths: model.details.probe,
    },
    promptTokens: tokens,
    tokens: generation.tokens,
    text: model.tokenizer.decode(generation.tokens, { continued: true }),
    stop: generation.rounds.at(-1)!.stop,
    rounds: generation.rounds.map((round) => ({
      drafted: round.drafted.length,
      tested: round.tested,
      accepted: round.accepted,
      emitted: round.emitted.length,
      draftMs: round.draftMs,
      verifyMs: round.verifyMs,
      hostMs: round.sampleMs + round.hostMs,
    })),
    timing: { prefillMs, decodeMs: generation.decodeMs },
    ...plain ? { plain: { tokens: plain.tokens, decodeMs: plain.decodeMs } } : {},
  }));
}

if (import.meta.main) {
  const { flags, positionals } = parseArguments(SPECIFICATION, Deno.args);
  await report((signal) => generate(flags, positionals[0], signal));
}
