import { assert } from "@std/assert";
import { firstOf } from "../../lib/decoding/drafters/first_of.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { onlineNgram } from "../../lib/decoding/drafters/online_ngram.ts";
import prompts from "../../data/prompts/quick.json" with { type: "json" };
import { skipped, withModel } from "../engine/real_model.ts";
import { assertGreedyAlike } from "./laws.ts";

Deno.test({
  name: "greedy speculation with n-grams, else a model, emits what plain decoding emits",
  ignore: skipped,
  fn: () =>
    withModel({ precision: "int4", exact: true }, async (model) => {
      const { text } = prompts.find(({ id }) => id === "extract-repeat")!;
      const prompt = model.encodeChat([{ role: "user", content: text }]);
      const drafters = [onlineNgram(), modelDrafter(model)];
      await using drafter = firstOf(drafters);
      const rounds = await assertGreedyAlike(model, drafter, prompt, { maxTokens: 48, seed: 1 });
      for (const { name } of drafters) {
        const own = rounds.filter((round) => round.drafter === name);
        assert(own.some(({ accepted }) => accepted > 0), `${name} drafts ${own.length} rounds`);
      }
    }),
});
