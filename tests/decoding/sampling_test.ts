import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  argmax,
  distribution,
  likeliest,
  probabilityOf,
  sample,
} from "../../lib/decoding/sampling.ts";
import { stream } from "../../lib/random.ts";

const HIGHEST = 1 - 2 ** -53;
const logitsOf = (...p: number[]) => p.map(Math.log);

function assertProbabilities(actual: ArrayLike<number>, expected: number[]): void {
  assertEquals(actual.length, expected.length);
  expected.forEach((p, i) => assertAlmostEquals(actual[i]!, p, 1e-12));
}

/** Logits of very unequal distributions, ties among them. */
function seededLogits(seed: number): Float32Array {
  const random = stream(seed, "logits");
  const spread = 10 ** (2 * random() - 1);
  return Float32Array.from({ length: 50 }, () => spread * Math.round(20 * random()));
}

Deno.test("argmax() and likeliest() put the lowest id first among equals", () => {
  assertEquals(argmax([1, 3, 3, 2]), 1);
  assertEquals(argmax([-Infinity, -5]), 1);
  assertEquals(likeliest([1, 3, 3, 2, 3], 4), [1, 2, 4, 3]);
  assertEquals(likeliest([1, 3], 5), [1, 0]);
  assertEquals(likeliest([1, 3], 0), []);
});

Deno.test("argmax() finds the best wherever it stands, and nothing in what is no number", () => {
  for (let length = 1; length < 40; length++) {
    for (let best = 0; best < length; best++) {
      const scores = new Float32Array(length).fill(-1);
      scores[best] = 2;
      scores.fill(NaN, best + 1, best + 3);
      assertEquals(argmax(scores), best);
    }
  }
});

Deno.test("likeliest() is the head of a stable sort", () => {
  for (let seed = 0; seed < 100; seed++) {
    const logits = seededLogits(seed);
    const sorted = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
    for (const count of [1, 2, 7, 50]) {
      assertEquals(likeliest(logits, count), sorted.slice(0, count));
    }
    assertEquals(likeliest(logits, 1), [argmax(logits)]);
  }
});

Deno.test("temperature 1 leaves probabilities, others raise them to its inverse", () => {
  assertProbabilities(distribution(logitsOf(0.5, 0.3, 0.2), { temperature: 1 }), [0.5, 0.3, 0.2]);
  const total = 0.25 + 0.09 + 0.04;
  assertProbabilities(
    distribution(logitsOf(0.5, 0.3, 0.2), { temperature: 0.5 }),
    [0.25 / total, 0.09 / total, 0.04 / total],
  );
});

Deno.test("extreme logits and temperatures give probabilities, not NaN", () => {
  assertProbabilities(distribution([1e4, 0, -Infinity], { temperature: 1 }), [1, 0, 0]);
  assertProbabilities(distribution([-1e30, -1e30], { temperature: 1 }), [0.5, 0.5]);
  assertProbabilities(distribution([1, 2, 2], { temperature: Number.MIN_VALUE }), [0, 0.5, 0.5]);
  assertProbabilities(distribution([1, 2], { temperature: 1e300 }), [0.5, 0.5]);
});

Deno.test("top-k keeps the k likeliest and ties with the last of them", () => {
  const logits = logitsOf(0.1, 0.4, 0.2, 0.2, 0.1);
  assertProbabilities(distribution(logits, { temperature: 1, topK: 1 }), [0, 1, 0, 0, 0]);
  assertProbabilities(distribution(logits, { temperature: 1, topK: 2 }), [0, 0.5, 0.25, 0.25, 0]);
  assertProbabilities(distribution(logits, { temperature: 1, topK: 3 }), [0, 0.5, 0.25, 0.25, 0]);
  for (const topK of [0, 5, 6]) {
    assertProbabilities(distribution(logits, { temperature: 1, topK }), [0.1, 0.4, 0.2, 0.2, 0.1]);
  }
});

Deno.test("top-k does not bring back what has no probability", () => {
  assertProbabilities(distribution([0, -Infinity, -Infinity], { temperature: 1, topK: 2 }), [
    1,
    0,
    0,
  ]);
});

