import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { passesOfCosts, passesOfRounds } from "../../lib/analysis/measured_passes.ts";
import {
  type Efficiencies,
  fitEfficiencies,
  holdOut,
  passTime,
  RooflineError,
  type TimedPass,
} from "../../lib/analysis/roofline.ts";
import { findShape } from "../../lib/models/shapes.ts";
import type { CostRecord } from "../../lib/study/cost_records.ts";
import { readFixture } from "./fixture.ts";

const PART = { id: "part", kind: "cpu", bandwidth: 80, fp32: 2, fp16: null, int8: 8 } as const;
const TRUTH: Efficiencies = {
  memory: 0.7,
  compute: { fp32: 0.8, int8: 0.4, int4: 0.3 },
  attention: 0.2,
  launchMs: 0.05,
};
const { architecture: sizes } = findShape("shape:smollm2-135m");
const SHAPE = { width: 1, context: 1000, batch: 1 };

const stored = (weights: "fp32" | "int8" | "int4") => ({
  sizes,
  formats: { weights, cache: "fp32" } as const,
});

/** Passes as a machine of these efficiencies would take them. */
function passesBy(truth: Efficiencies): TimedPass[] {
  return (["fp32", "int8", "int4"] as const).flatMap((weights) =>
    [1, 3, 9].flatMap((width) =>
      [0, 1000, 8000].map((context) => {
        const shape = { width, context, batch: 1 };
        const ms = passTime(PART, truth, stored(weights), shape).total;
        return { ...stored(weights), ...shape, ms };
      })
    )
  );
}

function assertNear(fitted: Efficiencies, truth: Efficiencies): void {
  assertAlmostEquals(fitted.memory, truth.memory, 1e-6);
  assertAlmostEquals(fitted.launchMs, truth.launchMs, 1e-6);
  assertAlmostEquals(fitted.attention, truth.attention, 1e-6);
  for (const format of ["fp32", "int8", "int4"] as const) {
    assertAlmostEquals(fitted.compute[format]!, truth.compute[format]!, 1e-6);
  }
}

Deno.test("a roofline fitted to its own times recovers its efficiencies", () => {
  assertNear(fitEfficiencies(passesBy(TRUTH), PART), TRUTH);
});

Deno.test("a roofline predicts its own times at widths and contexts that it was not shown", () => {
  for (const factor of ["width", "context"] as const) {
    const held = holdOut(passesBy(TRUTH), PART, (pass) => pass[factor]);
    assertEquals(held.length, 27);
    for (const { error } of held) assertAlmostEquals(error, 0, 1e-6);
  }
});

Deno.test("times that no roofline takes miss what is held out", () => {
  const stepped = passesBy(TRUTH).map((pass) => ({
    ...pass,
    ms: pass.ms * (pass.width > 1 ? 3 : 1),
  }));
  const errors = holdOut(stepped, PART, ({ width }) => width).map(({ error }) => Math.abs(error));
  assertGreaterOrEqual(Math.max(...errors), 0.5);
});

Deno.test("a cost that passes do not show is fitted as hidden, never as negative", () => {
  const falling = passesBy(TRUTH).map((pass) => ({ ...pass, ms: pass.ms / (1 + pass.context) }));
  assertEquals(fitEfficiencies(falling, PART).attention, Infinity);
});

Deno.test("more bandwidth or throughput never slows a pass, and more work never speeds it up", () => {
  const formats = fc.constantFrom("fp32", "int8", "int4");
  const factor = fc.double({ min: 1, max: 100, noNaN: true });
  const tokens = fc.integer({ min: 1, max: 64 });
  fc.assert(
    fc.property(formats, factor, factor, tokens, tokens, (weights, wider, faster, width, batch) => {
      const { bandwidth, fp32, int8 } = PART;
      const better = {
        ...PART,
        bandwidth: bandwidth * wider,
        fp32: fp32 * faster,
        int8: int8 * faster,
      };
      const total = (part: typeof better, width: number) =>
        passTime(part, TRUTH, stored(weights), { width, context: 500, batch }).total;
      assert(total(better, width) <= total({ ...PART }, width));
      assert(total({ ...PART }, width) < total({ ...PART }, width + 1));
    }),
  );
});

