import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { predictCurves } from "../../lib/analysis/curves.ts";
import { summarise } from "../../lib/analysis/summary.ts";
import { formatTable } from "../../lib/analysis/table.ts";
import { fakeStudy } from "./fake_study.ts";
import { readFixture } from "./fixture.ts";

Deno.test("null experiment: a drafter that is never right and never costs leaves S at 1", async () => {
  const study = await fakeStudy({
    changes: { precisions: ["fp32"], acceptances: [], draftLengths: [] },
    noise: 0.1,
  });
  // On these texts prompt lookup finds next to nothing, so its pairs compare plain with plain.
  const [cell] = summarise(study);
  assertEquals(cell!.draft, "prompt-lookup");
  assertAlmostEquals(cell!.speedup!.estimate, 1, 0.03);
});

Deno.test("what is measured is what the costs predict, and what the passes cost", async () => {
  const study = await fakeStudy({ processes: 3, noise: 0.02 });
  for (const cell of summarise(study)) {
    assertLess(Math.abs(Math.log(cell.predicted! / cell.speedup!.estimate)), 0.12);
    if (cell.draft === "replay") assertAlmostEquals(cell.alpha!, cell.acceptance!, 0.12);
  }
  const v = (precision: string, length: number) =>
    predictCurves(study).find((curve) =>
      curve.precision === precision && curve.draftLength === length
    )!.costs.v;
  assertAlmostEquals(v("fp32", 4), 1.3, 0.02);
  assertAlmostEquals(v("int4", 8), 1 + 8 * 0.26, 0.05);
});

Deno.test("failed and disturbed pairs are counted, and left out of everything else", async () => {
  const { runs, rounds } = await readFixture();
  const [spoilt, failed] = [
    ...new Set(runs.filter(({ draft }) => draft === "prompt-lookup").map(({ pair }) => pair)),
  ];
  const planted = runs.map((run) =>
    run.pair === spoilt
      ? { ...run, disturbed: true, decodeMs: run.decodeMs! * 100 }
      : run.pair === failed && run.arm === "speculative"
      ? { ...run, status: "failed" as const, decodeMs: null, emitted: null }
      : run
  );
  const [clean] = summarise({ runs, rounds });
  const [cell] = summarise({ runs: planted, rounds });
  assertEquals([cell!.pairs, cell!.failed, cell!.disturbed], [clean!.pairs - 2, 1, 1]);
  assert(Math.abs(cell!.speedup!.estimate - clean!.speedup!.estimate) < 0.1);
});

Deno.test("the table lists every cell and says what was left out", async () => {
  const { runs, rounds } = await readFixture();
  const cells = summarise({
    runs: runs.map((run) => ({ ...run, disturbed: run.task === "code" })),
    rounds,
  });
  const table = formatTable(cells);
  assertEquals(table.trimEnd().split("\n").length, 1 + cells.length + 1);
  assertStringIncludes(table, "pairs were disturbed by other work");
  assertStringIncludes(formatTable(cells, { colour: true }), "\x1b[");
});
