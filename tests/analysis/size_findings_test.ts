import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import {
  contestSizes,
  contestTraining,
  explainSpeedup,
  rankCorrelation,
} from "../../lib/analysis/size_findings.ts";
import { draftOf, FAMILY } from "./draft_family.ts";

const lists = fc.uniqueArray(fc.integer({ min: -99, max: 99 }), { minLength: 3, maxLength: 9 });

Deno.test("a rank correlation sees order alone, and turns with it", () => {
  fc.assert(fc.property(lists, fc.integer(), (xs, seed) => {
    const ys = xs.map((x, i) => (x * 7919 + i * seed) % 101);
    const correlation = rankCorrelation(xs, ys);
    if (correlation === null) return;
    assert(Math.abs(correlation) <= 1 + 1e-12);
    assertAlmostEquals(rankCorrelation(xs.map((x) => Math.exp(x / 20)), ys)!, correlation, 1e-12);
    assertAlmostEquals(rankCorrelation(xs.map((x) => -x), ys)!, -correlation, 1e-12);
    assertAlmostEquals(rankCorrelation(ys, xs)!, correlation, 1e-12);
  }));
});

Deno.test("tied values share their mean rank", () => {
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: covariance 4.5 of variances 4.5 and 5.
  assertAlmostEquals(rankCorrelation([1, 2, 2, 3], [1, 3, 2, 4])!, 4.5 / Math.sqrt(4.5 * 5), 1e-12);
});

Deno.test("what decides S is found: of drafts that differ in cost alone it is cost, not size", () => {
  const drafts = ["fp32", "int4"].flatMap((precision) =>
    [0.02, 0.3, 0.05, 0.2, 0.1].map((c, i) =>
      draftOf({
        ...{ precision, name: `${i}`, kind: "trained", alpha: 0.6 },
        ratio: (i + 1) / 20,
        c: precision === "fp32" ? c : 2 * c,
      })
    )
  );
  const [ratio, c, alpha] = explainSpeedup(drafts);
  assertAlmostEquals(c!.correlation!, -1, 1e-12);
  assertEquals([c!.low, c!.high], [-1, -1]);
  assertLess(Math.abs(ratio!.correlation!), 0.5);
  assertGreater(ratio!.high! - ratio!.low!, 0.5);
  assertEquals(alpha!.correlation, null);
});

Deno.test("ranks of three drafts say nothing", () => {
  const few = FAMILY.filter(({ kind, ratio }) => kind === "trained" && ratio < 1 / 13);
  assert(explainSpeedup(few).every(({ correlation }) => correlation === null));
});

Deno.test("the best size is told, and whether it is a recommended one", () => {
  const [fp32] = contestSizes(FAMILY);
  assertEquals(fp32!.precision, "fp32");
  assertEquals([fp32!.first!.name, fp32!.second!.name], ["4x192", "4x192"]);
  assertAlmostEquals(fp32!.ratio!.estimate, 1, 1e-12);
  const smaller = draftOf({
    ...{ precision: "fp32", name: "fast", kind: "trained", ratio: 1 / 99 },
    ...{ alpha: 0.9, c: 0.01 },
  });
  const [better] = contestSizes([...FAMILY, smaller]);
  assertEquals([better!.first!.name, better!.second!.name], ["fast", "4x192"]);
  assertAlmostEquals(
    better!.ratio!.estimate,
    smaller.best.predicted.estimate / fp32!.first!.best.predicted.estimate,
    1e-12,
  );
});

Deno.test("tables count as generic drafts, not as draft models", () => {
  for (const { first, second, ratio } of contestTraining(FAMILY)) {
    assertEquals(first!.kind, "trained");
    assert(second!.kind !== "trained");
    assert(ratio !== null);
  }
  assert(contestSizes(FAMILY).every(({ first }) => first!.kind !== "table"));
  assertEquals(contestTraining(FAMILY.filter(({ kind }) => kind === "table"))[0]!.ratio, null);
});
