import { assertEquals, assertRejects } from "@std/assert";
import { speculateBatch, type SpeculateBatchOptions } from "../../lib/decoding/batch.ts";
import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { promptLookup } from "../../lib/decoding/drafters/prompt_lookup.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { confidence } from "../../lib/decoding/policies/confidence.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import type { Round } from "../../lib/decoding/round.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { ContextError } from "../../lib/engine/language_model.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import { wrapContext } from "../engine/wrap.ts";
import { facts, roundsOf } from "./decode.ts";

const target = tableModel({ vocabularySize: 6, seed: "target" });
const draft = tableModel({ vocabularySize: 6, seed: "draft" });

const prompts = [[0], [3, 1, 4, 1, 5], [2, 2, 2], [5, 4, 3, 2, 1, 0, 1, 2]];
const seeds = [1, 2, "three", 4];
const policies = [fixed(4), fixed(0), confidence({ threshold: 0.3 }), fixed(7)];
const drafters = (): Drafter[] => [
  modelDrafter(target),
  modelDrafter(draft),
  treeDrafter(draft, { widths: [2, 2, 1] }),
  promptLookup(),
];

/** The rounds of each row. */
async function byRow(batch: AsyncIterable<(Round | null)[]>): Promise<Round[][]> {
  const rows: Round[][] = prompts.map(() => []);
  for await (const rounds of batch) {
    rounds.forEach((round, row) => round && rows[row]!.push(round));
  }
  return rows;
}

for (const sampling of [{}, { temperature: 1 }, { temperature: 0.7, topK: 3, topP: 0.9 }]) {
  Deno.test(`batched rows have the rounds of their single runs, ${JSON.stringify(sampling)}`, async () => {
    for (const maxTokens of [1, 2, 30]) {
      for (const endOfText of [new Set<number>(), new Set([2]), new Set([0, 1, 5])]) {
        const shared = { maxTokens, sampling, endOfText };
        const batch = speculateBatch(target.open(4), drafters(), prompts, {
          ...shared,
          seeds,
          policies,
        });
        const rows = await byRow(batch);
        for (const [row, drafter] of drafters().entries()) {
          const options = { ...shared, seed: seeds[row]!, policy: policies[row]! };
          const alone = await roundsOf(speculate(target.open(), drafter, prompts[row]!, options));
          assertEquals(rows[row]!.map(facts), alone.map(facts), `row ${row}, ${drafter.name}`);
        }
      }
    }
  });
}

Deno.test("all rows share one pass, and a row that ended rests", async () => {
  const widths: number[][] = [];
  const context = wrapContext(target.open(2), (inner) => ({
    evaluate: (tokens, parents) => {
      widths.push(tokens.map((list) => list.length));
      return inner.evaluate(tokens, parents);
    },
  }));
  const options = { maxTokens: 6, seeds: [1, 2], policies: [fixed(1), fixed(8)] };
  const drafting = [modelDrafter(target), modelDrafter(target)];
  const ended = [];
  for await (const rounds of speculateBatch(context, drafting, [[0], [1, 2]], options)) {
    ended.push(rounds.map((round) => round?.stop));
  }
  assertEquals(ended, [[null, "length"], [null, undefined], ["length", undefined]]);
  assertEquals(widths, [[2, 6], [2, 0], [2, 0]]);
});

Deno.test("every drafter reads its own prompt before decoding starts", async () => {
  const read: (readonly number[])[] = [];
  const spies = drafters().map((drafter) => ({
    ...drafter,
    begin: (prompt: readonly number[]) => Promise.resolve(void read.push([...prompt])),
  }));
  await byRow(speculateBatch(target.open(4), spies, prompts, { maxTokens: 1, seeds }));
  assertEquals(read, prompts);
});

Deno.test("the times of a batch's round are the same in every row", async () => {
  let time = 0;
  const options = { maxTokens: 9, seeds, clock: () => time += 1 };
  for await (const rounds of speculateBatch(target.open(4), drafters(), prompts, options)) {
    for (const round of rounds) {
      if (!round) continue;
      const { draftMs, verifyMs, sampleMs, hostMs } = round;
      assertEquals([draftMs, verifyMs, sampleMs, hostMs], [1, 1, 1, 1]);
    }
  }
});

Deno.test("an aborted signal ends a batch between rounds with its reason", async () => {
  const controller = new AbortController();
  const options = { maxTokens: 100, seeds, signal: controller.signal };
  let seen = 0;
  await assertRejects(
    async () => {
      for await (const _ of speculateBatch(target.open(4), drafters(), prompts, options)) {
        if (++seen === 2) controller.abort(new Error("enough"));
      }
    },
    Error,
    "enough",
  );
  assertEquals(seen, 2);
});

Deno.test("speculateBatch() refuses lists that are not one a row", async () => {
  const run = (rows: number, options: Partial<SpeculateBatchOptions>, count = 4) =>
    byRow(speculateBatch(target.open(rows), drafters().slice(0, count), prompts, {
      maxTokens: 5,
      seeds,
      ...options,
    }));
  await assertRejects(() => run(4, { seeds: [1, 2, 3] }), RangeError, "seeds");
  await assertRejects(() => run(4, { policies: [fixed(1)] }), RangeError, "policies");
  await assertRejects(() => run(4, {}, 3), RangeError, "drafters");
  await assertRejects(() => run(3, {}), ContextError, "rows");
  await assertRejects(() => run(4, { maxTokens: 0 }), RangeError, "maxTokens");
});
