import { assertEquals, assertRejects } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import { argmax, distribution, sample } from "../../lib/decoding/sampling.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import { stream } from "../../lib/random.ts";
import { facts, roundsOf, tokensOf } from "./decode.ts";

const model = tableModel({ vocabularySize: 6, seed: 1 });

async function logitsAfter(text: readonly number[]): Promise<Float32Array> {
  return (await model.open().evaluate([text])).logits(text.length - 1);
}

Deno.test("plain greedy decoding emits the argmax after all of the text", async () => {
  const text = [0, 1];
  for (let i = 0; i < 20; i++) text.push(argmax(await logitsAfter(text)));
  const tokens = await tokensOf(autoregress(model.open(), [0, 1], { maxTokens: 20, seed: 1 }));
  assertEquals(tokens, text.slice(2));
});

Deno.test("plain sampling draws once a token from the distribution after all of the text", async () => {
  const sampling = { temperature: 0.9, topP: 0.95 };
  const random = stream(7, "accept");
  const text = [0, 1];
  for (let i = 0; i < 20; i++) {
    text.push(sample(distribution(await logitsAfter(text), sampling), random));
  }
  const options = { maxTokens: 20, seed: 7, sampling };
  assertEquals(await tokensOf(autoregress(model.open(), [0, 1], options)), text.slice(2));
});

Deno.test("plain decoding stops at its length, or before the end of text", async () => {
  const plain = await roundsOf(autoregress(model.open(), [0], { maxTokens: 12, seed: 1 }));
  assertEquals(plain.map((round) => round.stop), [...new Array(11).fill(null), "length"]);
  const tokens = plain.flatMap((round) => round.emitted);
  for (const end of new Set(tokens)) {
    const options = { maxTokens: 12, seed: 1, endOfText: new Set([end]) };
    const rounds = await roundsOf(autoregress(model.open(), [0], options));
    assertEquals(rounds.flatMap((round) => round.emitted), tokens.slice(0, tokens.indexOf(end)));
    assertEquals(rounds.at(-1)!.stop, "end");
  }
});

Deno.test("a plain round drafts nothing and emits one token, timed by the clock that is given", async () => {
  let time = 0;
  const options = { maxTokens: 2, seed: 1, clock: () => time += 1 };
  for await (const round of autoregress(model.open(), [0], options)) {
    const { draftMs, verifyMs, sampleMs, hostMs } = round;
    assertEquals([draftMs, verifyMs, sampleMs, hostMs], [0, 1, 1, 1]);
    const { drafted, tested, accepted, emitted } = facts(round);
    assertEquals([drafted, tested, accepted, emitted!.length], [[], 0, 0, 1]);
  }
});

Deno.test("plain decoding ends with the reason of an aborted signal", async () => {
  const controller = new AbortController();
  const context = model.open();
  const options = { maxTokens: 100, seed: 1, signal: controller.signal };
  const run = async () => {
    for await (const _ of autoregress(context, [0], options)) {
      if (context.length() === 3) controller.abort(new Error("enough"));
    }
  };
  await assertRejects(run, Error, "enough");
  assertEquals(context.length(), 3);
});

Deno.test("autoregress() refuses options out of range", async () => {
  for (const wrong of [{ maxTokens: 0 }, { sampling: { temperature: -1 } }]) {
    const rounds = autoregress(model.open(), [0], { maxTokens: 5, seed: 1, ...wrong });
    await assertRejects(() => roundsOf(rounds), RangeError, "Cannot");
  }
});
