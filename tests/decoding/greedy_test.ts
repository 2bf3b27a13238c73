// Rung 3: greedy speculation is greedy decoding, whatever drafts and however far.
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import { tokensOf } from "./decode.ts";
import { draftersOf, policies, promptOf, targetOf } from "./kinds.ts";
import { assertGreedyAlike } from "./laws.ts";

Deno.test("greedy speculation emits what plain decoding emits, for every drafter and policy", async () => {
  for (let seed = 0; seed < 6; seed++) {
    const options = { maxTokens: 40, seed };
    const plain = await tokensOf(autoregress(targetOf(seed).open(), promptOf(seed), options));
    for (const policy of policies) {
      for (const drafter of draftersOf(seed, plain)) {
        await assertGreedyAlike(targetOf(seed), drafter, promptOf(seed), { ...options, policy });
      }
    }
  }
});

Deno.test("greedy speculation stops where plain decoding stops, at every length and end of text", async () => {
  for (let seed = 0; seed < 4; seed++) {
    const options = { maxTokens: 12, seed };
    const plain = await tokensOf(autoregress(targetOf(seed).open(), promptOf(seed), options));
    for (const end of new Set(plain)) {
      for (const maxTokens of [1, 2, 3, 5, plain.indexOf(end), plain.indexOf(end) + 1, 12]) {
        if (maxTokens === 0) continue;
        for (const policy of [1, 3, 8].map(fixed)) {
          for (const drafter of draftersOf(seed, plain)) {
            const limits = { maxTokens, seed, policy, endOfText: new Set([end]) };
            await assertGreedyAlike(targetOf(seed), drafter, promptOf(seed), limits);
          }
        }
      }
    }
  }
});
