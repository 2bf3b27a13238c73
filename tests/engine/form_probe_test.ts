import { assertEquals, assertLess } from "@std/assert";
import { fasterForm, findForms, type Forms } from "../../lib/engine/form_probe.ts";
import type { OnnxModel } from "../../lib/engine/onnx_model.ts";
import { type Random, stream } from "../../lib/random.ts";

/** Milliseconds of a pass over `width` tokens after `length`. */
type Cost = (width: number, length: number) => number;

/** A model whose passes take as long as `cost` says, on a clock that it turns. */
function timed(clock: { now: number }, cost: Cost, contextLength: number): OnnxModel {
  const open = () => {
    let length = 0;
    return {
      pretend: (to: number) => length = to,
      evaluate: ([tokens]: number[][]) =>
        Promise.resolve(clock.now += cost(tokens!.length, length)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  };
  return { contextLength, open } as unknown as OnnxModel;
}

/** What a probe says of two forms, on a machine whose other work delays single passes. */
async function probed<T>(
  costs: Readonly<Record<keyof Forms, Cost>>,
  random: Random,
  probe: (forms: Forms) => Promise<T>,
  contextLength = 8192,
): Promise<T> {
  const clock = { now: 0 };
  const busy = (cost: Cost): Cost => (width, length) =>
    cost(width, length) * (1 + (random() < 0.15 ? 4 * random() : 0.1 * random()));
  const { now } = performance;
  performance.now = () => clock.now;
  try {
    return await probe({
      scattered: timed(clock, busy(costs.scattered), contextLength),
      grouped: timed(clock, busy(costs.grouped), contextLength),
    });
  } finally {
    performance.now = now;
  }
}

/** The faster of two forms that cost the same everywhere. */
function preferred(scattered: number, grouped: number, random: Random) {
  const costs = { scattered: () => scattered, grouped: () => grouped };
  return probed(costs, random, (forms) => fasterForm(forms, 5, 1024));
}

Deno.test("on a busy machine the form that costs a third less is found, whichever it is", async () => {
  const random = stream(1, "disturbance");
  const found = { right: 0, wrong: 0 };
  for (let trial = 0; trial < 200; trial++) {
    const faster = trial % 2 ? "grouped" : "scattered";
    const verdict = await (trial % 2 ? preferred(3, 2, random) : preferred(2, 3, random));
    if (verdict === faster) found.right++;
    else if (verdict !== null) found.wrong++;
  }
  assertEquals(found.wrong, 0);
  assertLess(160, found.right);
});

Deno.test("of forms that cost the same, one is rarely called faster", async () => {
  const random = stream(2, "disturbance");
  let verdicts = 0;
  for (let trial = 0; trial < 400; trial++) {
    if (await preferred(2, 2, random) !== null) verdicts++;
  }
  assertLess(verdicts, 20); // 5 expected
});

Deno.test("each kind of pass takes the scattered form from where it is no slower", async () => {
  const crossing = (scattered: Cost, contextLength?: number) => {
    const costs = { scattered, grouped: () => 2 };
    return probed(costs, stream(3, "disturbance"), findForms, contextLength);
  };
  const { rule, isSure } = await crossing((width, length) => width === 1 || length < 4000 ? 4 : 1);
  assertEquals([rule, isSure], [{ one: null, several: 4096 }, true]);
  assertEquals((await crossing(() => 1)).rule, { one: 0, several: 0 });
  assertEquals((await crossing(() => 4)).rule, { one: null, several: null });
  const within32: Cost = (width, length) => width + length > 32 ? 0 : width === 1 ? 4 : 1;
  assertEquals((await crossing(within32, 32)).rule, { one: null, several: 0 });
  const equal = await crossing((width) => width === 1 ? 2 : 4);
  assertEquals([equal.rule, equal.isSure], [{ one: 0, several: null }, false]);
});
