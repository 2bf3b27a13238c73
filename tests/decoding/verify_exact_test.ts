// Rung 1: verification proved on tiny vocabularies, without sampling and without rounding.
import { assertEquals, assertNotEquals } from "@std/assert";
import { verify } from "../../lib/decoding/verify.ts";
import {
  allQuarters,
  type Case,
  jointOf,
  outputOf,
  type Quarters,
  seededQuarters,
} from "./exact.ts";
import { assemble, mutants } from "./mutants.ts";

/** Texts and their probabilities, in one order. */
function listed(joint: ReturnType<typeof jointOf>): string[] {
  return [...joint].map(([text, { over, under }]) => `${text}: ${over}/${under}`).sort();
}

function assertExact(test: Case): void {
  const expected = listed(jointOf(test, test.widths.length + 1));
  assertEquals(listed(outputOf(verify, test)), expected);
}

/** Models that differ with `seed`. */
function seeded(vocabularySize: number, widths: readonly number[], seed: number): Case {
  const p = seededQuarters(vocabularySize, `p ${seed}`);
  const q = seededQuarters(vocabularySize, `q ${seed}`);
  return { vocabularySize, widths, p, q };
}

for (const vocabularySize of [2, 3]) {
  Deno.test(`one drafted token leaves p as it is, for every p and q of quarters over ${vocabularySize} tokens`, () => {
    const after = seededQuarters(vocabularySize, "after");
    const roots = allQuarters(vocabularySize);
    for (const root of roots) {
      const p: Quarters = (text) => text.length === 0 ? root : after(text);
      for (const q of [...roots.map((quarters) => () => quarters), null]) {
        assertExact({ vocabularySize, widths: [1], p, q });
      }
    }
  });
}

const shapes: readonly { vocabularySize: number; widths: number[]; seeds: number }[] = [
  { vocabularySize: 2, widths: [1, 1], seeds: 20 },
  { vocabularySize: 2, widths: [1, 1, 1], seeds: 20 },
  { vocabularySize: 3, widths: [1, 1], seeds: 20 },
  { vocabularySize: 3, widths: [1, 1, 1], seeds: 10 },
  { vocabularySize: 2, widths: [3], seeds: 20 },
  { vocabularySize: 3, widths: [2], seeds: 20 },
  { vocabularySize: 3, widths: [3], seeds: 10 },
  { vocabularySize: 2, widths: [2, 1], seeds: 20 },
  { vocabularySize: 2, widths: [1, 2], seeds: 20 },
  { vocabularySize: 2, widths: [2, 2], seeds: 10 },
  { vocabularySize: 3, widths: [2, 1], seeds: 10 },
  { vocabularySize: 3, widths: [2, 2], seeds: 1 },
];

for (const { vocabularySize, widths, seeds } of shapes) {
  const shape = `${widths.join("-")} tokens over ${vocabularySize}`;

  Deno.test(`drawn ${shape} leave the target's joint distribution as it is`, () => {
    for (let seed = 0; seed < seeds; seed++) assertExact(seeded(vocabularySize, widths, seed));
  });

  Deno.test(`chosen ${shape} leave the target's joint distribution as it is`, () => {
    for (let seed = 0; seed < seeds; seed++) {
      assertExact({ ...seeded(vocabularySize, widths, seed), q: null });
    }
  });
}

Deno.test("the rule that the mutants are made of is exact", () => {
  const test = seeded(3, [1, 1], 1);
  assertEquals(listed(outputOf(assemble({}), test)), listed(jointOf(test, 3)));
});

for (const [mistake, mutant] of Object.entries(mutants)) {
  Deno.test(`exact enumeration notices if ${mistake}`, () => {
    const p: Quarters = (text) => [[2, 0, 2], [2, 1, 1], [0, 1, 3]][text.length]!;
    const test = { vocabularySize: 3, widths: [1, 1], p, q: () => [1, 2, 1] };
    assertNotEquals(listed(outputOf(mutant, test)), listed(jointOf(test, 3)));
  });
}
