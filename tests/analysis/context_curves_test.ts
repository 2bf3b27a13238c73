import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import {
  contextAtOne,
  measureByContext,
  predictByContext,
} from "../../lib/analysis/context_curves.ts";
import { octave } from "../../lib/analysis/located_rounds.ts";
import { joinPairs } from "../../lib/analysis/pairs.ts";
import { expectedTokens } from "../../lib/analysis/metrics.ts";
import type { Records } from "../../lib/study/records.ts";
import { fakeContexts, verification } from "./fake_contexts.ts";
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

let contexts: Promise<Records> | undefined;
const readContexts = () => contexts ??= fakeContexts();

Deno.test("replays of one text err alike at every context, whatever is measured beside them", async () => {
  const replays = joinPairs(await readContexts())
    .filter(({ speculative }) => speculative.draft === "replay");
  const cells = Map.groupBy(
    replays,
    ({ speculative: { acceptance, draftLength, process } }) =>
      [acceptance, draftLength, process].join(),
  );
  assertEquals(cells.size, 3 * 3 * 3);
  for (const pairs of cells.values()) {
    const counts = pairs.map(({ speculativeRounds }) =>
      speculativeRounds.map(({ accepted }) => accepted).join()
    );
    assertEquals([pairs.length, new Set(counts).size], [4, 1]);
  }
});

Deno.test("S is predicted and measured to fall as the price of checking rises", async () => {
  const records = await readContexts();
  const measured = measureByContext(records);
  for (const acceptance of [0.5, 0.7, 0.9]) {
    const points = predictByContext(records, { acceptance });
    assertEquals(points.length, 3 * 4);
    for (const { draftLength, context, speedup } of points) {
      const middle = context + 24; // decoding goes on for 48 tokens
      const formula = expectedTokens(acceptance, draftLength) /
        verification(draftLength + 1, middle);
      assertAlmostEquals(speedup / formula, 1, 0.01);
      const dot = measured.find((one) =>
        one.acceptance === acceptance && one.draftLength === draftLength &&
        octave(one.context) === octave(context)
      )!;
      assert(dot.low! <= dot.speedup && dot.speedup <= dot.high!);
    }
  }
  for (const line of Map.groupBy(measured, (p) => `${p.acceptance} ${p.draftLength}`).values()) {
    line.slice(1).forEach((point, i) => assertGreater(line[i]!.speedup, point.speedup));
  }
});

Deno.test("the context at which a K stops to pay is found between those measured", async () => {
  const line = predictByContext(await readContexts(), { acceptance: 0.7 })
    .filter(({ draftLength }) => draftLength === 8);
  // E[τ] = v at K = 8
  const truth = 20_000 * ((expectedTokens(0.7, 8) - 1) / 8 - 0.1);
  assertAlmostEquals(contextAtOne(line) / truth, 1, 0.05);
  assertEquals(contextAtOne(line.filter(({ speedup }) => speedup < 1)), 0);
});
