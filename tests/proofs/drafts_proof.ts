/**
 * What every draft under data/models promises on real weights, by hand:
 * `deno test -A tests/proofs/drafts_proof.ts`. Half an hour on two cores, an hour with the wide ones.
 *
 * @module
 */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { basename } from "node:path";
import prompts from "../../data/prompts/quick.json" with { type: "json" };
import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import { distribution } from "../../lib/decoding/sampling.ts";
import type { LoadedModel } from "../../lib/engine/load.ts";
import { assertGreedyText, DRAFTS, gatePairs, withDraft } from "../decoding/real_drafts.ts";
import { type GTest, holm, leastPower } from "../decoding/statistics.ts";

const PRECISIONS = ["fp32", "int8", "int4"] as const;

for (const path of DRAFTS) {
  const name = basename(path, ".gguf");
  for (const precision of PRECISIONS) {
    Deno.test(`${name} leaves greedy text as it is (${precision})`, () =>
      withDraft(path, precision, async (target, draft) => {
        const { tested, accepted } = await assertGreedyText(target, draft, {
          count: prompts.length,
          draftLengths: [2, 4, 8],
          maxTokens: 48,
        });
        console.log(`${name}, ${precision}: ${accepted} of ${tested} tested tokens accepted`);
      }));
  }
}

// Three tokens of the target's are kept at each place, so two places have nine outcomes at most. A
// deviation of 10 % total variation is found with a probability of 99 %, and a draft that tells other
// probabilities than it draws from must fail the same gate. Seeds are fixed, so the outcome is.
const LEVEL = 1e-3;
const DEVIATION = 0.1;
const RUNS = 2500;
const SAMPLING = { temperature: 1, topK: 3 };

function promptOf(target: LoadedModel) {
  const { text } = prompts.find(({ task }) => task === "story")!;
  return target.encodeChat([{ role: "user", content: text }]);
}

/** A drafter that says it drew from a sharper distribution than it did. */
function boasting(drafter: Drafter): Drafter {
  return {
    ...drafter,
    async propose(text, request) {
      const draft = await drafter.propose(text, request);
      const sharper = (q: ArrayLike<number>) =>
        distribution(Float64Array.from(q, Math.log), { temperature: 1 / 3 });
      return { ...draft, distributions: draft.distributions!.map(sharper) };
    },
  };
}

Deno.test("sampled text with every draft is distributed as the target's own", async () => {
  const found: GTest[] = [];
  for (const path of DRAFTS) {
    await withDraft(path, "int4", async (target, draft) => {
      const gate = { prompt: promptOf(target), sampling: SAMPLING, runs: RUNS };
      found.push(await gatePairs(target, draft, gate));
    });
  }
  const pValues = found.map(({ pValue }) => pValue);
  console.log(`p of ${DRAFTS.map((path) => basename(path))}:`, pValues);
  const rejected = holm(pValues, LEVEL);
  assertEquals(DRAFTS.filter((_, i) => rejected[i]), []);
  for (const { degrees } of found) {
    assertGreater(degrees, 1);
    assertGreater(leastPower(RUNS, degrees, LEVEL / DRAFTS.length, DEVIATION), 0.99);
  }
});

Deno.test("the gate rejects a draft that tells other probabilities than it draws from", () =>
  withDraft(DRAFTS[0]!, "int4", async (target, draft) => {
    const gate = { prompt: promptOf(target), sampling: SAMPLING, runs: RUNS, change: boasting };
    const { pValue } = await gatePairs(target, draft, gate);
    assertLess(pValue, LEVEL / DRAFTS.length);
  }));
