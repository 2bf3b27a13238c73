/** What exact mode promises on real weights, as functions of how much of it to check. */

import { assert, assertEquals } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import { firstOf } from "../../lib/decoding/drafters/first_of.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { onlineNgram } from "../../lib/decoding/drafters/online_ngram.ts";
import { promptLookup } from "../../lib/decoding/drafters/prompt_lookup.ts";
import { replay } from "../../lib/decoding/drafters/replay.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { confidence } from "../../lib/decoding/policies/confidence.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import type { Policy } from "../../lib/decoding/policies/policy.ts";
import type { Round } from "../../lib/decoding/round.ts";
import { argmax } from "../../lib/decoding/sampling.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import type { Context } from "../../lib/engine/language_model.ts";
import type { LoadedModel } from "../../lib/engine/load.ts";
import type { TokenId } from "../../lib/models/token.ts";
import prompts from "../../data/prompts/quick.json" with { type: "json" };

/** Tokens without meaning, the same in every run. */
export function noise(count: number, vocabularySize: number): TokenId[] {
  return Array.from({ length: count }, (_, i) => (i * 7919 + 13) % vocabularySize);
}

/** The bits of the logits of each of `count` tokens. */
async function bitsOf(context: Context, tokens: readonly TokenId[]): Promise<Int32Array[]> {
  const evaluation = await context.evaluate([tokens]);
  return tokens.map((_, index) => {
    const { buffer, byteOffset, length } = evaluation.logits(index);
    return new Int32Array(buffer, byteOffset, length).slice();
  });
}

/**
 * Asserts that 16 tokens after `length` have the same logits, to the bit, in passes of every width,
 * and that reading them in narrow passes leaves the same cache as reading them in one.
 */
export async function assertWidthsAgree(
  model: LoadedModel,
  length: number,
  widths: readonly number[],
): Promise<void> {
  await using context = model.open();
  await context.append([noise(length, model.vocabularySize)]);
  const tokens = noise(16, model.vocabularySize).reverse();
  const expected = await bitsOf(context, tokens);
  await using whole = context.fork();
  await whole.append([tokens]);
  const after = await bitsOf(whole, [7, 8]);
  for (const width of widths) {
    await using fork = context.fork();
    const bits: Int32Array[] = [];
    for (let from = 0; from < tokens.length; from += width) {
      const part = tokens.slice(from, from + width);
      bits.push(...await bitsOf(fork, part));
      await fork.append([part]);
    }
    const place = `width ${width} after ${length}`;
    bits.forEach((row, index) => assertSameBits(row, expected[index]!, `${place}, token ${index}`));
    const next = await bitsOf(fork, [7, 8]);
    next.forEach((row, index) => assertSameBits(row, after[index]!, `${place}, then ${index}`));
  }
}

function assertSameBits(actual: Int32Array, expected: Int32Array, message: string): void {
  assertEquals(actual.length, expected.length);
  const differing = actual.findIndex((bits, i) => bits !== expected[i]);
  assert(differing < 0, `logits differ at ${message}, entry ${differing}`);
}

/** Every kind of drafter, by name, for a prompt whose plain continuation is known. */
export function draftersFor(
  draft: LoadedModel,
  prompt: readonly TokenId[],
  continuation: readonly TokenId[],
): Readonly<Record<string, () => Drafter>> {
  const { vocabularySize } = draft;
  return {
    "prompt lookup": () => promptLookup(),
    "int4 self": () => modelDrafter(draft),
    "replay 0.7": () =>
      replay(prompt.length, continuation, { acceptance: 0.7, seed: 1, vocabularySize }),
    "n-grams, else int4 self": () =>
      firstOf([onlineNgram({ threshold: 0.7 }), modelDrafter(draft)]),
  };
}

/** A tree of the draft's, three tokens deep: compared as text, since a tree's bits may differ. */
export function treeOf(draft: LoadedModel): Drafter {
  return treeDrafter(draft, { widths: [2, 2, 1] });
}

/** The rounds of a generator. */
export async function collect(rounds: AsyncGenerator<Round, void>): Promise<Round[]> {
  const all: Round[] = [];
  for await (const round of rounds) all.push(round);
  return all;
}

/** The tokens of rounds. */
export function textOf(rounds: readonly Round[]): TokenId[] {
  return rounds.flatMap(({ emitted }) => emitted);
}

/** How far speculation was checked, and where it differed. */
export interface Comparison {
  /** Runs compared. */
  readonly runs: number;
  /** Tokens compared. */
  readonly tokens: number;
  /** Runs whose text differs, each with its class. */
  readonly differences: readonly string[];
}

/**
 * Compares greedy speculation with plain decoding on the first `count` quick prompts, for every
 * drafter and policy, and classifies each difference.
 */
export async function compareSpeculation(
  target: LoadedModel,
  draft: LoadedModel,
  options: {
    readonly prompts: readonly number[];
    readonly draftLengths: readonly number[];
    readonly maxTokens: number;
    readonly confidence?: boolean;
  },
): Promise<Comparison> {
  const { maxTokens } = options;
  const policies: Policy[] = options.draftLengths.map(fixed);
  if (options.confidence) policies.push(confidence());
  const differences: string[] = [];
  let [runs, tokens] = [0, 0];
  for (const { id, text } of options.prompts.map((index) => prompts[index]!)) {
    const prompt = target.encodeChat([{ role: "user", content: text }]);
    await using context = target.open();
    await context.append([prompt.slice(0, -1)]);
    await using plainContext = context.fork();
    const plain = textOf(await collect(autoregress(plainContext, prompt, { maxTokens, seed: 1 })));
    for (const [name, open] of Object.entries(draftersFor(draft, prompt, plain))) {
      for (const policy of policies) {
        await using fork = context.fork();
        await using drafter = open();
        const speculation = { maxTokens, seed: 1, policy };
        const rounds = await collect(speculate(fork, drafter, prompt, speculation));
        const emitted = textOf(rounds);
        runs++;
        tokens += emitted.length;
        const at = plain.findIndex((token, i) => token !== emitted[i]);
        if (at < 0 && emitted.length === plain.length) continue;
        const kind = await classify(target, prompt, rounds);
        differences.push(`${kind}: ${id}, ${name}, ${policy.name}, token ${at}`);
      }
    }
  }
  return { runs, tokens, differences };
}

/**
 * Why greedy text differs from plain decoding's: "numeric" if the target, reading the same text in
 * passes of the same widths but with other tokens where the draft was wrong, chooses it too; "tie" if
 * it has two best tokens on the way; else "bug": something of a draft was left behind.
 */
async function classify(
  model: LoadedModel,
  prompt: readonly TokenId[],
  rounds: readonly Round[],
): Promise<"tie" | "numeric" | "bug"> {
  await using context = model.open();
  await context.append([prompt.slice(0, -1)]);
  let newest = prompt.at(-1)!;
  let tied = false;
  for (const { drafted, emitted } of rounds) {
    const read = [newest, ...emitted.slice(0, -1)];
    const padding = new Array<TokenId>(1 + drafted.length - read.length).fill(0);
    const evaluation = await context.evaluate([[...read, ...padding]]);
    for (const [index, token] of emitted.entries()) {
      const logits = evaluation.logits(index);
      const best = argmax(logits);
      if (logits.filter((score) => score === logits[best]).length > 1) tied = true;
      if (best !== token) return tied ? "tie" : "bug";
    }
    context.commit(evaluation, [read.length]);
    newest = emitted.at(-1)!;
  }
  return tied ? "tie" : "numeric";
}
