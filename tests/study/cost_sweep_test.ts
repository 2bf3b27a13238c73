import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { CostRecord } from "../../lib/study/cost_records.ts";
import type { Meter } from "../../lib/study/meters.ts";
import { planCosts } from "../../lib/study/cost_plan.ts";
import { plant, plantedMs, SMALL, smallPlan, smallSweep, temporaryCosts } from "./planted_costs.ts";

const total = smallPlan().flatMap(({ costs }) => costs).length;

/** A machine of two cores on which other work takes a share of one in every visit it is asked for. */
function meterOf(clock: () => number, disturbed: (visit: number) => boolean): Meter {
  let readings = 0;
  let other = 0;
  let last = 0;
  return () => {
    const wall = clock() / 1000;
    // Readings come in pairs: before a visit and after it.
    if (readings++ % 2 === 1 && disturbed((readings - 2) / 2)) other += (wall - last) * 0.5;
    last = wall;
    return { wall, own: wall, idle: wall - other, residentBytes: 1e8, peakMemoryBytes: 1e8 };
  };
}

Deno.test("sweepCosts() records every cell once, near its planted time", async () => {
  await using store = await temporaryCosts();
  assertEquals(await smallSweep(store, plant()), { measured: total, left: 0 });
  assertEquals(new Set(store.costs.map(({ cell }) => cell)).size, total);
  for (const cost of store.costs) {
    assertEquals([cost.status, cost.converged, cost.pastLimit], [
      "ok",
      true,
      cost.context + cost.width > 4096,
    ]);
    assert(cost.visits! >= 4 && cost.leastMs! < cost.ms!);
    assert((cost.highMs! - cost.lowMs!) / 2 <= 0.02 * cost.ms! + 0.001);
    assertLess(Math.abs(cost.ms! / plantedMs(cost) - 1), 0.03);
  }
});

Deno.test("a resumed sweep times no cell that is on record", async () => {
  await using store = await temporaryCosts();
  const interruption = new AbortController();
  const stopped = await smallSweep(store, plant(), {
    signal: interruption.signal,
    onProgress: ({ done }) => done >= 4 && interruption.abort(),
  });
  const recorded = store.costs.length;
  assertEquals(stopped, { measured: recorded, left: total - recorded });
  assert(recorded >= 4 && recorded < total);
  const done = new Set(
    store.costs.map(({ kind, width, context }) => `${kind} ${width} ${context}`),
  );
  const planted = plant({
    before: ({ kind, width, context }) => assert(!done.has(`${kind} ${width} ${context}`)),
  });
  assertEquals(await smallSweep(store, planted), { measured: total - recorded, left: 0 });
  assertEquals(new Set(store.costs.map(({ cell }) => cell)).size, total);
  const nothing = plant({ before: () => assert(false, "there is nothing left to time") });
  assertEquals(await smallSweep(store, nothing), { measured: 0, left: 0 });
});

Deno.test("a disturbed visit is measured again, and a restless machine's cells are flagged", async () => {
  for (const [share, disturbed, dropped] of [[1, false, 1], [Infinity, true, 2]] as const) {
    await using store = await temporaryCosts();
    const planted = plant();
    // The first visit only, to each of as many blocks as there are; or all visits.
    const blocks = 4;
    const meter = meterOf(planted.clock, (visit) => visit < share * blocks);
    await smallSweep(store, planted, { meter, cores: 2 });
    assertEquals(store.costs.length, total);
    for (const cost of store.costs) {
      assertEquals([cost.disturbed, cost.dropped], [disturbed, dropped]);
    }
  }
});

Deno.test("what a disturbed visit timed does not count", async () => {
  await using store = await temporaryCosts();
  let visits = 0;
  const planted = plant({ ms: (shape) => plantedMs(shape) * (visits < 4 ? 10 : 1) });
  const meter = meterOf(planted.clock, (visit) => (visits = visit + 1) <= 4);
  await smallSweep(store, planted, { meter, cores: 2 });
  for (const cost of store.costs) assertLess(Math.abs(cost.ms! / plantedMs(cost) - 1), 0.03);
});

Deno.test("a difference of 5 % between two cells is found, one of 0 % is not", async () => {
  await using store = await temporaryCosts();
  const factors: Readonly<Record<number, number>> = { 1: 1, 2: 1, 5: 1.05 };
  const planted = plant({
    ms: ({ width }) => 20 * (factors[width] ?? 1),
    noise: 0.03,
    drift: 0.01,
  });
  await smallSweep(store, planted, { tolerance: 0.01 });
  for (const context of SMALL.contexts) {
    const [one, two, five] = SMALL.widths.map((width) =>
      store.costs.find((cost) =>
        cost.kind === "pass" && cost.width === width && cost.context === context
      )!
    );
    assertLess(one!.highMs!, five!.lowMs!);
    assert(overlap(one!, two!), `${context}: ${one!.ms} and ${two!.ms}`);
  }
});

