import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { sample } from "../../lib/decoding/sampling.ts";
import { stream } from "../../lib/random.ts";
import {
  chiSquareQuantile,
  chiSquareTail,
  gTest,
  holm,
  leastPower,
  noncentralTail,
} from "./statistics.ts";

/** How often each token comes up in `n` draws. */
function countDraws(p: readonly number[], n: number, seed: number): Map<string, number> {
  const random = stream(seed, "draws");
  const counts = new Map<string, number>();
  for (let i = 0; i < n; i++) {
    const token = String(sample(Float64Array.from(p), random));
    counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  return counts;
}

const asMap = (p: readonly number[]) => new Map(p.map((mass, token) => [String(token), mass]));

Deno.test("chiSquareTail() has its closed form where degrees are even", () => {
  for (const degrees of [2, 4, 26, 80]) {
    for (const x of [0.1, 1, 10, 50, 200]) {
      let [term, sum] = [1, 1];
      for (let i = 1; i < degrees / 2; i++) sum += term *= x / 2 / i;
      assertAlmostEquals(chiSquareTail(x, degrees) / (Math.exp(-x / 2) * sum), 1, 1e-10);
    }
  }
});

Deno.test("χ² tails agree with SciPy 1.17", () => {
  assertAlmostEquals(chiSquareTail(7.5, 3), 0.0575584519726364, 1e-13);
  assertAlmostEquals(chiSquareTail(100, 26) / 1.2834930309977087e-10, 1, 1e-10);
  assertAlmostEquals(chiSquareQuantile(1e-4, 26), 61.65726127708559, 1e-6);
  assertAlmostEquals(noncentralTail(62, 26, 80), 0.9947922782280888, 1e-11);
  assertAlmostEquals(noncentralTail(20, 5, 10), 0.21892961171496422, 1e-11);
});

Deno.test("gTest() is 0 where counts are as expected, and pools what is rare", () => {
  const counts = new Map([["a", 600], ["b", 400]]);
  assertEquals(gTest(counts, new Map([["a", 0.6], ["b", 0.4]])).statistic, 0);
  const rare = new Map([["a", 0.6], ["b", 0.399], ["c", 0.0005], ["d", 0.0005]]);
  assertEquals(gTest(counts, rare).degrees, 1);
});

Deno.test("gTest() rejects what cannot happen", () => {
  const counts = new Map([["a", 600], ["b", 400], ["c", 1]]);
  assertEquals(gTest(counts, new Map([["a", 0.6], ["b", 0.4], ["c", 0]])).pValue, 0);
  assertEquals(gTest(counts, new Map([["a", 0.6], ["b", 0.4]])).pValue, 0);
});

Deno.test("gTest() errs as often as its significance says", () => {
  const p = [0.5, 0.3, 0.15, 0.05];
  const runs = 1000;
  let rejected = 0;
  for (let seed = 0; seed < runs; seed++) {
    if (gTest(countDraws(p, 400, seed), asMap(p)).pValue < 0.05) rejected++;
  }
  assert(rejected > 30 && rejected < 75, `${rejected} of ${runs}`); // 50 ± 3.6 standard deviations
});

Deno.test("a deviation is found at least as often as leastPower() says", () => {
  const [p, deviating, n] = [[0.5, 0.3, 0.2], [0.56, 0.24, 0.2], 800]; // total variation 0.06
  const promised = leastPower(n, 2, 0.05, 0.06);
  const runs = 500;
  let rejected = 0;
  for (let seed = 0; seed < runs; seed++) {
    if (gTest(countDraws(deviating, n, seed), asMap(p)).pValue < 0.05) rejected++;
  }
  assertLess(promised - 3 * Math.sqrt(promised * (1 - promised) / runs), rejected / runs);
});

Deno.test("holm() compares the rank-th smallest p-value with level / (tests − rank)", () => {
  assertEquals(holm([0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
  assertEquals(holm([0.02, 0.001], 0.05), [true, true]);
  assertEquals(holm([0.2, 0.9], 0.05), [false, false]);
});
