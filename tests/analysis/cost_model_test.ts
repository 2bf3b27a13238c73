import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import { stream } from "@specbound/specbound";
import { fitCosts, prefillTime } from "../../lib/analysis/cost_model.ts";
import {
  CostModelError,
  type MeasuredTime,
  measuredTimes,
} from "../../lib/analysis/measured_times.ts";
import { PREFILL_WIDTH } from "../../lib/study/cost_plan.ts";
import { plant, smallPlan, smallSweep, temporaryCosts } from "../study/planted_costs.ts";

const WIDTHS = [1, 2, 3, 4, 5, 6, 8, 9, 12, 16, 17];
const CONTEXTS = [16, 64, 256, 1024, 2048, 4096, 8192, 16384];

type Truth = (width: number, context: number, batch: number) => number;

/** Smooth in everything. */
const plane: Truth = (width, context, batch) =>
  batch * (8 + 2 * width + 0.002 * context + 0.0004 * width * context);
/** A kernel for one token, and steps of four tokens. */
const steps: Truth = (width, context, batch) =>
  plane(width === 1 ? 0.2 : 4 * Math.ceil(width / 4), context, batch);

function measure(truth: Truth, noise: number, batches = [1, 2], seed = 1): MeasuredTime[] {
  const random = stream(seed, "noise");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return batches.flatMap((batch) =>
    CONTEXTS.flatMap((context) =>
      WIDTHS.map((width) => {
        const ms = truth(width, context, batch) * Math.exp(noise * normal());
        return { width, context, batch, ms, error: noise };
      })
    )
  );
}

/** Shapes between those that were measured, in every cell of the grid. */
const BETWEEN = [1, 2, 4, 5, 7, 10, 14, 17].flatMap((width) =>
  [40, 100, 700, 1500, 3000, 6000, 12_000].map((context) => ({ width, context }))
);

Deno.test("fitCosts() recovers planted terms within their noise", () => {
  const model = fitCosts(measure(plane, 0.02));
  assertEquals([model.heldOut.context.form, model.heldOut.width.form], ["terms", "terms"]);
  for (const { width, context } of BETWEEN) {
    const ratio = model.time(width, context).ms / plane(width, context, 1);
    assertLess(Math.abs(ratio - 1), 0.02);
  }
  const between = model.time(5, 1024, 1.5).ms; // linear in B, as planted
  assertAlmostEquals(between / plane(5, 1024, 1.5), 1, 0.02);
});

Deno.test("fitCosts() interpolates where kernels make steps that terms cannot follow", () => {
  const model = fitCosts(measure(steps, 0.01));
  const { form, errors } = model.heldOut.context;
  assertEquals(form, "interpolated");
  assertGreater(errors.terms!.rms, 2 * errors.interpolated!.rms);
  for (const width of WIDTHS) { // every width in use is measured; contexts lie between
    const ratio = model.time(width, 3000).ms / steps(width, 3000, 1);
    assertLess(Math.abs(ratio - 1), 0.03);
  }
});

Deno.test("held-out errors are honest: those at shapes never measured are no greater", () => {
  const unseen = {
    context: WIDTHS.flatMap((width) => [40, 700, 3000, 12_000].map((n) => [width, n] as const)),
    width: CONTEXTS.flatMap((context) => [7, 10, 11, 13, 15].map((w) => [w, context] as const)),
  };
  for (const truth of [plane, steps]) {
    for (let seed = 0; seed < 10; seed++) {
      const model = fitCosts(measure(truth, 0.02, [1], seed));
      for (const factor of ["context", "width"] as const) {
        const misses = unseen[factor].map(([width, context]) =>
          model.time(width, context).ms / truth(width, context, 1) - 1
        );
        const { form, errors } = model.heldOut[factor];
        const rms = Math.hypot(...misses) / Math.sqrt(misses.length);
        assertLess(rms, 1.2 * errors[form]!.rms);
      }
    }
  }
});

