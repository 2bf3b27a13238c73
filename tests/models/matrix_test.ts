import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { pairRows } from "../../lib/models/head_order.ts";
import { matrixOf, stack } from "../../lib/models/matrix.ts";

/** Rows that begin with their number. */
function numbered(from: number, to: number, columns: number): Float32Array {
  const rows = new Float32Array((to - from) * columns);
  for (let row = from; row < to; row++) rows[(row - from) * columns] = row;
  return rows;
}

Deno.test("pieces are the whole, in order, and none is large", () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    columns: fc.integer({ min: 2 ** 17, max: 2 ** 18 }),
  });
  fc.assert(
    fc.property(sizes, (shape) => {
      const rows: number[] = [];
      const matrix = matrixOf(shape, (from, to) => {
        for (let row = from; row < to; row++) rows.push(row);
        assert((to - from) * shape.columns <= 2 ** 22);
        return new Float32Array(0);
      });
      assertEquals([...stack([matrix, matrix]).pieces()].length % 2, 0);
      const once = Array.from({ length: shape.rows }, (_, row) => row);
      assertEquals(rows, [...once, ...once]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("heads are whole in every piece, so that their rows can be paired piece by piece", () => {
  const [columns, headSize, heads] = [2 ** 17, 8, 12];
  const shape = { rows: heads * headSize, columns, unit: headSize };
  const pair = (rows: Float32Array) =>
    pairRows(rows, { heads: rows.length / columns / headSize, headSize });
  const pieces = [...matrixOf(shape, (from, to) => pair(numbered(from, to, columns))).pieces()];
  assert(pieces.length > 1);
  const firsts = pieces.flatMap((piece) =>
    Array.from({ length: piece.length / columns }, (_, row) => piece[row * columns])
  );
  const whole = pair(numbered(0, heads * headSize, columns));
  assertEquals(
    firsts,
    Array.from({ length: heads * headSize }, (_, row) => whole[row * columns]),
  );
});
