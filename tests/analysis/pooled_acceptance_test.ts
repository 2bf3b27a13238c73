import { assertAlmostEquals, assertEquals } from "@std/assert";
import { poolAcceptance } from "../../lib/analysis/pooled_acceptance.ts";

Deno.test("the jackknife of equal prompts is the standard error of their mean", () => {
  const accepted = [2, 5, 7, 9];
  const { alpha, error } = poolAcceptance(
    accepted.map((count, i) => ({ prompt: `p${i}`, tested: 10, accepted: count })),
  )!;
  const shares = accepted.map((count) => count / 10);
  const mean = shares.reduce((sum, share) => sum + share, 0) / 4;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / 3;
  assertAlmostEquals(alpha, mean, 1e-12);
  assertAlmostEquals(error!, Math.sqrt(variance / 4), 1e-12);
});

Deno.test("two runs of one prompt are one prompt to the jackknife", () => {
  const counts = ["a", "a", "b", "c"].map((prompt, i) => ({ prompt, tested: 4, accepted: i }));
  const joined = [{ prompt: "a", tested: 8, accepted: 1 }, ...counts.slice(2)];
  assertEquals(poolAcceptance(counts), poolAcceptance(joined));
});
