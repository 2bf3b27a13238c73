import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { byProcess } from "../../lib/analysis/agreement.ts";
import { checkIdentities } from "../../lib/analysis/identities.ts";
import { replayAll } from "../../lib/analysis/behaviour.ts";
import {
  nullExperiments,
  residualsByFactor,
  validate,
  validationErrors,
} from "../../lib/analysis/validation.ts";
import { shortenTrace } from "../../lib/analysis/validation_prediction.ts";
import type { RoundRecord, RunRecord } from "../../lib/study/records.ts";
import { unpackTrace } from "../../lib/study/trace_records.ts";
import { plantedCosts, plantedRecords, plantedTraces, slowed } from "./planted_machine.ts";

const [records, traces, costs] = [
  await plantedRecords(),
  await plantedTraces(),
  await plantedCosts(),
];
const cells = validate(records, traces, costs);

Deno.test("every cell of a planted machine is predicted from its traces and costs", () => {
  assertGreater(cells.length, 15);
  for (const { predicted, fromCounts, pairs, processes } of cells) {
    assert(predicted !== null && fromCounts !== null);
    assertEquals(processes, 3);
    assertGreater(pairs, 2);
  }
});

Deno.test("greedy cells are predicted to the costs' own error, and all cells from their counts", () => {
  for (const { temperature, measured, predicted, fromCounts } of cells) {
    assertAlmostEquals(fromCounts! / measured, 1, 0.003);
    if (temperature === 0) assertAlmostEquals(predicted!, fromCounts!, 1e-9);
  }
});

Deno.test("sampled cells are predicted up to the luck of their runs", () => {
  const sampled = cells.filter(({ temperature }) => temperature > 0);
  assertGreater(sampled.length, 4);
  for (const { error, pairs } of sampled) {
    assertGreater(pairs, 5); // of nine; a text that ends at once has no speed
    assertLess(Math.abs(error!), 0.25);
  }
  const { median, percentile90 } = validationErrors(cells)!;
  assertLess(median, 0.07);
  assertLess(percentile90, 0.15);
});

Deno.test("texts of more seeds foretell sampled cells better, greedy ones the same", async () => {
  const more = validate(records, await plantedTraces({ seeds: [1, 2, 3, 4, 5, 6] }), costs);
  const of = (all: typeof cells, sampled: boolean) =>
    validationErrors(all.filter(({ temperature }) => temperature > 0 === sampled))!;
  assertEquals(of(more, false), of(cells, false));
  assertLess(of(more, true).percentile90, of(cells, true).percentile90);
});

Deno.test("residuals tell which factor a planted error is in", () => {
  const slow = slowed(records, 1.3, ({ arm }) => arm === "speculative");
  const int8 = new Set(slow.runs.filter((run) => run.precision === "int8").map(({ pair }) => pair));
  const mixed = {
    runs: [
      ...records.runs.filter(({ pair }) => !int8.has(pair)),
      ...slow.runs.filter(({ pair }) => int8.has(pair)),
    ],
    rounds: [
      ...records.rounds.filter(({ pair }) => !int8.has(pair)),
      ...slow.rounds.filter(({ pair }) => int8.has(pair)),
    ],
  };
  const greedy = validate(mixed, traces, costs).filter(({ temperature }) => temperature === 0);
  for (const { level, bias } of residualsByFactor(greedy, ["precision"])) {
    assertAlmostEquals(bias, level === "int8" ? 0.3 : 0, 0.02);
  }
});

Deno.test("measuring again is off by what was planted in the last process, and once is not twice", () => {
  const last = new Set(byProcess(records).get(3)!.runs.map(({ pair }) => pair));
  const slow = slowed(records, 1.25, ({ arm, pair }) => arm === "speculative" && last.has(pair));
  const greedy = validate(slow, traces, costs).filter(({ temperature }) => temperature === 0);
  for (const { repeatError } of greedy) assertAlmostEquals(repeatError!, 1 / 1.25 - 1, 0.01);
  const first = byProcess(records).get(1)!;
  for (const { repeatError } of validate(first, traces, costs)) assertEquals(repeatError, null);
});

Deno.test("the null experiment comes out at 1, and a planted 5 % slow-down of one arm is found", async () => {
  const noisy = await plantedRecords({ noise: 0.05 });
  const undisturbed = nullExperiments(noisy);
  assertEquals(undisturbed.length, 3);
  for (const { pairs, speedup, holds } of undisturbed) {
    assertEquals(pairs, 24);
    assert(holds);
    assertAlmostEquals(speedup!.estimate, 1, 0.02);
  }
  for (const slow of ["plain", "speculative"] as const) {
    for (
      const { speedup, holds } of nullExperiments(slowed(noisy, 1.05, ({ arm }) => arm === slow))
    ) {
      assert(!holds);
      assertAlmostEquals(speedup!.estimate, slow === "plain" ? 1.05 : 1 / 1.05, 0.02);
      assert(slow === "plain" ? speedup!.low! > 1 : speedup!.high! < 1);
    }
  }
});

Deno.test("every run keeps the identities, null runs included, and a wrong count in any is caught", () => {
  const roundsOf = Map.groupBy(records.rounds, ({ pair, arm }) => `${pair} ${arm}`);
  for (const run of records.runs) {
    const rounds = roundsOf.get(`${run.pair} ${run.arm}`)!;
    assertEquals(checkIdentities(run, rounds), []);
    for (const name of ["drafted", "tested", "accepted", "emitted"] as const) {
      for (const by of [1, -1]) {
        // A round lies, and the run's sum with it.
        const [at, truth] = [rounds.length - 1, rounds.at(-1)!];
        const lie = { ...truth, [name]: truth[name] + by };
        const lying = rounds.with(at, lie);
        const caught = checkIdentities({ ...run, [name]: run[name]! + by }, lying);
        assert(
          caught.length > 0 || isPossible(run, lie),
          `${name} ${by}: ${JSON.stringify(truth)}`,
        );
      }
    }
  }
});

/** Whether a last round could have been so: tables offer what they like, and an end has two ways. */
function isPossible({ draft, stop }: RunRecord, lie: RoundRecord): boolean {
  const { drafted, tested, accepted, emitted } = lie;
  const tableOffers = draft !== "model" && tested <= drafted;
  const endDrafted = accepted === tested && emitted === accepted - 1;
  const endFollowed = accepted === tested - 1 && emitted === accepted;
  return tableOffers || (stop === "end" && (endDrafted || endFollowed));
}

Deno.test("a trace cut to fewer tokens replays as one recorded with that limit", () => {
  const long = traces.map(unpackTrace);
  for (const trace of long.filter(({ choice }) => choice === "chosen")) {
    for (const maxTokens of [1, 7, 40]) {
      const rounds = replayAll([shortenTrace(trace, maxTokens)], 4);
      const emitted = rounds.reduce((sum, round) => sum + round.emitted, 0);
      const text = trace.tokens.length - Number(trace.stop === "end");
      assertEquals(emitted, Math.min(maxTokens, text));
      for (const { position, drafted } of rounds) assertLess(position + drafted, maxTokens);
    }
  }
});
