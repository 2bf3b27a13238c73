import { skipped } from "../engine/real_model.ts";
import { assertGreedyText, DRAFTS, withDraft } from "./real_drafts.ts";

// All drafts, prompts and precisions, and sampled text: tests/proofs/drafts_proof.ts.
Deno.test({
  name: "a trained draft leaves greedy text as it is",
  ignore: skipped,
  fn: () =>
    withDraft(DRAFTS[0]!, "int4", async (target, draft) => {
      await assertGreedyText(target, draft, { count: 1, draftLengths: [4], maxTokens: 32 });
    }),
});