function overlap(a: CostRecord, b: CostRecord): boolean {
  return a.lowMs! <= b.highMs! && b.lowMs! <= a.highMs!;
}

Deno.test("intervals shrink as tolerance does, by more visits", async () => {
  const meanOf = async (tolerance: number) => {
    await using store = await temporaryCosts();
    await smallSweep(store, plant({ noise: 0.05, drift: 0.02 }), { tolerance });
    const mean = (of: (cost: CostRecord) => number) =>
      store.costs.reduce((sum, cost) => sum + of(cost), 0) / store.costs.length;
    return {
      visits: mean(({ visits }) => visits!),
      width: mean(({ lowMs, highMs }) => highMs! / lowMs!),
    };
  };
  const [coarse, fine] = [await meanOf(0.05), await meanOf(0.01)];
  assertGreater(fine.visits, 2 * coarse.visits);
  assertLess(fine.width, coarse.width);
});

Deno.test("most intervals hold the planted time, although they are looked at after each visit", async () => {
  let [inside, cells] = [0, 0];
  for (let seed = 0; seed < 60; seed++) {
    await using store = await temporaryCosts();
    await smallSweep(store, plant({ seed, noise: 0.02, drift: 0.02 }));
    cells += store.costs.length;
    inside += store.costs.filter((cost) => {
      return cost.lowMs! <= plantedMs(cost) && plantedMs(cost) <= cost.highMs!;
    }).length;
  }
  assertGreater(inside / cells, 0.85);
});

Deno.test("the budget ends a sweep with what was measured", async () => {
  await using store = await temporaryCosts();
  const planted = plant();
  const { measured, left } = await smallSweep(store, planted, { budgetMs: 1500 });
  assertEquals([measured, measured + left], [store.costs.length, total]);
  assert(measured > 0 && left > 0);
  assert(store.costs.every(({ converged, repeats }) => !converged && repeats! > 0));
  assertLess(planted.clock(), 1500 + 10 * 100); // what ran, and a block's uncounted passes
  const after = await smallSweep(store, plant());
  assertEquals([after, store.costs.length], [{ measured: left, left: 0 }, total]);
});

Deno.test("of a budget progress tells the share that is over, long before cells are recorded", async () => {
  await using store = await temporaryCosts();
  const planted = plant();
  const shown: { done: number; share: number; spent: number }[] = [];
  await smallSweep(store, planted, {
    budgetMs: 1500,
    onProgress: ({ done, share }) => shown.push({ done, share, spent: planted.clock() / 1500 }),
  });
  for (const { done, share, spent } of shown) {
    assertAlmostEquals(share, Math.min(1, Math.max(done / total, spent)), 1e-9);
  }
  assert(shown.some(({ done, share }) => done === 0 && share > 0.1));
});

Deno.test("what only disturbed visits timed is recorded when the time is up, and flagged", async () => {
  await using store = await temporaryCosts();
  const planted = plant();
  const meter = meterOf(planted.clock, () => true);
  await smallSweep(store, planted, { meter, cores: 2, budgetMs: 1500 });
  assertGreater(store.costs.length, 0);
  for (const { disturbed, converged } of store.costs) {
    assertEquals([disturbed, converged], [true, false]);
  }
});

Deno.test("a cell that cannot be done is recorded as failed, and the others go on", async () => {
  await using store = await temporaryCosts();
  const before = ({ width, context }: { width: number; context: number }) => {
    if (width === 5 && context === 4096) throw new RangeError("Cannot reach so far");
  };
  assertEquals(await smallSweep(store, plant({ before })), { measured: total, left: 0 });
  const failed = store.costs.filter(({ status }) => status === "failed");
  assertEquals(failed.map(({ width, context, ms, error }) => [width, context, ms, error]), [
    [5, 4096, null, "RangeError: Cannot reach so far"],
  ]);
});

Deno.test("drafts are loaded for their stage's target, also where its own cells are on record", async () => {
  await using store = await temporaryCosts();
  const planted = plant();
  await smallSweep(store, planted);
  const asked: unknown[] = [];
  const load: typeof planted.load = (id, options) => {
    asked.push([id, options.precision, options.drafts ?? options.target?.id]);
    return planted.load(id, options);
  };
  const drafts = [{ model: "head.gguf", precision: "int8" }] as const;
  const settings = { model: "planted", threads: 1, process: 1 };
  await smallSweep(store, { ...planted, load }, {}, planCosts(SMALL, { ...settings, drafts }));
  assertEquals(asked, [["planted", "int4", ["head.gguf"]], ["head.gguf", "int8", "planted"]]);
});