Deno.test("top-p keeps the fewest likeliest tokens whose mass reaches p, lowest ids among equals", () => {
  const p = (logits: number[], topP: number) => distribution(logits, { temperature: 1, topP });
  const logits = [2, 3, 2, 0].map((bits) => bits * Math.LN2); // 4, 8, 4, 1 of 17
  assertProbabilities(p(logits, 7.9 / 17), [0, 1, 0, 0]);
  assertProbabilities(p(logits, 8.1 / 17), [1 / 3, 2 / 3, 0, 0]);
  assertProbabilities(p(logits, 15.9 / 17), [0.25, 0.5, 0.25, 0]);
  assertProbabilities(p(logits, 16.1 / 17), [4 / 17, 8 / 17, 4 / 17, 1 / 17]);
  assertProbabilities(p([0, 0, 0, 0], 0.5), [0.5, 0.5, 0, 0]); // reached exactly
  for (const least of [Number.MIN_VALUE, 1e-17]) {
    assertProbabilities(p(logits, least), [0, 1, 0, 0]);
    assertProbabilities(p([0, 0, 0], least), [1, 0, 0]);
  }
  assertProbabilities(p(logits, HIGHEST), [4 / 17, 8 / 17, 4 / 17, 1 / 17]);
});

Deno.test("top-p finds among few candidates what sorting the whole vocabulary finds", () => {
  for (let seed = 0; seed < 200; seed++) {
    const logits = seededLogits(seed);
    const full = distribution(logits, { temperature: 1 });
    for (const topP of [0.01, 0.3, 0.8, 0.95, 0.999]) {
      const order = [...full.keys()].sort((a, b) => full[b]! - full[a]! || a - b);
      let mass = 0;
      const kept = order.filter((token) => {
        const within = mass < topP;
        if (within) mass += full[token]!;
        return within;
      });
      const cut = distribution(logits, { temperature: 1, topP });
      assertEquals([...cut.keys()].filter((token) => cut[token]! > 0), kept.sort((a, b) => a - b));
      assertProbabilities(cut, [...full].map((p, token) => kept.includes(token) ? p / mass : 0));
    }
  }
});

Deno.test("top-p applies to what top-k left, renormalised", () => {
  // 0.5 and 0.3 remain: 0.625 and 0.375. Of 1 they would be too little for 0.6.
  const p = distribution(logitsOf(0.5, 0.3, 0.2), { temperature: 1, topK: 2, topP: 0.6 });
  assertProbabilities(p, [1, 0, 0]);
});

Deno.test("greedy has no distribution, and values out of range are refused", () => {
  assertThrows(() => distribution([0], {}), RangeError, "take argmax instead");
  for (
    const wrong of [{ temperature: -1 }, { temperature: Infinity }, { topK: 1.5 }, { topP: 0 }]
  ) {
    assertThrows(
      () => distribution([0], { temperature: 1, ...wrong }),
      RangeError,
      "Cannot sample",
    );
  }
});

Deno.test("sample() inverts the cumulative distribution, its steps included above", () => {
  const p = Float64Array.of(0.25, 0, 0.5, 0.25);
  const drawn = [0, 0.2499, 0.25, 0.7499, 0.75, HIGHEST].map((u) => sample(p, () => u));
  assertEquals(drawn, [0, 0, 2, 2, 3, 3]);
});

Deno.test("sample() never gives a token without probability, however the draw is rounded", () => {
  for (
    const p of [[0, 1, 0], [0, 0.1, 0.2, 0.7, 0], [0, 1 / 3, 1 / 3, 1 / 3 - 1e-16, 0], [
      0,
      5e-324,
      0,
    ]]
  ) {
    for (const u of [0, 5e-324, 0.5, HIGHEST]) {
      assert(p[sample(Float64Array.from(p), () => u)]! > 0, `${p} at ${u}`);
    }
  }
});

Deno.test("sample() draws as often as p says when p does not quite sum to 1", () => {
  const p = Float64Array.of(0.3, 0.3);
  assertEquals([0.4999, 0.5].map((u) => sample(p, () => u)), [0, 1]);
});

Deno.test("probabilityOf() is the softmax at temperature 1", () => {
  for (let seed = 0; seed < 20; seed++) {
    const logits = seededLogits(seed);
    const p = distribution(logits, { temperature: 1 });
    p.forEach((mass, token) => assertAlmostEquals(probabilityOf(logits, token), mass, 1e-12));
  }
});
