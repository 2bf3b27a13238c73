import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { coin, stream } from "../lib/random.ts";
import { chiSquareTail } from "./decoding/statistics.ts";

const COUNT = 100_000;

/** Many numbers of one stream, and one number each of many streams. */
const sources: Readonly<Record<string, () => number[]>> = {
  "a stream": () => {
    const random = stream(1, "uniform");
    return Array.from({ length: COUNT }, random);
  },
  "coins of successive keys": () =>
    Array.from({ length: COUNT }, (_, position) => coin(1, `replay ${position}`)),
  "first numbers of successive seeds": () =>
    Array.from({ length: COUNT }, (_, seed) => stream(seed, "accept")()),
};

/** The p-value of equal counts in 256 cells. */
function uniformity(cells: readonly number[]): number {
  const counts = new Array<number>(256).fill(0);
  for (const cell of cells) counts[cell]!++;
  const expected = cells.length / 256;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return chiSquareTail(statistic, 255);
}

Deno.test("stream() gives these numbers, on every machine and in every version", () => {
  const random = stream(7, "accept");
  assertEquals([random(), random(), random()], [
    0.03918413950912869,
    0.5743561888520101,
    0.12188975426844972,
  ]);
  assertEquals(stream("a run", "draft")(), 0.5724891366863556);
  assertEquals(coin(7, "position 12"), 0.8233845900873682);
});

Deno.test("a seed is the same as a number and as text, and a purpose is not part of it", () => {
  assertEquals(stream(7, "accept")(), stream("7", "accept")());
  assert(stream(7, "1 accept")() !== stream("71", " accept")());
});

for (const [name, draw] of Object.entries(sources)) {
  Deno.test(`${name}: uniform in the leading and in the trailing bits, and in pairs`, () => {
    const numbers = draw();
    assert(numbers.every((u) => u >= 0 && u < 1));
    assert(numbers.every((u) => Number.isInteger(u * 2 ** 53)), "53 bits");
    const leading = numbers.map((u) => Math.floor(u * 256));
    const trailing = numbers.map((u) => Number(BigInt(u * 2 ** 53) & 255n));
    const pairs = numbers.slice(1).map((u, i) =>
      Math.floor(u * 16) * 16 + Math.floor(numbers[i]! * 16)
    );
    // Fixed seeds: nine p-values, none of which is rare.
    for (const cells of [leading, trailing, pairs]) {
      const p = uniformity(cells);
      assert(p > 1e-3 && p < 1 - 1e-3, `p = ${p}`);
    }
  });
}

Deno.test("streams of one seed and different purposes are not correlated", () => {
  const purposes = ["draft", "accept", "prompt 1", "prompt 2", "1 prompt"];
  const streams = purposes.map((purpose) => {
    const random = stream(1, purpose);
    return Array.from({ length: COUNT }, () => random() - 0.5);
  });
  for (const [i, a] of streams.entries()) {
    for (const b of streams.slice(i + 1)) {
      const correlation = a.reduce((sum, x, at) => sum + x * b[at]!, 0) * 12 / COUNT;
      assertAlmostEquals(correlation, 0, 4 / Math.sqrt(COUNT));
    }
  }
});

Deno.test("drawing from one stream does not shift another", () => {
  const [one, other, alone] = [stream(1, "a"), stream(1, "b"), stream(1, "b")];
  for (let i = 0; i < 10; i++) {
    one();
    assertEquals(other(), alone());
  }
});
