import { assert, assertEquals } from "@std/assert";
import type { Drafter } from "../../../lib/decoding/drafters/drafter.ts";
import { modelDrafter } from "../../../lib/decoding/drafters/model.ts";
import { treeDrafter } from "../../../lib/decoding/drafters/tree.ts";
import type { Sampling } from "../../../lib/decoding/sampling.ts";
import type { LanguageModel } from "../../../lib/engine/language_model.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { stream } from "../../../lib/random.ts";
import { assertGreedyAlike } from "../laws.ts";
import { trim } from "../trim.ts";

const SIZE = 8;
const KEPT = [1, 2, 5];
const SAMPLINGS: readonly Sampling[] = [{}, { temperature: 1 }, { temperature: 0.7, topP: 0.9 }, {
  temperature: 1.2,
  topK: 2,
}];
const model = tableModel({ vocabularySize: SIZE, seed: "draft" });
const target = tableModel({ vocabularySize: SIZE, seed: "target" });

const kinds: Readonly<Record<string, (model: LanguageModel) => Drafter>> = {
  chain: modelDrafter,
  tree: (model) => treeDrafter(model, { widths: [2, 2] }),
};

for (const [kind, open] of Object.entries(kinds)) {
  Deno.test(`${kind}: a draft with a trimmed vocabulary proposes no other token`, async () => {
    for (const sampling of SAMPLINGS) {
      for (let seed = 0; seed < 50; seed++) {
        const text = [seed % SIZE, 3, 7, (seed * 5) % SIZE];
        const request = { limit: 4, sampling, random: stream(seed, "draft") };
        const { tokens, distributions } = await open(trim(model, KEPT)).propose(text, request);
        assert(tokens.length > 0 && tokens.every((token) => KEPT.includes(token)));
        for (const [i, q] of (distributions ?? []).entries()) {
          assertEquals(q.length, SIZE);
          assert(q[tokens[i]!]! > 0);
          assert(q.every((mass, token) => mass === 0 || KEPT.includes(token)));
        }
      }
    }
  });

  Deno.test(`${kind}: a vocabulary trimmed to all of its tokens changes nothing`, async () => {
    const all = trim(model, [...Array(SIZE).keys()]);
    for (const sampling of SAMPLINGS) {
      const request = () => ({ limit: 4, sampling, random: stream(1, "draft") });
      const [trimmed, whole] = [all, model].map((model) => open(model).propose([0, 3], request()));
      assertEquals(await trimmed, await whole);
    }
  });

  Deno.test(`${kind}: greedy text does not depend on how far the draft is trimmed`, async () => {
    for (let kept = 1; kept <= SIZE; kept++) {
      const drafter = open(trim(model, [...Array(kept).keys()]));
      await assertGreedyAlike(target, drafter, [0, 1, 2], { maxTokens: 24, seed: 1 });
    }
  });
}

Deno.test("a trimmed draft is as sure as its share of what it scores", async () => {
  const asked: number[] = [];
  const proceed = (confidence: number) => asked.push(confidence) > 0;
  const alone = trim(model, [4]);
  await modelDrafter(alone).propose([0, 1], {
    limit: 4,
    sampling: {},
    random: Math.random,
    proceed,
  });
  assertEquals(asked, [1, 1, 1]);
});
