import { assert, assertEquals, assertThrows } from "@std/assert";
import { NgramTable } from "../../../lib/decoding/drafters/ngram_table.ts";
import { onlineNgram } from "../../../lib/decoding/drafters/online_ngram.ts";
import { fixed } from "../../../lib/decoding/policies/fixed.ts";
import { speculate } from "../../../lib/decoding/speculative.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { roundsOf } from "../decode.ts";

const request = { limit: 4, sampling: {}, random: () => NaN };
const target = tableModel({ vocabularySize: 50, seed: 1, order: 3 });
/** A text in which no pair of tokens occurs twice, so nothing but itself tells how it goes on. */
const novel = Array.from({ length: 20 }, (_, i) => i);

async function draftAfter(
  text: readonly number[],
  drafter = onlineNgram({ threshold: 0 }),
): Promise<readonly number[]> {
  return (await drafter.propose(text, request)).tokens;
}

Deno.test("a table that learnt a text drafts it again, and all of it is accepted", async () => {
  const table = new NgramTable();
  const run = () => {
    const options = { maxTokens: 300, seed: 1, policy: fixed(4) };
    return roundsOf(
      speculate(target.open(), onlineNgram({ table, threshold: 0 }), [0, 1], options),
    );
  };
  const [first, again] = [await run(), await run()];
  assert(first.some((round) => round.accepted < 4), "a new text is not known");
  assertEquals(again.map(({ accepted }) => accepted), new Array(60).fill(4));
});

Deno.test("a table of its own is cleared at every prompt, a shared one is not", async () => {
  const table = new NgramTable();
  for (
    const [drafter, expected] of [
      [onlineNgram({ threshold: 0 }), []],
      [onlineNgram({ table, threshold: 0 }), [2, 3, 4, 5]],
    ] as const
  ) {
    await drafter.begin!(novel);
    await drafter.begin!([0, 1]);
    assertEquals(await draftAfter([0, 1], drafter), expected);
  }
});

Deno.test("drafters that share a table learn from each other's texts as these grow", async () => {
  const table = new NgramTable();
  const [one, two] = [onlineNgram({ table, threshold: 0 }), onlineNgram({ table, threshold: 0 })];
  await one.begin!([0]);
  await two.begin!([9]);
  for (let length = 1; length <= novel.length; length++) {
    assertEquals(await draftAfter([9], two), []);
    await draftAfter(novel.slice(0, length), one);
  }
  assertEquals(await draftAfter([9, 3, 4], two), [5, 6, 7, 8]);
});

Deno.test("a text that is cut back is forgotten from there on", async () => {
  const drafter = onlineNgram({ threshold: 0 });
  await drafter.begin!([...novel, 0, 1]);
  assertEquals(await draftAfter([...novel, 0, 1], drafter), [2, 3, 4, 5]);
  await draftAfter(novel.slice(0, 4), drafter);
  assertEquals(await draftAfter([0, 1, 2, 3, 0, 1], drafter), [2, 3, 0, 1]); // no 4 after 3
});

Deno.test("a draft ends before it is unlikely to stand", async () => {
  const lengths = [];
  for (const threshold of [0, 0.3, 0.35, 0.5, 0.51]) {
    lengths.push((await draftAfter([...novel, 0, 1], onlineNgram({ threshold }))).length);
  }
  // 1/2 after a context of two that was seen once, then 3/4, 7/8, 15/16.
  assertEquals(lengths, [4, 4, 2, 1, 0]);
  const longer = await draftAfter([...novel, 0, 1, 2, 3, 4], onlineNgram({ threshold: 0.5 }));
  assertEquals(longer, [5, 6, 7, 8]);
});

Deno.test("a policy is asked how sure the table is", async () => {
  const asked: [number, number][] = [];
  const proceed = (confidence: number, drafted: number) => asked.push([confidence, drafted]) < 2;
  const drafter = onlineNgram({ threshold: 0 });
  const { tokens } = await drafter.propose([...novel, 0, 1], { ...request, proceed });
  assertEquals(tokens, [2, 3]);
  assertEquals(asked, [[1 / 2, 1], [3 / 4, 2]]);
});

Deno.test("onlineNgram() refuses a threshold that is no chance", () => {
  for (const threshold of [-0.1, 1.1, NaN]) {
    assertThrows(() => onlineNgram({ threshold }), RangeError, "threshold");
  }
});
