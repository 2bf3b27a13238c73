import { assertEquals, assertThrows } from "@std/assert";
import { sample } from "../../lib/decoding/sampling.ts";
import { branches } from "./branches.ts";
import { rational, recognise } from "./rational.ts";

Deno.test("branches() gives each outcome its exact probability", () => {
  const compute = (random: () => number) => random() * 0.75 < 0.25 ? [sample(halves, random)] : [];
  const halves = Float64Array.of(0.5, 0, 0.5);
  assertEquals(branches(compute), [
    { result: [0], probability: rational(1, 6) },
    { result: [2], probability: rational(1, 6) },
    { result: [], probability: rational(2, 3) },
  ]);
});

Deno.test("branches() of a computation that draws nothing is that computation", () => {
  assertEquals(branches(() => 7), [{ result: 7, probability: rational(1) }]);
});

Deno.test("recognise() finds the fraction a double stands for", () => {
  for (const [over, under] of [[0, 1], [1, 1], [1, 3], [4, 9], [5, 6], [313, 999]] as const) {
    assertEquals(recognise(over / under), rational(over, under));
  }
});

Deno.test("recognise() refuses what is no simple fraction", () => {
  assertThrows(() => recognise(Math.SQRT1_2), RangeError, "Cannot recognise");
});
