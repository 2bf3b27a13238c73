// Rung 2: what speculative decoding samples is what plain sampling would.
//
// Every run emits three tokens; their joint distribution over 27 texts is held against the target's
// own by a G-test. The family-wise significance is 1e-3 (Holm). RUNS is large enough that a
// deviation of 5 % total variation, of any form, is found with a probability of 99 %, and wrong
// rules must fail the same gate. Seeds are fixed, so the outcome is.
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import { firstOf } from "../../lib/decoding/drafters/first_of.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { NgramTable } from "../../lib/decoding/drafters/ngram_table.ts";
import { onlineNgram } from "../../lib/decoding/drafters/online_ngram.ts";
import { replay } from "../../lib/decoding/drafters/replay.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { distribution, type Sampling } from "../../lib/decoding/sampling.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { verify } from "../../lib/decoding/verify.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import { stream } from "../../lib/random.ts";
import { tokensOf } from "./decode.ts";
import { draftMutants, mutants } from "./mutants.ts";
import { type GTest, gTest, holm, leastPower } from "./statistics.ts";
import { trim } from "./trim.ts";

const LEVEL = 1e-3;
const DEVIATION = 0.05;
const RUNS = 8000;
const TOKENS = 3;
const PROMPT = [0, 1];

const target = tableModel({ vocabularySize: 3, seed: "target", spread: 1.5 });
const draft = tableModel({ vocabularySize: 3, seed: "draft", spread: 1.5 });

const drafters: Readonly<Record<string, () => Drafter>> = {
  chain: () => modelDrafter(draft),
  tree: () => treeDrafter(draft, { widths: [2, 2] }),
  "chain of two tokens of three": () => modelDrafter(trim(draft, [0, 2])),
  "tree of two tokens of three": () => treeDrafter(trim(draft, [0, 2]), { widths: [2, 2] }),
};

const samplings: readonly Sampling[] = [
  ...[0.5, 1, 1.3].flatMap((temperature) => [{ temperature }, { temperature, topP: 0.8 }]),
  { temperature: 1, topK: 2 },
];

/** Draws a text of three tokens. */
type Draw = (seed: number, sampling: Sampling) => Promise<readonly number[]>;

const plainly: Draw = (seed, sampling) =>
  tokensOf(autoregress(target.open(), PROMPT, { maxTokens: TOKENS, seed, sampling }));

function drafting(open: () => Drafter): Draw {
  return (seed, sampling) =>
    tokensOf(speculate(target.open(), open(), PROMPT, { maxTokens: TOKENS, seed, sampling }));
}

/** Speculative decoding as plainly as it can be written, with another rule of verification. */
function ruledBy(rule: typeof verify): Draw {
  return async (seed, sampling) => {
    const [draftRandom, acceptRandom] = [stream(seed, "draft"), stream(seed, "accept")];
    const text = [...PROMPT];
    while (text.length < PROMPT.length + TOKENS) {
      const limit = PROMPT.length + TOKENS - text.length - 1;
      const request = { limit, sampling, random: draftRandom };
      const proposal = limit > 0
        ? await modelDrafter(draft).propose(text, request)
        : { tokens: [], distributions: [] };
      const evaluation = await target.open().evaluate([[...text, ...proposal.tokens]]);
      const p = (node: number) => distribution(evaluation.logits(text.length + node), sampling);
      const { path, next } = rule(proposal, p, acceptRandom);
      text.push(...path.map((node) => proposal.tokens[node]!), next);
    }
    return text.slice(PROMPT.length);
  };
}

/** Runs a seed twice, with one table: it has seen what the draws that will judge its draft lead to. */
const twice: Draw = async (seed, sampling) => {
  const known = new NgramTable();
  const draw = drafting(() => onlineNgram({ table: known, threshold: 0 }));
  await draw(seed, sampling);
  return await draw(seed, sampling);
};

/** The probability of every text of three tokens: the product of the target's own conditionals. */
async function exactJoint(sampling: Sampling): Promise<Map<string, number>> {
  let texts = [{ text: PROMPT, probability: 1 }];
  for (let depth = 0; depth < TOKENS; depth++) {
    const longer = [];
    for (const { text, probability } of texts) {
      const evaluation = await target.open().evaluate([text]);
      const p = distribution(evaluation.logits(text.length - 1), sampling);
      for (const [token, mass] of p.entries()) {
        longer.push({ text: [...text, token], probability: probability * mass });
      }
    }
    texts = longer;
  }
  return new Map(
    texts.map(({ text, probability }) => [text.slice(PROMPT.length).join(" "), probability]),
  );
}

async function gate(draw: Draw, sampling: Sampling): Promise<GTest> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < RUNS; seed++) {
    const text = (await draw(seed, sampling)).join(" ");
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return gTest(counts, await exactJoint(sampling));
}

/** N-grams learnt from all runs before: runs share no seed, so no draft knows its acceptance draws. */
const table = new NgramTable();

const family = [
  { name: "plain decoding", draw: plainly, sampling: { temperature: 1 } },
  ...Object.entries(drafters).flatMap(([name, open]) =>
    samplings.map((sampling) => ({ name, draw: drafting(open), sampling }))
  ),
  {
    name: "chosen tokens",
    draw: drafting(() => replay(2, [2, 0, 1], { acceptance: 1, seed: 1, vocabularySize: 3 })),
    sampling: { temperature: 1 },
  },
  {
    name: "n-grams of earlier runs",
    draw: drafting(() => onlineNgram({ table, threshold: 0 })),
    sampling: { temperature: 1 },
  },
  {
    name: "n-grams of earlier runs, else a model",
    draw: drafting(() => firstOf([onlineNgram({ table, threshold: 0.5 }), modelDrafter(draft)])),
    sampling: { temperature: 1, topP: 0.8 },
  },
];

Deno.test("speculation samples the target's joint distribution, at any temperature, top-p and top-k", async () => {
  const found: GTest[] = [];
  for (const { draw, sampling } of family) found.push(await gate(draw, sampling));
  const rejected = holm(found.map(({ pValue }) => pValue), LEVEL);
  const failed = family.filter((_, i) => rejected[i]).map(({ name, sampling }) =>
    `${name} ${JSON.stringify(sampling)}`
  );
  assertEquals(failed, []);
  for (const { degrees } of found) {
    assertGreater(degrees, 1);
    assertGreater(leastPower(RUNS, degrees, LEVEL / family.length, DEVIATION), 0.99);
  }
});

Deno.test("the loop that tries rules of verification is speculate()'s", async () => {
  const draw = { true: ruledBy(verify), real: drafting(drafters.chain!) };
  for (let seed = 0; seed < 200; seed++) {
    assertEquals(
      await draw.true(seed, { temperature: 1 }),
      await draw.real(seed, { temperature: 1 }),
    );
  }
});

const wrong: readonly [string, Draw][] = [
  ...Object.entries(mutants).map(([name, rule]): [string, Draw] => [name, ruledBy(rule)]),
  ...Object.entries(draftMutants(draft)).map((
    [name, open],
  ): [string, Draw] => [name, drafting(open)]),
  ["a table has learnt from a run of the same seed", twice],
];

for (const [mistake, draw] of wrong) {
  Deno.test(`the gate rejects speculation if ${mistake}`, async () => {
    assertLess((await gate(draw, { temperature: 1 })).pValue, LEVEL / family.length);
  });
}
