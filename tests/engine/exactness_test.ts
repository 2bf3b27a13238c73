import { assertEquals } from "@std/assert";
import type { Precision } from "../../lib/models/graph.ts";
import { loadModel } from "../../lib/engine/load.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { assertWidthsAgree, compareSpeculation } from "./exactness.ts";
import { MODEL, skipped, withModel } from "./real_model.ts";

// A part of what `deno task prove` checks in full.

for (const precision of ["fp32", "int8", "int4"] as const satisfies Precision[]) {
  Deno.test({
    name: `${precision} logits do not depend on the width of a pass, nor on a cache that grew`,
    ignore: skipped,
    fn: () =>
      withModel({ precision, exact: true }, async (model) => {
        for (const length of [10, 255, 256, 257]) {
          await assertWidthsAgree(model, length, [1, 3, 5, 16]);
        }
      }),
  });

  Deno.test({
    name: `greedy speculation emits what plain decoding emits, in ${precision}`,
    ignore: skipped,
    fn: async () => {
      using runtime = new Runtime({ threads: 2 });
      await using target = await loadModel(MODEL, { runtime, precision, exact: true });
      await using draft = await loadModel(MODEL, { runtime, precision: "int4", exact: true });
      const { differences } = await compareSpeculation(target, draft, {
        prompts: [0, 1],
        draftLengths: [1, 4, 8],
        maxTokens: 48,
        confidence: true,
      });
      assertEquals(differences, []);
    },
  });
}
