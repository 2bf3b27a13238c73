/**
 * What exact mode promises, on all prompts: `deno task prove`. Half an hour on two cores.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import prompts from "../../data/prompts/quick.json" with { type: "json" };
import { loadModel } from "../../lib/engine/load.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { assertWidthsAgree, compareSpeculation } from "../engine/exactness.ts";
import { MODEL } from "../engine/real_model.ts";

const PRECISIONS = ["fp32", "int8", "int4"] as const;
const WIDTHS = Array.from({ length: 16 }, (_, i) => i + 1);

for (const precision of PRECISIONS) {
  Deno.test(`${precision} logits are equal to the bit in passes of 1 to 16 tokens`, async () => {
    using runtime = new Runtime({ threads: 2 });
    await using model = await loadModel(MODEL, { runtime, precision, exact: true });
    for (const length of [10, 255, 256, 257, 2048]) await assertWidthsAgree(model, length, WIDTHS);
  });

  for (const exact of [true, false]) {
    const mode = exact ? "exact" : "fast";
    Deno.test(`greedy speculation emits what plain decoding emits: ${precision}, ${mode}`, async () => {
      using runtime = new Runtime({ threads: 2 });
      await using target = await loadModel(MODEL, { runtime, precision, exact });
      await using draft = await loadModel(MODEL, { runtime, precision: "int4", exact });
      const { runs, tokens, differences } = await compareSpeculation(target, draft, {
        prompts: prompts.map((_, index) => index),
        draftLengths: [1, 2, 3, 4, 5, 8, 16],
        maxTokens: 64,
        confidence: true,
      });
      console.log(`${precision}, ${mode}: ${runs} runs, ${tokens} tokens, differing:`, differences);
      if (exact) assertEquals(differences, []);
      else assert(!differences.some((difference) => difference.startsWith("bug")));
    });
  }
}
