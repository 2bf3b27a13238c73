import { assert, assertEquals, assertThrows } from "@std/assert";
import { treeDrafter } from "../../../lib/decoding/drafters/tree.ts";
import { distribution, likeliest, sample } from "../../../lib/decoding/sampling.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { stream } from "../../../lib/random.ts";
import { wrapModel } from "../../engine/wrap.ts";

const model = tableModel({ vocabularySize: 6, seed: "draft" });
const greedy = { limit: 5, sampling: {}, random: () => NaN };

/** The text that ends with a node. */
function textTo(node: number, tokens: readonly number[], parents: readonly number[]): number[] {
  return node < 0 ? [0, 1] : [...textTo(parents[node]!, tokens, parents), tokens[node]!];
}

async function logitsAfter(text: readonly number[]): Promise<Float32Array> {
  return (await model.open().evaluate([text])).logits(text.length - 1);
}

Deno.test("a greedy tree has the likeliest tokens at every node, best first", async () => {
  const { tokens, parents, distributions } = await treeDrafter(model, { widths: [3, 2, 1] })
    .propose([0, 1], greedy);
  assertEquals(parents, [-1, -1, -1, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals(distributions, undefined);
  for (const node of [-1, ...tokens.keys()]) {
    const children = tokens.filter((_, i) => parents![i] === node);
    const logits = await logitsAfter(textTo(node, tokens, parents!));
    assertEquals(children, likeliest(logits, children.length));
  }
});

Deno.test("a sampled tree draws every child by itself, and tells from what", async () => {
  const sampling = { temperature: 1.5, topK: 5 };
  for (let seed = 0; seed < 20; seed++) {
    const request = { limit: 5, sampling, random: stream(seed, "draft") };
    const { tokens, parents, distributions } = await treeDrafter(model, { widths: [3, 2] })
      .propose([0, 1], request);
    const again = stream(seed, "draft");
    for (const [node, token] of tokens.entries()) {
      const q = distribution(
        await logitsAfter(textTo(parents![node]!, tokens, parents!)),
        sampling,
      );
      assertEquals(distributions![node], q);
      assertEquals(token, sample(q, again));
    }
  }
});

Deno.test("of equal siblings only the first has children", async () => {
  let equal = 0;
  for (let seed = 0; seed < 50; seed++) {
    const request = { limit: 2, sampling: { temperature: 0.5 }, random: stream(seed, "draft") };
    const { tokens, parents } = await treeDrafter(model, { widths: [3, 1] }).propose(
      [0, 1],
      request,
    );
    for (let node = 0; node < 3; node++) {
      const first = tokens.indexOf(tokens[node]!) === node;
      if (!first) equal++;
      assertEquals(parents!.filter((parent) => parent === node).length, first ? 1 : 0);
    }
  }
  assert(equal > 10);
});

Deno.test("a tree is no deeper than the limit, and no wider than the vocabulary", async () => {
  const drafter = treeDrafter(model, { widths: [9, 1, 1] });
  const { parents } = await drafter.propose([0, 1], { ...greedy, limit: 2 });
  assertEquals(parents, [-1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5]);
});

Deno.test("a refusal to proceed ends the branch of that token", async () => {
  const asked: number[] = [];
  const proceed = (_: number, depth: number) => asked.push(depth) !== 2; // the second root
  const { parents } = await treeDrafter(model, { widths: [2, 2, 1] })
    .propose([0, 1], { ...greedy, proceed });
  assertEquals(parents, [-1, -1, 0, 0, 2, 3]);
  assertEquals(asked, [1, 1, 2, 2]); // leaves are not asked about
});

Deno.test("a tree takes one pass a level, and commits nothing but text", async () => {
  const passes: number[] = [];
  const lengths: number[] = [];
  const spied = wrapModel(model, (inner) => ({
    evaluate: (tokens, parents) => {
      passes.push(tokens[0]!.length);
      lengths.push(inner.length());
      return inner.evaluate(tokens, parents);
    },
  }));
  const drafter = treeDrafter(spied, { widths: [2, 2, 2] });
  await drafter.begin!([0, 1]);
  await drafter.propose([0, 1], greedy);
  await drafter.propose([0, 1, 5, 4], greedy);
  assertEquals(passes, [1, 2, 6, 2, 2, 6]);
  assertEquals(lengths, [1, 2, 2, 2, 4, 4]);
});

Deno.test("treeDrafter() refuses shapes that are no tree", () => {
  for (const widths of [[], [0], [2, -1], [1.5]]) {
    assertThrows(() => treeDrafter(model, { widths }), RangeError, "widths");
  }
});