Deno.test("a measured shape's time is its measurement", () => {
  const times = measure(steps, 0.01);
  const model = fitCosts(times);
  for (const { width, context, batch, ms } of times) {
    // Neighbouring contexts out of order are pooled, which noise does to the shortest only.
    assertLess(Math.abs(model.time(width, context, batch).ms / ms - 1), 0.02);
  }
});

Deno.test("intervals hold the planted time at shapes that were measured and others", () => {
  for (const truth of [plane, steps]) {
    let [inside, all] = [0, 0];
    for (let seed = 0; seed < 10; seed++) {
      const times = measure(truth, 0.02, [1], seed);
      const model = fitCosts(times);
      for (const { width, context } of [...times, ...BETWEEN]) {
        const [{ low, high }, ms] = [model.time(width, context), truth(width, context, 1)];
        inside += Number(low <= ms && ms <= high);
        all++;
      }
    }
    assertGreater(inside / all, 0.93);
  }
});

Deno.test("interpolated times never fall as the context grows", () => {
  const model = fitCosts(measure(steps, 0.05));
  assertEquals(model.heldOut.context.form, "interpolated");
  for (const width of WIDTHS) {
    const times = [...CONTEXTS, ...BETWEEN.map(({ context }) => context)]
      .sort((a, b) => a - b).map((context) => model.time(width, context).ms);
    times.forEach((ms, i) => assert(i === 0 || ms >= times[i - 1]! - 1e-9));
  }
});

Deno.test("a staircase in the context is followed where slots say what is read", () => {
  const slots = (context: number, width: number) =>
    256 * Math.ceil((context + Math.max(width, 32)) / 256);
  const stairs: Truth = (width, context, batch) => plane(width, slots(context, width), batch);
  const times = measure(stairs, 0.001, [1]);
  const worst = (model: ReturnType<typeof fitCosts>) =>
    Math.max(
      ...BETWEEN.map(({ width, context }) =>
        Math.abs(model.time(width, context).ms / stairs(width, context, 1) - 1)
      ),
    );
  assertLess(worst(fitCosts(times, { slots })), 0.005);
  assertGreater(worst(fitCosts(times)), 0.005);
});

Deno.test("nothing is extrapolated", () => {
  const model = fitCosts(measure(plane, 0.01));
  for (const [width, context, batch] of [[18, 64, 1], [1, 8, 1], [1, 20_000, 1], [1, 64, 4]]) {
    assertThrows(() => model.time(width!, context!, batch), CostModelError, "outside of what was");
  }
  assertThrows(() => fitCosts([]), CostModelError, "none were measured");
});

Deno.test("rows become times: replicates are pooled, what does not count is left out", async () => {
  await using store = await temporaryCosts();
  await smallSweep(store, plant({ seed: 1 }));
  await smallSweep(store, plant({ seed: 2 }), {}, smallPlan(undefined, 2));
  const [first, ...rest] = store.costs;
  const passes = store.costs.filter(({ kind }) => kind === "pass");
  const times = measuredTimes(store.costs, "pass");
  assertEquals(times.length, passes.length / 2);
  for (const { error } of times) assert(error > 0 && error < 0.02);
  const unusable = store.costs.map((cost) => ({ ...cost, disturbed: true }));
  assertEquals(measuredTimes(unusable, "pass"), []);
  const mixed = [{ ...first!, precision: "int8" }, ...rest];
  assertThrows(() => measuredTimes(mixed, "pass"), CostModelError, "precision is int8 and int4");
});

Deno.test("a prompt's time is the sum of its chunks'", () => {
  const chunks = [0, 2048].map((context) => {
    return { width: PREFILL_WIDTH, context, batch: 1, ms: 100 + context / 10, error: 0.01 };
  });
  const { ms, low, high } = prefillTime(fitCosts(chunks), 1024, PREFILL_WIDTH);
  assertAlmostEquals(ms, 8 * 100 + (0 + 7) * 8 / 2 * 12.8);
  assertAlmostEquals(high / low, Math.exp(2 * 1.96 * 0.01), 1e-4);
});
