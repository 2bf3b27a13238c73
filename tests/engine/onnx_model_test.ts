import { loadModel } from "../../lib/engine/load.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { type LawOptions, laws } from "./laws.ts";
import { MODEL, skipped } from "./real_model.ts";

/** Laws that exact mode keeps to the bit. A tree's keys lie in other slots, so its sums round otherwise. */
const TO_THE_BIT = [
  "logits do not depend on how many tokens a pass reads",
  "rows of unequal length are scored as if each were alone",
];
const ROUNDS: Readonly<Record<string, number>> = {
  "rows of unequal length are scored as if each were alone": 3,
  "a tree's token is scored as if its path were all the text": 6,
  "whatever was forked, truncated or not committed, a context scores like a fresh one": 6,
};

for (const [law, check] of Object.entries(laws)) {
  const exact = TO_THE_BIT.includes(law);
  for (const precision of exact ? ["fp32", "int8", "int4"] as const : ["fp32"] as const) {
    Deno.test({
      name: `real weights in ${precision}: ${law}`,
      ignore: skipped,
      fn: async () => {
        using runtime = new Runtime({ threads: 2 });
        await using model = await loadModel(MODEL, { runtime, precision, exact: true });
        const options: LawOptions = { rounds: ROUNDS[law] ?? 8, tolerance: exact ? 0 : 1e-4 };
        await check(model, options);
      },
    });
  }
}
