import { assertEquals, assertRejects } from "@std/assert";
import { prefill, prefillRows } from "../../lib/decoding/prefill.ts";
import { ContextError } from "../../lib/engine/language_model.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import { wrapContext } from "../engine/wrap.ts";

const model = tableModel({ vocabularySize: 7, seed: 1 });
const promptOf = (length: number) => Array.from({ length }, (_, i) => i % 7);

Deno.test("prefill() reads all but the last token, after what is held already", async () => {
  for (const length of [1, 2, 513, 514, 2000]) {
    for (const held of [0, 1, length - 1]) {
      if (held >= length) continue;
      const read = promptOf(held);
      const holding = model.open();
      await holding.append([read]);
      const context = wrapContext(holding, (inner) => ({
        append: (tokens) => {
          read.push(...tokens[0]!);
          return inner.append(tokens);
        },
      }));
      await prefill(context, promptOf(length));
      assertEquals(read, promptOf(length).slice(0, -1));
      assertEquals(context.length(), length - 1);
    }
  }
});

Deno.test("prefillRows() reads prompts of unequal length side by side", async () => {
  const context = model.open(3);
  await prefillRows(context, [promptOf(1200), promptOf(1), promptOf(600)]);
  assertEquals([0, 1, 2].map((row) => context.length(row)), [1199, 0, 599]);
});

Deno.test("prefill() stops between chunks when the signal is aborted", async () => {
  const controller = new AbortController();
  const context = wrapContext(model.open(), (inner) => ({
    append: async (tokens) => {
      await inner.append(tokens);
      controller.abort(new Error("enough"));
    },
  }));
  const { signal } = controller;
  await assertRejects(() => prefill(context, promptOf(2000), { signal }), Error, "enough");
  assertEquals(context.length(), 512);
});

Deno.test("prefill() refuses an empty prompt, and a context that holds all of it", async () => {
  await assertRejects(() => prefill(model.open(), []), ContextError, "prompt is empty");
  const context = model.open();
  await context.append([[0, 1, 2]]);
  await assertRejects(() => prefill(context, [0, 1, 2]), ContextError, "truncate");
  await assertRejects(() => prefill(model.open(2), [0, 1]), ContextError, "one a row");
  assertEquals(context.length(), 3);
});
