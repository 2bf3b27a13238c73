import { assertEquals, assertRejects } from "@std/assert";
import { autoregress } from "../../../lib/decoding/autoregressive.ts";
import { modelDrafter } from "../../../lib/decoding/drafters/model.ts";
import { distribution, probabilityOf, sample } from "../../../lib/decoding/sampling.ts";
import type { Context } from "../../../lib/engine/language_model.ts";
import { ContextError } from "../../../lib/engine/language_model.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { stream } from "../../../lib/random.ts";
import { wrapModel } from "../../engine/wrap.ts";
import { tokensOf } from "../decode.ts";

const model = tableModel({ vocabularySize: 6, seed: "draft" });
const greedy = { limit: 5, sampling: {}, random: () => NaN };

/** The scores after a text. */
async function logitsAfter(text: readonly number[]): Promise<Float32Array> {
  return (await model.open().evaluate([text])).logits(text.length - 1);
}

Deno.test("a greedy draft is what the draft model itself would go on with", async () => {
  const plain = await tokensOf(autoregress(model.open(), [0, 1], { maxTokens: 5, seed: 1 }));
  assertEquals(await modelDrafter(model).propose([0, 1], greedy), { tokens: plain });
});

Deno.test("a sampled draft tells the distribution that each token was drawn from", async () => {
  const sampling = { temperature: 0.8, topP: 0.9 };
  const request = { limit: 4, sampling, random: stream(1, "draft") };
  const { tokens, distributions } = await modelDrafter(model).propose([0, 1], request);
  const again = stream(1, "draft");
  const text = [0, 1];
  for (const [i, token] of tokens.entries()) {
    const q = distribution(await logitsAfter(text), sampling);
    assertEquals(distributions![i], q);
    assertEquals(token, sample(q, again));
    text.push(token);
  }
});

Deno.test("a draft asks to go on after each token but the last, and ends after a refusal", async () => {
  const asked: [number, number][] = [];
  const proceed = (confidence: number, drafted: number) => {
    asked.push([confidence, drafted]);
    return drafted < 3;
  };
  const { tokens } = await modelDrafter(model).propose([0, 1], { ...greedy, proceed });
  assertEquals(tokens.length, 3);
  const expected = [];
  for (let i = 0; i < 3; i++) {
    const logits = await logitsAfter([0, 1, ...tokens.slice(0, i)]);
    expected.push([probabilityOf(logits, tokens[i]!), i + 1]);
  }
  assertEquals(asked, expected);
  asked.length = 0;
  await modelDrafter(model).propose([0, 1], { ...greedy, limit: 2, proceed });
  assertEquals(asked.length, 1);
});

Deno.test("a sampled draft is as sure as the distribution that it drew from", async () => {
  const asked: number[] = [];
  const proceed = (confidence: number) => asked.push(confidence) > 0;
  const request = { limit: 4, sampling: { temperature: 2 }, random: stream(1, "draft"), proceed };
  const { tokens, distributions } = await modelDrafter(model).propose([0, 1], request);
  assertEquals(asked, tokens.slice(0, 3).map((token, i) => distributions![i]![token]!));
});

Deno.test("a drafter starts every prompt afresh", async () => {
  const used = modelDrafter(model);
  await used.begin!([5, 5, 5, 5, 5]);
  await used.propose([5, 5, 5, 5, 5], greedy);
  await used.begin!([0, 1]);
  assertEquals(
    await used.propose([0, 1], greedy),
    await modelDrafter(model).propose([0, 1], greedy),
  );
});

Deno.test("a drafter goes on in a context it is given, and leaves closing it to its owner", async () => {
  const closed: Context[] = [];
  const spied = wrapModel(model, (inner) => ({
    [Symbol.asyncDispose]: () => Promise.resolve(void closed.push(inner)),
  }));
  const context = spied.open();
  await context.append([[0, 1, 2]]);
  const drafter = modelDrafter(context, "given");
  assertEquals(drafter.name, "given");
  await drafter.begin!([0, 1, 2, 3, 4]);
  assertEquals(context.length(), 4);
  const alone = modelDrafter(spied);
  const text = [0, 1, 2, 3, 4];
  assertEquals(await drafter.propose(text, greedy), await alone.propose(text, greedy));
  await drafter[Symbol.asyncDispose]();
  assertEquals(closed.length, 0);
  await alone[Symbol.asyncDispose]();
  assertEquals(closed.length, 1);
});

Deno.test("a context that holds more than the prompt is refused", async () => {
  const context = model.open();
  await context.append([[0, 1, 2]]);
  await assertRejects(() => modelDrafter(context).begin!([0, 1, 2]), ContextError, "truncate");
});
