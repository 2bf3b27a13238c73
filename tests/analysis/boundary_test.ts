import { assert, assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import {
  bestLength,
  breakEven,
  type CostLayer,
  costLayerOf,
  roundCosts,
  speedupAt,
} from "../../lib/analysis/boundary.ts";
import { fitCosts } from "../../lib/analysis/cost_model.ts";
import { CostModelError } from "../../lib/analysis/measured_times.ts";
import { expectedTokens, leviathanSpeedup } from "../../lib/analysis/metrics.ts";
import { plant, SMALL, smallPlan, smallSweep, temporaryCosts } from "../study/planted_costs.ts";

/** A model whose passes take `ms(w, n)`, known to `error`, and whose rounds take `host` a token beside. */
function layer(
  ms: (width: number, context: number) => number,
  { host = 0.1, error = 0.01 } = {},
): CostLayer {
  const widths = Array.from({ length: 17 }, (_, i) => i + 1);
  const cells = (contexts: readonly number[], of: typeof ms) =>
    contexts.flatMap((context) =>
      widths.map((width) => ({ width, context, batch: 1, ms: of(width, context), error }))
    );
  return {
    pass: fitCosts(cells([64, 1024, 4096], ms)),
    host: fitCosts(cells([0], (width) => host * width)),
  };
}

const target = layer((width, context) => 20 + 2 * (width - 1) + 0.005 * context);
const draft = layer((width, context) => 2 + 0.2 * (width - 1) + 0.0005 * context);
const pair = { target, draft };

Deno.test("S is what the formula makes of the planted costs", () => {
  const [alpha, K, n] = [0.7, 4, 1024];
  const tau = expectedTokens(alpha, K);
  const plain = 20 + 0.005 * n + 0.1;
  const drafting = K * (2 + 0.0005 * n + 0.1) + alpha ** K * 0.2;
  const round = drafting + 20 + 2 * K + 0.005 * n + 0.1 * tau;
  const { estimate, low, high } = speedupAt(pair, { alpha, draftLength: K, context: n });
  assertAlmostEquals(estimate, tau * plain / round, 1e-9);
  assert(low < estimate && estimate < high && high / low < 1.1);
});

Deno.test("where verification and the host are free, S is Leviathan's", () => {
  const free = { target: layer(() => 20, { host: 1e-9 }), draft: layer(() => 1, { host: 1e-9 }) };
  for (const alpha of [0, 0.4, 0.8, 1]) {
    const { estimate } = speedupAt(free, { alpha, draftLength: 6, context: 64 });
    assertAlmostEquals(estimate, leviathanSpeedup(alpha, 6, 0.05), 1e-6);
  }
});

Deno.test("drafting nothing neither helps nor hurts", () => {
  assertAlmostEquals(speedupAt(pair, { alpha: 0.5, draftLength: 0, context: 64 }).estimate, 1);
});

Deno.test("S is 1 at the break-even, whose interval spans what its costs leave open", () => {
  for (const context of [64, 1024, 4096]) {
    const { estimate, low, high } = breakEven(pair, { draftLength: 4, context });
    assertAlmostEquals(
      speedupAt(pair, { alpha: estimate, draftLength: 4, context }).estimate,
      1,
      1e-4,
    );
    assert(low < estimate && estimate < high && high - low < 0.1);
  }
  const slow = { target, draft: layer(() => 40) };
  assertEquals(breakEven(slow, { draftLength: 4, context: 64 }).estimate, Infinity);
});

Deno.test("costs known less well leave wider intervals", () => {
  const width = (error: number) => {
    const vague = layer((width, context) => 20 + 2 * (width - 1) + 0.005 * context, { error });
    const { low, high } = breakEven({ target: vague, draft }, { draftLength: 4, context: 64 });
    return high - low;
  };
  assertGreater(width(0.05), 2 * width(0.01));
});

Deno.test("no draft length beats the best one, and K = 4 loses its regret", () => {
  for (const alpha of [0.05, 0.3, 0.6, 0.95]) {
    const place = { alpha, context: 1024 };
    const best = bestLength(pair, place);
    const all = Array.from(
      { length: 17 },
      (_, draftLength) => speedupAt(pair, { ...place, draftLength }, { draws: 2 }).estimate,
    );
    assertAlmostEquals(Math.max(...all), best.speedup.estimate, 1e-9);
    assertAlmostEquals(best.regret.estimate, best.speedup.estimate / all[4]! - 1, 1e-9);
    assert(best.regret.low >= 0 && best.regret.high >= best.regret.low);
  }
  assertEquals(bestLength(pair, { alpha: 0.05, context: 64 }).draftLength, 0);
  assertGreater(bestLength(pair, { alpha: 0.95, context: 64 }).draftLength, 4);
});

Deno.test("a cost layer is read from its rows, and asked beyond them it refuses", async () => {
  await using store = await temporaryCosts();
  const preset = { ...SMALL, widths: [1, 2, 3, 5, 9] };
  await smallSweep(store, plant({ noise: 0.001, drift: 0.001 }), {}, smallPlan(preset));
  const measured = { target: costLayerOf(store.costs), draft: null };
  const { passMs, v } = roundCosts(measured, { alpha: 0.5, draftLength: 4, context: 1024 });
  assertAlmostEquals(passMs, 10 + 2 + 10.24 + 1.024, 0.1);
  assertAlmostEquals(v, (10 + 10 + 10.24 + 5.12) / passMs, 0.01);
  const far = { alpha: 0.5, draftLength: 9, context: 1024 };
  assertThrows(() => roundCosts(measured, far), CostModelError, "outside of what was measured");
});
