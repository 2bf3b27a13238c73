import { assert, assertAlmostEquals } from "@std/assert";
import { predictByContext } from "../../lib/analysis/context_curves.ts";
import type { Records } from "../../lib/study/records.ts";
import { readFixture } from "./fixture.ts";

Deno.test("costs that do not know the context predict the same S at each", async () => {
  const points = predictByContext(await readFixture(), { acceptance: 0.9 });
  assert(points.length > 0);
  for (const line of Map.groupBy(points, (p) => `${p.precision} ${p.draftLength}`).values()) {
    for (const { speedup } of line) assertAlmostEquals(speedup / line[0]!.speedup, 1, 0.1);
  }
});

Deno.test("prompts whose passes differ widen the intervals, and one prompt alone has none", async () => {
  const { runs, rounds } = await readFixture();
  const pairs = new Set(runs.filter(({ prompt }) => prompt === runs[0]!.prompt).map((r) => r.pair));
  const odd = rounds.map((round) =>
    pairs.has(round.pair) && round.arm === "speculative"
      ? { ...round, verifyMs: 1.5 * round.verifyMs }
      : round
  );
  const widths = (records: Records) =>
    predictByContext(records, { acceptance: 0.9 }).map(({ low, high, speedup }) => {
      if (low === null || high === null) return 0;
      assert(low <= speedup && speedup <= high);
      return Math.log(high / low);
    });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  assert(sum(widths({ runs, rounds: odd })) > 1.5 * sum(widths({ runs, rounds })));
  const alone = { runs: runs.filter(({ pair }) => pairs.has(pair)), rounds };
  assert(predictByContext(alone, { acceptance: 0.9 }).every(({ low, high }) => low === high));
});
