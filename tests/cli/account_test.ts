import { assertEquals } from "@std/assert";
import { account, facts, type Generation } from "../../cli/account.ts";
import type { Round } from "../../lib/decoding/round.ts";

/** Two rounds of four drafted tokens: all stood, and the second of two that were tested did not. */
const rounds = [
  { drafted: [1, 2, 3, 4], tested: 4, accepted: 4, emitted: [1, 2, 3, 4, 5], stop: null },
  { drafted: [6, 8, 8, 8], tested: 2, accepted: 1, emitted: [6, 7], stop: "length" },
] as unknown as Round[];
const tokens = rounds.flatMap(({ emitted }) => emitted);
const drafted: Generation = { tokens, rounds, decodeMs: 70 };
const plain: Generation = { tokens, rounds: [], decodeMs: 140 };

Deno.test("the account counts α over tested tokens and τ over rounds", () => {
  assertEquals(account(drafted, null), "7 tokens · 100.0 tok/s · α 0.83 · τ 3.50");
});

Deno.test("the account of undrafted text has no α", () => {
  const round = { drafted: [], tested: 0, accepted: 0, emitted: [1] } as unknown as Round;
  const alone = { tokens: [1], rounds: [round], decodeMs: 10 };
  assertEquals(account(alone, null), "1 tokens · 100.0 tok/s · τ 1.00");
});

Deno.test("the speed-up is a ratio of times for each token, and says whether the text is the same", () => {
  assertEquals(
    account(drafted, plain).split(" · ").slice(4),
    ["speed-up 2.00", "plain 50.0 tok/s", "same text"],
  );
  const shorter = { tokens: tokens.slice(0, 5), rounds: [], decodeMs: 100 };
  assertEquals(
    account(drafted, shorter).split(" · ").slice(4),
    ["speed-up 2.00", "plain 50.0 tok/s", "other text"],
  );
});

Deno.test("the facts hold counts and times, and plain decoding only where it was done", () => {
  const { stop, timing, plain: absent } = facts(drafted, null, 5);
  assertEquals([stop, timing, absent], ["length", { prefillMs: 5, decodeMs: 70 }, undefined]);
  assertEquals(facts(drafted, plain, 5)["plain"], { tokens, decodeMs: 140 });
});
