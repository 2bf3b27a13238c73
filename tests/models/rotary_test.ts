import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { pairRows } from "../../lib/models/head_order.ts";
import { rotaryFrequencies } from "../../lib/models/rotary.ts";

const sizes = { headSize: 4, ropeBase: 10_000, ropeScale: 1 };

Deno.test("rotaryFrequencies() rejects factors that are no positive numbers", () => {
  for (const factor of [0, -1, NaN, Infinity]) {
    const error = assertThrows(() => rotaryFrequencies(sizes, Float32Array.of(1, factor)));
    assertEquals(
      (error as Error).message,
      `Cannot build the graph as factor 1 of rope_freqs.weight is ${factor}: convert the model anew`,
    );
  }
});

Deno.test("pairRows() turns by adjacent pairs as the file's halves would", () => {
  const head = fc.integer({ min: 1, max: 5 }).chain((half) =>
    fc.array(fc.float({ noNaN: true }), { minLength: 2 * half, maxLength: 2 * half })
  );
  fc.assert(fc.property(head, (rows) => {
    const half = rows.length / 2;
    const paired = pairRows(Float32Array.from(rows), { heads: 1, headSize: rows.length });
    for (let pair = 0; pair < half; pair++) {
      assertEquals([...paired.slice(2 * pair, 2 * pair + 2)], [rows[pair], rows[pair + half]]);
    }
  }));
});
