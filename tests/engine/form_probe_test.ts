import { assertEquals, assertLess } from "@std/assert";
import { fasterForm } from "../../lib/engine/form_probe.ts";
import type { OnnxModel } from "../../lib/engine/onnx_model.ts";
import { type Random, stream } from "../../lib/random.ts";

/** A model whose passes take as many milliseconds as `cost` says, on a clock that it turns. */
function timed(clock: { now: number }, cost: () => number): OnnxModel {
  const context = {
    pretend: () => {},
    evaluate: () => Promise.resolve(clock.now += cost()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { contextLength: 4096, open: () => context } as unknown as OnnxModel;
}

/** Which of two models the probe prefers, on a machine whose other work delays single passes. */
async function preferred(costs: readonly [number, number], random: Random): Promise<number> {
  const clock = { now: 0 };
  const busy = (cost: number) => () =>
    cost * (1 + (random() < 0.15 ? 4 * random() : 0.1 * random()));
  const models = [timed(clock, busy(costs[0])), timed(clock, busy(costs[1]))] as const;
  const { now } = performance;
  performance.now = () => clock.now;
  try {
    return models.indexOf((await fasterForm(models))!);
  } finally {
    performance.now = now;
  }
}

Deno.test("on a busy machine the form that costs a third less is found, whichever it is", async () => {
  const random = stream(1, "disturbance");
  const found = { right: 0, wrong: 0 };
  for (let trial = 0; trial < 200; trial++) {
    const faster = trial % 2;
    const verdict = await preferred(faster ? [3, 2] : [2, 3], random);
    if (verdict === faster) found.right++;
    else if (verdict >= 0) found.wrong++;
  }
  assertEquals(found.wrong, 0);
  assertLess(160, found.right);
});

Deno.test("of forms that cost the same, one is rarely called faster", async () => {
  const random = stream(2, "disturbance");
  let verdicts = 0;
  for (let trial = 0; trial < 400; trial++) {
    if (await preferred([2, 2], random) >= 0) verdicts++;
  }
  assertLess(verdicts, 20); // 5 expected
});
