import { assertEquals, assertGreater } from "@std/assert";
import type { Context, Evaluation } from "../../lib/engine/language_model.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { laws } from "./laws.ts";
import { type Change, wrapModel } from "./wrap.ts";

const breaches: Readonly<Record<string, Change>> = {
  "forks write into the context they came from": (inner) => ({ fork: () => inner }),
  "a tree is read as a chain": (inner) => ({ evaluate: (tokens) => inner.evaluate(tokens) }),
  "truncation is forgotten": () => ({ truncate: () => {} }),
  "a commit keeps nothing": (inner) => ({
    commit: (evaluation) => inner.commit(evaluation, evaluation.tokens.map(() => 0)),
  }),
  "evaluated tokens stay": (inner) => ({
    evaluate: async (tokens, parents) => {
      await inner.append(tokens);
      return inner.evaluate(tokens, parents);
    },
  }),
  "rows see the first row": (inner) =>
    rescored(
      inner,
      (tokens, { logits }) => (index, row) => logits(index, index < tokens[0]!.length ? 0 : row),
    ),
  "wide passes score a little differently": (inner) =>
    rescored(
      inner,
      (tokens, { logits }) => (index, row) =>
        logits(index, row).map((logit) => logit + (tokens[0]!.length > 1 ? 1e-3 : 0)),
    ),
};

/** Changes what evaluations say; they stay the objects that the context knows. */
function rescored(
  inner: Context,
  change: (
    tokens: readonly (readonly TokenId[])[],
    evaluation: Evaluation,
  ) => Evaluation["logits"],
): Partial<Context> {
  return {
    evaluate: async (tokens, parents) => {
      const evaluation = await inner.evaluate(tokens, parents);
      return Object.assign(evaluation, { logits: change(tokens, { ...evaluation }) });
    },
  };
}

/** The laws that a model breaks. */
async function broken(change: Change, tolerance = 0): Promise<string[]> {
  const model = wrapModel(tableModel({ vocabularySize: 7, seed: 1, contextLength: 200 }), change);
  const names: string[] = [];
  for (const [law, check] of Object.entries(laws)) {
    await check(model, { tolerance }).catch(() => names.push(law));
  }
  return names;
}

for (const [breach, change] of Object.entries(breaches)) {
  Deno.test(`the laws notice if ${breach}`, async () => {
    assertGreater((await broken(change)).length, 0);
  });
}

Deno.test("the laws allow differences up to the tolerance", async () => {
  assertEquals(await broken(breaches["wide passes score a little differently"]!, 2e-3), []);
});

Deno.test("the laws hold for a model that is only wrapped", async () => {
  assertEquals(await broken(() => ({})), []);
});
