import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { costPreset, nextCostProcess, planCosts } from "../../lib/study/cost_plan.ts";
import { plan, type PlannedPair } from "../../lib/study/plan.ts";
import { preset } from "../../lib/study/presets.ts";
import { nextProcess } from "../../lib/study/resume.ts";
import { isInShard, parseShard, type Shard } from "../../lib/study/shard.ts";
import { PROMPTS } from "./tables.ts";

const quick = preset("quick", "m");
const study = costPreset("study");

const pairsOf = (process: number, shard?: Shard): PlannedPair[] =>
  plan(quick, PROMPTS, { process, threads: 2, ...shard && { shard } })
    .flatMap(({ blocks }) => blocks.flatMap(({ pairs }) => pairs));

const cellsOf = (process: number, shard?: Shard) =>
  planCosts(study, { model: "m", drafts: [], threads: 2, process, ...shard && { shard } })
    .flatMap(({ costs }) => costs);

const shards = (count: number): Shard[] =>
  Array.from({ length: count }, (_, i) => ({ index: i + 1, count }));

Deno.test("every key is in exactly one shard", () => {
  fc.assert(fc.property(fc.string(), fc.integer({ min: 1, max: 100 }), (key, count) => {
    assertEquals(shards(count).filter((shard) => isInShard(key, shard)).length, 1);
  }));
});

Deno.test("shards partition a grid, and keep its order and which arm runs first", () => {
  for (const count of [1, 2, 3, 40]) {
    for (const gridOf of [pairsOf, cellsOf]) {
      const grid = gridOf(2).map((planned) => JSON.stringify(planned));
      const parts = shards(count)
        .map((shard) => gridOf(2, shard).map((planned) => JSON.stringify(planned)));
      assertEquals(parts.flat().toSorted(), grid.toSorted());
      for (const part of parts) {
        const places = part.map((planned) => grid.indexOf(planned));
        assertEquals(places, places.toSorted((a, b) => a - b));
      }
    }
  }
});

Deno.test("shards are balanced as a fair draw is", () => {
  for (const grid of [pairsOf(1), cellsOf(1)]) {
    for (const count of [2, 3, 8]) {
      // χ² of count − 1 degrees of freedom: 99.9 % of fair draws are below these.
      const limit = { 2: 10.8, 3: 13.8, 8: 24.3 }[count]!;
      const expected = grid.length / count;
      const sizes = shards(count)
        .map((shard) => grid.filter(({ key }) => isInShard(key, shard)).length);
      assertLess(sizes.reduce((sum, size) => sum + (size - expected) ** 2 / expected, 0), limit);
    }
  }
});

Deno.test("a key stays in its shard in every replicate", () => {
  const shard = { index: 2, count: 3 };
  const first = new Set(pairsOf(1, shard).map(({ key }) => key));
  for (const { key } of pairsOf(2).filter((pair) => first.has(pair.key))) {
    assert(isInShard(key, shard));
  }
  const processOf = (runs: readonly { readonly pair: string }[]) =>
    nextProcess(quick, PROMPTS, { threads: 2, shard }, runs);
  assertEquals(processOf(pairsOf(1, shard).slice(1)), 1);
  assertEquals(processOf(pairsOf(1, shard)), 2);
});

Deno.test("a shard of no pair has nothing to run, and ends", () => {
  const shard = shards(1000).find((shard) => pairsOf(1, shard).length === 0)!;
  assertEquals(nextProcess(quick, PROMPTS, { threads: 2, shard }, []), 1);
  const options = { model: "m", drafts: [], threads: 2 };
  const empty = shards(10_000).find((shard) => cellsOf(1, shard).length === 0)!;
  assertEquals(nextCostProcess(study, { ...options, shard: empty }, []), 1);
});

Deno.test("parseShard() takes i/n from 1/n to n/n and nothing else", () => {
  assertEquals([parseShard("1/1"), parseShard("3/3")], [...shards(1), shards(3)[2]!]);
  for (const text of ["0/3", "4/3", "1/0", "1", "1/", "/2", "a/b", "1.5/3", "-1/3", "1/3/3", ""]) {
    assertThrows(() => parseShard(text), RangeError, "Cannot sweep as a shard must be");
  }
});
