import { assert, assertEquals, assertLess } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import prompts from "../../data/prompts/quick.json" with { type: "json" };
import reference from "./fixtures/reference.json" with { type: "json" };
import { skipped, withModel } from "./real_model.ts";

Deno.test({
  name: "fp32 decodes what Hugging Face transformers decodes from the same weights",
  ignore: skipped,
  fn: () =>
    withModel({ precision: "fp32", exact: true }, async (model) => {
      for (const { id, prompt, greedy, top, logits } of reference.cases) {
        const { text } = prompts.find((candidate) => candidate.id === id)!;
        assertEquals(model.encodeChat([{ role: "user", content: text }]), prompt, id);
        await using context = model.open();
        await context.append([prompt.slice(0, -1)]);
        const scores = (await context.evaluate([prompt.slice(-1)])).logits(0);
        top.forEach((token, rank) => assertLess(Math.abs(scores[token]! - logits[rank]!), 1e-4));
        const tokens: number[] = [];
        const options = { maxTokens: greedy.length, seed: 1 };
        for await (const round of autoregress(context, prompt, options)) {
          tokens.push(...round.emitted);
        }
        assertEquals(tokens, greedy, id);
      }
      assert(reference.cases.length >= 12);
    }),
});
