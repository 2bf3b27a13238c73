import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { joinPairs, pairCounts, pairSpeedup } from "../../lib/analysis/pairs.ts";
import { summarise } from "../../lib/analysis/summary.ts";
import {
  WATERFALL_FACTORS,
  waterfallFactors,
  type WaterfallPair,
  waterfalls,
} from "../../lib/analysis/waterfall.ts";
import type { Records, RoundRecord, RunRecord } from "../../lib/study/records.ts";
import { readFixture } from "./fixture.ts";

/** The study with one time of its speculative rounds longer by a factor. */
function slowed(
  { runs, rounds }: Records,
  name: "draftMs" | "verifyMs" | "hostMs",
  factor: number,
): Records {
  const slow = ({ arm }: Pick<RunRecord, "arm">) => arm === "speculative";
  return {
    runs: runs.map((run) =>
      slow(run) ? { ...run, decodeMs: run.decodeMs! + (factor - 1) * run[name]! } : run
    ),
    rounds: rounds.map((round) => slow(round) ? { ...round, [name]: factor * round[name] } : round),
  };
}

/** Rounds of a run that takes 1 ms a drafted token, 10 ms a pass and 1 ms a round beside. */
function roundsOf(counts: readonly Pick<RoundRecord, "drafted" | "accepted" | "emitted">[]) {
  const rounds = counts.map((count) => {
    return { ...count, draftMs: count.drafted, verifyMs: 10, sampleMs: 0.7, hostMs: 0.3 };
  });
  const emitted = rounds.reduce((sum, round) => sum + round.emitted, 0);
  const decodeMs = rounds.reduce((sum, { draftMs }) => sum + draftMs + 11, 0);
  return { rounds, emitted, decodeMs };
}

function pairOf(
  counts: Parameters<typeof roundsOf>[0],
  { draftLength, maxTokens }: { draftLength: number; maxTokens: number },
): WaterfallPair {
  const { rounds, emitted, decodeMs } = roundsOf(counts);
  const plain = roundsOf(Array(emitted).fill({ drafted: 0, accepted: 0, emitted: 1 }));
  return {
    plain: { emitted, decodeMs: plain.decodeMs },
    plainRounds: plain.rounds,
    speculative: { emitted, decodeMs, draftLength, maxTokens },
    speculativeRounds: rounds,
  };
}

Deno.test("the factors of a pair multiply to its measured S", async () => {
  const pairs = joinPairs(await readFixture())
    .filter((pair) => pair.speculative.draftLength > 0 && pairCounts(pair));
  assert(pairs.length > 10);
  for (const pair of pairs) {
    const product = Object.values(waterfallFactors(pair)).reduce((all, one) => all * one, 1);
    assertAlmostEquals((pair.speculative.draftLength + 1) * product / pairSpeedup(pair)!, 1, 1e-12);
  }
});

Deno.test("the steps of a cell lead from K + 1 to the S of its summary, each within its interval", async () => {
  const records = await readFixture();
  const summaries = summarise(records);
  for (const { ideal, steps, speedup, draftLength, ...cell } of waterfalls(records)) {
    assertEquals(ideal, draftLength + 1);
    assertEquals(steps.map(({ name }) => name), [...WATERFALL_FACTORS]);
    for (const [i, { from, to, factor }] of steps.entries()) {
      assertEquals(from, i === 0 ? ideal : steps[i - 1]!.to);
      assertAlmostEquals(to, from * factor.estimate, 1e-12);
      assert(factor.low! <= factor.estimate && factor.estimate <= factor.high!);
    }
    assertAlmostEquals(steps.at(-1)!.to, speedup.estimate, 1e-12);
    const summary = summaries.find((other) =>
      other.precision === cell.precision && other.draft === cell.draft &&
      other.draftLength === draftLength && other.acceptance === cell.acceptance
    )!;
    assertEquals(speedup, summary.speedup);
  }
});

Deno.test("slower draft passes lower the drafting factor and no other", async () => {
  const records = await readFixture();
  const before = waterfalls(records).filter(({ draft }) => draft === "model");
  const after = waterfalls(slowed(records, "draftMs", 3)).filter(({ draft }) => draft === "model");
  assert(before.length > 0);
  for (const [i, { steps }] of before.entries()) {
    for (const [j, { name, factor }] of steps.entries()) {
      const ratio = after[i]!.steps[j]!.factor.estimate / factor.estimate;
      if (name === "drafting") assert(ratio < 0.9, `${ratio}`);
      // Time outside of all rounds weighs less where rounds are longer.
      else assertAlmostEquals(ratio, 1, name === "unaccounted" ? 0.02 : 1e-12);
    }
  }
});

Deno.test("slower verification leaves all factors of counts alone", async () => {
  const records = await readFixture();
  const [before, after] = [records, slowed(records, "verifyMs", 1.5)]
    .map((rows) => waterfalls(rows).flatMap(({ steps }) => steps));
  for (const [i, { name, factor }] of before!.entries()) {
    const ratio = after![i]!.factor.estimate / factor.estimate;
    if (["short drafts", "rejections", "last rounds"].includes(name)) assertEquals(ratio, 1);
    if (name === "verification") assertAlmostEquals(ratio, 1 / 1.5, 1e-12);
  }
});

Deno.test("drafts that all stand lose nothing but the limit's last round", () => {
  const whole = { drafted: 4, accepted: 4, emitted: 5 };
  const factors = waterfallFactors(pairOf([whole, whole], { draftLength: 4, maxTokens: 10 }));
  assertEquals(factors["short drafts"] * factors.rejections * factors["last rounds"], 1);
  const cut = waterfallFactors(
    pairOf([whole, whole, { drafted: 1, accepted: 1, emitted: 2 }], {
      draftLength: 4,
      maxTokens: 12,
    }),
  );
  assertEquals([cut["short drafts"], cut.rejections], [1, 1]);
  assertAlmostEquals(cut["last rounds"], 4 / 5);
});

Deno.test("what a table does not offer is no rejection", () => {
  const rounds = [{ drafted: 0, accepted: 0, emitted: 1 }, { drafted: 4, accepted: 2, emitted: 3 }];
  const factors = waterfallFactors(pairOf(rounds, { draftLength: 4, maxTokens: 99 }));
  assertAlmostEquals(factors["short drafts"], 3 / 5);
  assertAlmostEquals(factors.rejections, 2 / 3);
});

Deno.test("a text no longer than a draft has a waterfall too", () => {
  const rounds = [{ drafted: 1, accepted: 1, emitted: 2 }];
  const pair = pairOf(rounds, { draftLength: 8, maxTokens: 2 });
  const product = Object.values(waterfallFactors(pair)).reduce((all, one) => all * one, 1);
  assertAlmostEquals(9 * product, pairSpeedup(pair)!, 1e-12);
});

Deno.test("where decoding is its rounds and no more, the named factors leave nothing unaccounted", () => {
  const rounds = [
    { drafted: 4, accepted: 1, emitted: 2 },
    { drafted: 2, accepted: 2, emitted: 3 },
    { drafted: 3, accepted: 3, emitted: 1 },
  ];
  const factors = waterfallFactors(pairOf(rounds, { draftLength: 4, maxTokens: 40 }));
  assertAlmostEquals(factors.unaccounted, 1, 1e-12);
  assertAlmostEquals(factors.verification, 1);
  assertAlmostEquals(factors.host, 1);
  assertAlmostEquals(factors.drafting, 11 / 14);
  assertAlmostEquals(factors["last rounds"], (6 / 3) / (5 / 2));
});
