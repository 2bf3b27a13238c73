import { assert, assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { bestLength, breakEven, speedupAt } from "../../lib/analysis/boundary.ts";
import { contour, draftPoints, isoline, speedupMap } from "../../lib/analysis/map.ts";
import { CostModelError } from "../../lib/analysis/measured_times.ts";
import { readLayers } from "./layers_fixture.ts";
import { plantedPair } from "./planted_pair.ts";

const pair = plantedPair();
const [contexts, longest] = [[64, 300, 1024, 4096], 8];

Deno.test("the S = 1 contour is the break-even of the K that pays first", () => {
  for (const { context, draftLength, alpha } of contour(pair, { contexts, longest })) {
    assertEquals(alpha, breakEven(pair, { draftLength, context }));
    for (let other = 1; other <= longest; other++) {
      const { estimate } = breakEven(pair, { draftLength: other, context }, { draws: 2 });
      assert(alpha.estimate <= estimate);
    }
    assert(alpha.low <= alpha.estimate && alpha.estimate <= alpha.high);
  }
});

Deno.test("the isoline of S = 1 is the contour, to the step between acceptances", () => {
  const cells = speedupMap(pair, { contexts, longest });
  const exact = contour(pair, { contexts, longest, draws: 2 });
  for (const [i, { context, alpha }] of isoline(cells, { speedup: 1 }).entries()) {
    assertEquals(context, exact[i]!.context);
    assertAlmostEquals(alpha, exact[i]!.alpha.estimate, 1e-3);
  }
});

Deno.test("a cell of the map is S at its K, and no other K of the map is better", () => {
  for (const cell of speedupMap(pair, { contexts, longest, alphas: [0, 0.35, 0.8, 1] })) {
    const { draftLength, speedup } = cell;
    assertAlmostEquals(speedupAt(pair, cell, { draws: 2 }).estimate, speedup, 1e-12);
    const best = bestLength(pair, cell, { longest, draws: 2 });
    if (speedup > 1) assertEquals(draftLength, best.draftLength);
    else assertEquals(best.draftLength, 0);
  }
});

Deno.test("where nothing is accepted speculation loses, and S grows with acceptance", () => {
  for (
    const column of Map.groupBy(speedupMap(pair, { contexts, longest }), (c) => c.context).values()
  ) {
    assert(column[0]!.speedup < 1);
    for (const [i, cell] of column.slice(1).entries()) assert(cell.speedup > column[i]!.speedup);
  }
});

Deno.test("costs known less well widen the band and leave the line", () => {
  const widthOf = (error: number) => {
    const [{ alpha }] = contour(plantedPair(error), { contexts: [64], longest }) as [
      ReturnType<typeof contour>[0],
    ];
    return { estimate: alpha.estimate, width: alpha.high - alpha.low };
  };
  const [sharp, vague] = [widthOf(0.005), widthOf(0.05)];
  assertAlmostEquals(sharp.estimate, vague.estimate, 1e-9);
  assertGreater(vague.width, 3 * sharp.width);
});

Deno.test("an isoline that no acceptance reaches is nowhere, and one that all reach is at 0", () => {
  const cells = speedupMap(pair, { contexts, longest });
  assert(isoline(cells, { speedup: 99 }).every(({ alpha }) => alpha === Infinity));
  assert(isoline(cells, { speedup: 0.1 }).every(({ alpha }) => alpha === 0));
});

Deno.test("a map beyond what was measured is refused", () => {
  assertThrows(() => speedupMap(pair, { contexts: [9000], longest }), CostModelError);
  assertThrows(() => contour(pair, { contexts: [64], longest: 16 }), CostModelError);
});

Deno.test("real drafts lie where their replayed traces put them", async () => {
  const { traces } = await readLayers();
  const points = draftPoints(traces);
  assertEquals(
    new Set(points.map(({ draft }) => draft)),
    new Set(["prompt lookup", "n-gram", "own int4"]),
  );
  for (const { draft, precision, alpha, error, tested } of points) {
    if (draft === "own int4" && precision === "int4") assertEquals([alpha, error], [1, 0]);
    assert(alpha >= 0 && alpha <= 1 && tested > 0);
  }
  const prompts = (precision: string) =>
    points.filter((point) => point.precision === precision && point.draft === "own int4")
      .reduce((sum, point) => sum + point.prompts, 0);
  assertEquals(prompts("fp32"), new Set(traces.map(({ prompt }) => prompt)).size);
});
