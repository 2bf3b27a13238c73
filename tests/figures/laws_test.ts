import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { spread } from "../../lib/figures/plot.ts";

const values = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 12 });

Deno.test("spread() keeps labels a row apart, in order, and their mean where it was", () => {
  fc.assert(fc.property(values, fc.integer({ min: 1, max: 20 }), (wanted, row) => {
    const places = spread(wanted, row);
    const sorted = places.toSorted((a, b) => a - b);
    for (const [i, place] of sorted.slice(1).entries()) assert(place - sorted[i]! >= row - 1e-9);
    for (const [i, a] of wanted.entries()) {
      for (const [j, b] of wanted.entries()) if (a < b) assert(places[i]! < places[j]!);
    }
    const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
    assertAlmostEquals(sum(places), sum(wanted), 1e-6);
  }));
});

Deno.test("spread() leaves labels alone that do not touch", () => {
  assertEquals(spread([30, 0, 10], 10), [30, 0, 10]);
});
