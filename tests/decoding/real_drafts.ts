/**
 * Drafts of any role on real weights, and what must hold of each.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import prompts from "../../data/prompts/quick.json" with { type: "json" };
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import { distribution, type Sampling } from "../../lib/decoding/sampling.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import type { LoadedModel } from "../../lib/engine/load.ts";
import type { OnnxContext } from "../../lib/engine/onnx_model.ts";
import { type LoadedDraft, openDraft, readHidden } from "../../lib/engine/open_draft.ts";
import type { Precision } from "../../lib/models/graph.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { withModel } from "../engine/real_model.ts";
import { roundsOf, tokensOf } from "./decode.ts";
import { textOf } from "./laws.ts";
import { type GTest, gTest } from "./statistics.ts";

const FOLDER = new URL("../../data/models/", import.meta.url);

/** The drafts that come with the repository, the smallest file first. */
export const DRAFTS: readonly string[] = [...Deno.readDirSync(FOLDER)]
  .filter(({ name }) => name.endsWith(".gguf"))
  .map(({ name }) => new URL(name, FOLDER).pathname)
  .sort((a, b) => Deno.statSync(a).size - Deno.statSync(b).size);

/** Opens a draft beside its target in exact mode, calls `use`, and disposes of both. */
export async function withDraft(
  path: string,
  precision: Precision,
  use: (target: LoadedModel, draft: LoadedDraft) => Promise<void>,
): Promise<void> {
  const hidden = await readHidden([path]);
  await withModel({ precision, exact: true, hidden }, async (target) => {
    await using draft = await openDraft(path, target, { runtime: target.runtime, exact: true });
    await use(target, draft);
  });
}

/** What greedy runs of a draft came to, all together. */
export interface GreedyCounts {
  readonly tested: number;
  readonly accepted: number;
}

/** Asserts that a draft leaves greedy text as it is, to the token, for the first `count` prompts. */
export async function assertGreedyText(
  target: LoadedModel,
  draft: LoadedDraft,
  options: {
    readonly count: number;
    readonly draftLengths: readonly number[];
    readonly maxTokens: number;
  },
): Promise<GreedyCounts> {
  const { count, draftLengths, maxTokens } = options;
  const { endOfText } = target.tokenizer;
  let [tested, accepted] = [0, 0];
  for (const { id, text } of prompts.slice(0, count)) {
    const prompt = target.encodeChat([{ role: "user", content: text }]);
    await using context = target.open();
    const length = prompt.length - 1; // the newest token is read with the draft
    const plain = await tokensOf(
      autoregress(context, prompt, { maxTokens, seed: 1, endOfText }),
    );
    for (const draftLength of draftLengths) {
      context.truncate(length);
      await using reading = draft.open(context);
      const drafter = modelDrafter(reading, draft.model.name);
      const policy = fixed(draftLength);
      const rounds = await roundsOf(
        speculate(context, drafter, prompt, { maxTokens, seed: 1, endOfText, policy }),
      );
      assertEquals(textOf(rounds), plain, `${draft.model.name}, K = ${draftLength}, ${id}`);
      tested += rounds.reduce((sum, round) => sum + round.tested, 0);
      accepted += rounds.reduce((sum, round) => sum + round.accepted, 0);
    }
  }
  assert(accepted > 0, `${draft.model.name} is never right`);
  assert(tested > accepted, `${draft.model.name} is never wrong`);
  return { tested, accepted };
}

/** Two tokens that follow a prompt are drawn so often that their joint distribution shows. */
export interface PairGate {
  readonly prompt: readonly TokenId[];
  readonly sampling: Sampling;
  readonly runs: number;
  /** Changes what the drafter says. */
  readonly change?: (drafter: Drafter) => Drafter;
}

/** Holds the first two tokens of speculative runs against the target's own probabilities. */
export async function gatePairs(
  target: LoadedModel,
  draft: LoadedDraft,
  { prompt, sampling, runs, change = (drafter) => drafter }: PairGate,
): Promise<GTest> {
  await using context = target.open();
  await context.append([prompt.slice(0, -1)]);
  const expected = await jointOfPairs(context, prompt, sampling);
  await using reading = draft.open(context);
  const drafter = change(modelDrafter(reading, draft.model.name));
  const counts = new Map<string, number>();
  for (let seed = 0; seed < runs; seed++) {
    for (const read of [context, reading]) {
      if (read.length() >= prompt.length) read.truncate(prompt.length - 1);
    }
    const options = { maxTokens: 3, seed, sampling, policy: fixed(2) };
    const tokens = await tokensOf(speculate(context, drafter, prompt, options));
    const pair = tokens.slice(0, 2).join(" ");
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return gTest(counts, expected);
}

/** The probability of every pair of tokens that may follow a prompt. */
async function jointOfPairs(
  context: OnnxContext,
  prompt: readonly TokenId[],
  sampling: Sampling,
): Promise<Map<string, number>> {
  const after = async (tokens: readonly TokenId[]) => {
    const evaluation = await context.evaluate([tokens]);
    const p = distribution(evaluation.logits(tokens.length - 1), sampling);
    return [...p.entries()].filter(([, mass]) => mass > 0);
  };
  const newest = prompt.at(-1)!;
  const joint = new Map<string, number>();
  for (const [first, mass] of await after([newest])) {
    for (const [second, next] of await after([newest, first])) {
      joint.set(`${first} ${second}`, mass * next);
    }
  }
  return joint;
}
