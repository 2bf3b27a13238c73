import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { joinPairs } from "../../lib/analysis/pairs.ts";
import { predictByContext } from "../../lib/figures/context_curves.ts";
import { locateRounds, passesOf } from "../../lib/figures/located_rounds.ts";
import { spread } from "../../lib/figures/plot.ts";
import { poolAcceptance } from "../../lib/figures/pooled_acceptance.ts";
import { readFixture } from "../analysis/fixture.ts";

const values = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 12 });

Deno.test("spread() keeps labels a row apart, in order, and their mean where it was", () => {
  fc.assert(fc.property(values, fc.integer({ min: 1, max: 20 }), (wanted, row) => {
    const places = spread(wanted, row);
    const sorted = places.toSorted((a, b) => a - b);
    for (const [i, place] of sorted.slice(1).entries()) assert(place - sorted[i]! >= row - 1e-9);
    for (const [i, a] of wanted.entries()) {
      for (const [j, b] of wanted.entries()) if (a < b) assert(places[i]! < places[j]!);
    }
    const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
    assertAlmostEquals(sum(places), sum(wanted), 1e-6);
  }));
});

Deno.test("spread() leaves labels alone that do not touch", () => {
  assertEquals(spread([30, 0, 10], 10), [30, 0, 10]);
});

Deno.test("a round lies where the tokens before it end, and the last one ends the run", async () => {
  const records = await readFixture();
  for (const rounds of Map.groupBy(locateRounds(records), ({ run }) => run).values()) {
    assertEquals(rounds[0]!.context, rounds[0]!.run.context);
    for (const [i, { position }] of rounds.slice(1).entries()) {
      assertEquals(position, rounds[i]!.position + rounds[i]!.round.emitted);
    }
    const { position, round, run } = rounds.at(-1)!;
    assertEquals(position + round.emitted, run.emitted);
  }
});

Deno.test("passes are one wider than their drafts, so plain ones are of width 1", async () => {
  const records = await readFixture();
  const plain = joinPairs(records).flatMap(({ plainRounds }) => plainRounds).length;
  assert(passesOf(records).filter(({ width }) => width === 1).length >= plain);
  assertEquals(passesOf(records).length, records.rounds.length);
});

Deno.test("costs that do not know the context predict the same S at each", async () => {
  const points = predictByContext(await readFixture(), { acceptance: 0.9 });
  assert(points.length > 0);
  for (const line of Map.groupBy(points, (p) => `${p.precision} ${p.draftLength}`).values()) {
    for (const { speedup } of line) assertAlmostEquals(speedup / line[0]!.speedup, 1, 0.1);
  }
});

Deno.test("the jackknife of equal prompts is the standard error of their mean", () => {
  const accepted = [2, 5, 7, 9];
  const { alpha, error } = poolAcceptance(
    accepted.map((count, i) => ({ prompt: `p${i}`, tested: 10, accepted: count })),
  )!;
  const shares = accepted.map((count) => count / 10);
  const mean = shares.reduce((sum, share) => sum + share, 0) / 4;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / 3;
  assertAlmostEquals(alpha, mean, 1e-12);
  assertAlmostEquals(error!, Math.sqrt(variance / 4), 1e-12);
});

Deno.test("two runs of one prompt are one prompt to the jackknife", () => {
  const counts = ["a", "a", "b", "c"].map((prompt, i) => ({ prompt, tested: 4, accepted: i }));
  const joined = [{ prompt: "a", tested: 8, accepted: 1 }, ...counts.slice(2)];
  assertEquals(poolAcceptance(counts), poolAcceptance(joined));
});
