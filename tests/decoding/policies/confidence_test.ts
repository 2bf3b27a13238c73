import { assertEquals, assertThrows } from "@std/assert";
import { modelDrafter } from "../../../lib/decoding/drafters/model.ts";
import { confidence } from "../../../lib/decoding/policies/confidence.ts";
import { argmax, probabilityOf } from "../../../lib/decoding/sampling.ts";
import { speculate } from "../../../lib/decoding/speculative.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { roundsOf } from "../decode.ts";

Deno.test("confidence() goes on at its threshold, and ends below it", () => {
  const { proceed } = confidence({ threshold: 0.5 });
  assertEquals([0.51, 0.5, 0.4999].map((sure) => proceed!(sure, 1)), [true, true, false]);
});

Deno.test("a greedy draft ends with its first unsure token, or at the longest length", async () => {
  const model = tableModel({ vocabularySize: 6, seed: 1 });
  for (const threshold of [0, 0.4, 0.6, 1]) {
    const policy = confidence({ threshold, draftLength: 5 });
    const options = { maxTokens: 60, seed: 1, policy };
    const rounds = await roundsOf(speculate(model.open(), modelDrafter(model), [0], options));
    const text = [0];
    for (const { drafted, emitted, stop } of rounds) {
      let expected = 0;
      for (const ahead = [...text]; expected < 5;) {
        const logits = (await model.open().evaluate([ahead])).logits(ahead.length - 1);
        expected++;
        if (probabilityOf(logits, argmax(logits)) < threshold) break;
        ahead.push(argmax(logits));
      }
      if (stop === null) assertEquals(drafted.length, expected);
      text.push(...emitted);
    }
  }
});

Deno.test("confidence() refuses what is no probability or length", () => {
  assertThrows(() => confidence({ threshold: 1.1 }), RangeError, "threshold");
  assertThrows(() => confidence({ draftLength: 0 }), RangeError, "draftLength");
});