Deno.test("verification is free where arithmetic is: v → 1 at a growing throughput", () => {
  const v = (times: number) => {
    const part = { ...PART, fp32: 2 * times, int8: 8 * times };
    const total = (width: number) =>
      passTime(part, TRUTH, stored("int8"), { ...SHAPE, width }).total;
    return total(5) / total(1);
  };
  assertLess(v(10), v(1));
  assertAlmostEquals(v(1e6), 1, 0.01);
});

Deno.test("times are milliseconds: 1 GB at 1 GB/s takes a second", () => {
  const part = { ...PART, bandwidth: 1 };
  const free = { memory: 1, compute: { fp32: Infinity }, attention: Infinity, launchMs: 0 };
  const { layers, head } = passTime(part, free, stored("fp32"), { ...SHAPE, context: 0 });
  // 134,480,000 weights but for the norms, 4 bytes each.
  assertAlmostEquals(layers + head, 4 * (134_515_008 - 61 * 576) / 1e6, 1e-6);
  const arithmetic = { ...free, memory: Infinity, compute: { fp32: 1 } };
  const { head: products } = passTime(PART, arithmetic, stored("fp32"), SHAPE);
  assertAlmostEquals(products, 2 * 49_152 * 576 / 2e12 * 1e3, 1e-9);
});

Deno.test("parts of a pass add up to its time", () => {
  const { layers, head, attention, launch, total } = passTime(PART, TRUTH, stored("int4"), SHAPE);
  assertAlmostEquals(layers + head + attention + launch, total, 1e-9);
  assertAlmostEquals(launch, 30 * 0.05);
});

Deno.test("what was not fitted or is not published is an error that says so", () => {
  const without = { ...TRUTH, compute: { fp32: 1 } };
  assertThrows(
    () => passTime(PART, without, stored("int4"), SHAPE),
    RooflineError,
    "Cannot project int4 on part as its efficiency was not fitted",
  );
  const unknown = { ...PART, fp32: null, int8: null };
  assertThrows(
    () => passTime(unknown, TRUTH, stored("int4"), SHAPE),
    RooflineError,
    "its throughput is not published",
  );
  assertThrows(() => fitEfficiencies([], PART), RooflineError, "no pass was measured");
});

Deno.test("rounds of like width and context become one pass, those of disturbed runs none", async () => {
  const { runs, rounds } = await readFixture();
  const known = runs.map((run) => ({ ...run, model: "smollm2-135m-instruct" }));
  const passes = passesOfRounds({ runs: known, rounds });
  assertEquals(new Set(passes.map(({ formats }) => formats.weights)), new Set(["fp32", "int4"]));
  const plain = passes.find(({ width, formats }) => width === 1 && formats.weights === "fp32")!;
  const times = rounds.filter(({ drafted, pair }) =>
    drafted === 0 && known.some((run) => run.pair === pair && run.precision === "fp32")
  ).map(({ verifyMs }) => verifyMs);
  assert(Math.min(...times) <= plain.ms && plain.ms <= Math.max(...times));
  const disturbed = known.map((run) => ({ ...run, disturbed: true }));
  assertEquals(passesOfRounds({ runs: disturbed, rounds }), []);
});

Deno.test("of the cost layer, passes count that were measured undisturbed on a known shape", () => {
  const row = {
    kind: "pass",
    model: "smollm2-135m-instruct",
    precision: "int4",
    headPrecision: "int8",
    width: 5,
    context: 64,
    batch: 2,
    ms: 12,
    disturbed: false,
  } as CostRecord;
  const others: Partial<CostRecord>[] = [
    { kind: "host" },
    { kind: "prefill" },
    { ms: null },
    { disturbed: true },
    { model: "of-unknown-shape" },
  ];
  const passes = passesOfCosts([row, ...others.map((change) => ({ ...row, ...change }))]);
  const formats = { weights: "int4", head: "int8", cache: "fp32" } as const;
  assertEquals(passes, [{ sizes, formats, width: 5, context: 64, batch: 2, ms: 12 }]);
});
