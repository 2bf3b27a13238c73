/**
 * `deno task generate`: text, with and without a draft's help, and what the help was worth.
 *
 * @module
 */

import { autoregress } from "../lib/decoding/autoregressive.ts";
import { fixed } from "../lib/decoding/policies/fixed.ts";
import { prefill } from "../lib/decoding/prefill.ts";
import type { DecodeOptions, Round } from "../lib/decoding/round.ts";
import { speculate } from "../lib/decoding/speculative.ts";
import { type Context, ContextError } from "../lib/engine/language_model.ts";
import type { LoadedModel } from "../lib/engine/load.ts";
import { TextStream } from "../lib/models/text_stream.ts";
import type { TokenId } from "../lib/models/token.ts";
import { Runtime } from "../lib/onnx/mod.ts";
import { requireInteger } from "../lib/validate.ts";
import { account, facts, type Generation } from "./account.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { openDrafter, wantsHidden } from "./drafter.ts";
import { LOADING, PRECISIONS } from "./flags.ts";
import { loadWithProgress } from "./load.ts";
import { readPolicyFile } from "./policy.ts";
import { report } from "./report.ts";

const SPECIFICATION = {
  command: "deno task generate",
  summary:
    "Continues a prompt; accepted draft tokens are green. Then says what drafting was worth.",
  positionals: [{ name: "prompt", description: "what to answer", optional: true }],
  flags: {
    ...LOADING,
    precision: {
      type: "string",
      choices: PRECISIONS,
      default: "fp32",
      description: "the target's precision",
    },
    draft: {
      type: "string",
      default: "prompt-lookup",
      description:
        "what drafts: none, prompt-lookup, ngram, int4-self (the target's own weights in int4), " +
        "self:6 (its first 6 layers, in its precision and cache), or a model; several with " +
        "commas: the first that proposes anything",
    },
    draftPrecision: {
      type: "string",
      choices: PRECISIONS,
      default: "int8",
      description: "the precision of a model that drafts",
    },
    draftVocabulary: {
      type: "number",
      default: 0,
      description: "tokens that a model which drafts scores, the most frequent; 0 is all",
    },
    draftLength: { type: "number", default: 4, description: "tokens drafted a round" },
    policy: {
      type: "string",
      description: "a file of deno task recommend --json to obey: its precision, draft and draft " +
        "lengths take the place of those here",
    },
    temperature: { type: "number", default: 0, description: "0 is greedy" },
    topK: { type: "number", default: 0, description: "keep the k likeliest tokens; 0 keeps all" },
    topP: { type: "number", default: 1, description: "keep the likeliest tokens of this mass" },
    seed: { type: "number", default: 1, description: "fixes the text of a temperature above 0" },
    maxTokens: { type: "number", default: 128, description: "tokens to generate at most" },
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

async function generate(
  given: Flags,
  prompt: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const obeyed = given.policy === undefined ? null : await readPolicyFile(given.policy);
  const flags = obeyed ? { ...given, ...obeyed.flags } : given;
  using runtime = new Runtime({ threads: flags.threads });
  const loading = { runtime, exact: flags.exact, signal };
  await using model = await loadWithProgress(flags.model, {
    ...loading,
    precision: flags.precision,
    hidden: await wantsHidden(flags, loading),
  });
  obeyed?.requireModel({ id: flags.model, hash: model.details.sha256 });
  await using context = model.open();
  await using drafter = await openDrafter(flags, model, context, loading);
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

  const started = performance.now();
  await prefill(context, tokens, { signal });
  await drafter?.begin?.(tokens);
  const prefillMs = performance.now() - started;
  await using prompted = flags.compare ? context.fork() : null;
  const policy = obeyed?.policy ?? fixed(flags.draftLength);
  const rounds = drafter
    ? speculate(context, drafter, tokens, { ...options, policy })
    : autoregress(context, tokens, options);
  const generation = await decode(rounds, flags.json ? null : new Printer(model));
  const plain = prompted && await decodePlainly(prompted, tokens, options);

  if (!flags.json) return console.error(account(generation, plain));
  const { precision, draft, draftVocabulary, exact, seed, maxTokens, threads, raw } = flags;
  const widths = model.details.probe;
  console.log(JSON.stringify({
    model: flags.model,
    precision,
    draft,
    settings: {
      policy: policy.name,
      draftVocabulary,
      exact,
      ...sampling,
      seed,
      maxTokens,
      threads,
      raw,
      widths,
    },
    promptTokens: tokens,
    text: model.tokenizer.decode(generation.tokens, { continued: true }),
    ...facts(generation, plain, prefillMs),
  }));
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

if (import.meta.main) {
  const { flags, positionals } = parseArguments(SPECIFICATION, Deno.args);
  await report((signal) => generate(flags, positionals[0], signal));
}
