import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { predictSpeedup } from "../../lib/analysis/costs.ts";
import { elasticities, factorSpans } from "../../lib/analysis/sensitivity.ts";

const share = fc.double({ min: 0.01, max: 1, noNaN: true });
const anyCell = fc.record({
  alpha: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  draftLength: fc.integer({ min: 1, max: 16 }),
  costs: fc.record({
    drafting: share,
    v: fc.double({ min: 1, max: 9, noNaN: true }),
    h: share,
    plainHost: share,
  }),
});
type Cell = typeof anyCell extends fc.Arbitrary<infer T> ? T : never;

const speedupOf = ({ alpha, draftLength, costs }: Cell) =>
  predictSpeedup(alpha, [draftLength], costs);

Deno.test("acceptance raises S, and every cost lowers it", () => {
  fc.assert(fc.property(anyCell, (cell) => {
    const { alpha, c, v, h } = elasticities(cell, cell.costs);
    assert(alpha > 0 && c < 0 && v < 0 && h < 0);
    assertAlmostEquals(c + v + h, -1, 1e-12);
  }));
});

Deno.test("elasticities are slopes of ln S over ln x", () => {
  const step = 1e-5;
  fc.assert(fc.property(anyCell, (cell) => {
    const slope = (moved: (factor: number) => Cell) =>
      Math.log(speedupOf(moved(1 + step)) / speedupOf(moved(1 - step))) / (2 * step);
    const { alpha, c, v, h } = elasticities(cell, cell.costs);
    const cost = (name: "drafting" | "v" | "h") =>
      slope((factor) => ({
        ...cell,
        costs: { ...cell.costs, [name]: factor * cell.costs[name] },
      }));
    assertAlmostEquals(slope((factor) => ({ ...cell, alpha: factor * cell.alpha })), alpha, 1e-4);
    assertAlmostEquals(cost("drafting"), c, 1e-4);
    assertAlmostEquals(cost("v"), v, 1e-4);
    assertAlmostEquals(cost("h"), h, 1e-4);
  }));
});

Deno.test("spans are of one factor at a time, the widest first, and hold the centre", () => {
  const centre = { alpha: 0.5, v: 1.5, h: 0.1 };
  const levels = { h: [0.05, 0.1], alpha: [0.1, 0.5, 0.9], v: [1, 1.5, 2] };
  const at = ({ alpha, v, h }: typeof centre) => (1 + alpha) / (v + h);
  const spans = factorSpans(centre, levels, at);
  assertEquals(spans.map(({ factor }) => factor), ["v", "alpha", "h"]);
  for (const { factor, least, most } of spans) {
    assert(least.speedup <= at(centre) && at(centre) <= most.speedup);
    assertEquals(least.speedup, at({ ...centre, [factor]: least.level }));
  }
});
