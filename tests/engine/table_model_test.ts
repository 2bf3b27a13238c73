import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { LanguageModel } from "../../lib/engine/language_model.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import { laws } from "./laws.ts";

for (const [law, check] of Object.entries(laws)) {
  Deno.test(`table model: ${law}`, async () => {
    const model = tableModel({ vocabularySize: 7, seed: 1, contextLength: 200 });
    await check(model, { rounds: 200 });
  });
}

/** The scores after a text. */
async function score(model: LanguageModel, text: readonly number[]): Promise<number[]> {
  const evaluation = await model.open().evaluate([text]);
  return [...evaluation.logits(text.length - 1)];
}

Deno.test("tableModel() is fixed by its seed", async () => {
  const [once, again, other] = [1, 1, 2].map((seed) => tableModel({ vocabularySize: 5, seed }));
  assertEquals(await score(once!, [3, 1]), await score(again!, [3, 1]));
  assertNotEquals(await score(once!, [3, 1]), await score(other!, [3, 1]));
});

Deno.test("tableModel() looks back as many tokens as its order", async () => {
  const model = tableModel({ vocabularySize: 5, seed: 1, order: 2 });
  assertEquals(await score(model, [0, 3, 1]), await score(model, [4, 2, 3, 1]));
  assertNotEquals(await score(model, [0, 3, 1]), await score(model, [0, 4, 1]));
  const blind = tableModel({ vocabularySize: 5, seed: 1, order: 0 });
  assertEquals(await score(blind, [0]), await score(blind, [3, 1]));
});

Deno.test("tableModel() spreads its logits as far as it is told", async () => {
  const flat = await score(tableModel({ vocabularySize: 5, seed: 1, spread: 0 }), [0]);
  assertEquals(flat.map(Math.abs), [0, 0, 0, 0, 0]);
  const steep = await score(tableModel({ vocabularySize: 1000, seed: 1, spread: 9 }), [0]);
  assert(steep.every((logit) => Math.abs(logit) <= 9) && steep.some((logit) => logit > 8));
});

Deno.test("a caller who writes into logits does not change the table", async () => {
  const model = tableModel({ vocabularySize: 5, seed: 1 });
  const before = await score(model, [0]);
  (await model.open().evaluate([[0]])).logits(0).fill(9);
  assertEquals(await score(model, [0]), before);
});

Deno.test("tableModel() has no logits of tokens that were not evaluated", async () => {
  const context = tableModel({ vocabularySize: 5, seed: 1 }).open();
  const evaluation = await context.evaluate([[0, 1]]);
  for (const index of [-1, 2, 0.5]) {
    assertThrows(() => evaluation.logits(index), RangeError, "Cannot read logits");
  }
  assertThrows(() => evaluation.logits(0, 1), RangeError, "Cannot read logits");
});

Deno.test("tableModel() refuses options out of range", () => {
  for (
    const options of [{ vocabularySize: 1 }, { order: -1 }, { spread: NaN }, { contextLength: 0 }]
  ) {
    assertThrows(() => tableModel({ vocabularySize: 5, seed: 1, ...options }), RangeError);
  }
  assertThrows(() => tableModel({ vocabularySize: 5, seed: 1 }).open(0), RangeError);
});
