import {
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import {
  acceptance,
  acceptedPerDrafted,
  expectedTokens,
  expectedTokensByPosition,
  leviathanOperations,
  leviathanSpeedup,
  speedupOf,
} from "../../lib/analysis/metrics.ts";

Deno.test("expected tokens follow Leviathan's closed form", () => {
  for (const alpha of [0, 0.1, 0.5, 0.8, 0.99]) {
    for (const k of [0, 1, 4, 16]) {
      assertAlmostEquals(expectedTokens(alpha, k), (1 - alpha ** (k + 1)) / (1 - alpha), 1e-12);
    }
  }
  assertEquals(expectedTokens(1, 7), 8);
  assertEquals(expectedTokensByPosition([0.9, 0.5]), 1 + 0.9 + 0.45);
  assertThrows(() => expectedTokens(1.1, 2), RangeError);
});

Deno.test("some draft length helps if and only if α > c, where verification is free", () => {
  const best = (alpha: number, c: number) =>
    Math.max(...Array.from({ length: 30 }, (_, k) => leviathanSpeedup(alpha, k + 1, c)));
  assertGreater(best(0.31, 0.3), 1);
  assertLess(best(0.29, 0.3), 1);
  assertGreater(best(0.6, 0.1), (1 + 0.6) / (1 + 0.1) - 1e-12);
});

Deno.test("prior art's break-even table: v = 1.3, c = 0.1", () => {
  for (const [k, alpha] of [[1, 0.40], [2, 0.37], [4, 0.42], [8, 0.53]] as const) {
    assertAlmostEquals(speedupOf(expectedTokens(alpha, k), k, { c: 0.1, v: 1.3, h: 0 }), 1, 0.02);
  }
  assertAlmostEquals(leviathanOperations(0.8, 4, 0), 5 / expectedTokens(0.8, 4));
});

Deno.test("accepted per drafted token falls with K at the same α", () => {
  // α = 0.8: of K drafted, E[accepted] = E[τ] − 1, and as many tested plus the rejections.
  const share = (k: number) => (expectedTokens(0.8, k) - 1) / k;
  assertEquals([1, 4, 8, 16].map((k) => Math.round(100 * share(k))), [80, 59, 42, 24]);
  assertEquals([
    acceptance({ accepted: 0, tested: 0 }),
    acceptedPerDrafted({ accepted: 0, drafted: 0 }),
  ], [null, null]);
});
