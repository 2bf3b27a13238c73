import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { stream } from "@specbound/specbound";
import { bootstrapRatio, geometricMean, judgeSpeedup } from "../../lib/analysis/statistics.ts";

/** Ratios around a true one: prompts differ, and so do runs. */
function draw(random: () => number, prompts: number, processes: number, truth: number) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: prompts }, (_, prompt) => {
    const centre = Math.log(truth) + 0.1 * normal();
    return Array.from({ length: processes }, (_, process) => {
      return { ratio: Math.exp(centre + 0.05 * normal()), prompt: `${prompt}`, process };
    });
  }).flat();
}

Deno.test("95 % intervals hold the true ratio in about 95 of 100 studies, however few the prompts", () => {
  const random = stream(1, "coverage");
  for (const [prompts, processes] of [[3, 1], [6, 1], [12, 1], [12, 3]] as const) {
    let held = 0;
    for (let study = 0; study < 400; study++) {
      const pairs = draw(random, prompts, processes, 1.3);
      const { low, high } = bootstrapRatio(pairs, { seed: study, draws: 300 });
      if (low! <= 1.3 && 1.3 <= high!) held++;
    }
    assert(held / 400 > 0.9 && held / 400 < 0.99, `${prompts} prompts: ${held / 4} %`);
  }
});

Deno.test("the estimate is the geometric mean, the same seed gives the same interval", () => {
  const pairs = draw(stream(2, "x"), 5, 2, 0.8);
  const interval = bootstrapRatio(pairs, { seed: 3 });
  assertEquals(interval.estimate, geometricMean(pairs.map(({ ratio }) => ratio)));
  assertEquals(bootstrapRatio(pairs, { seed: 3 }), interval);
  assertLess(interval.low!, interval.estimate);
  assertGreater(interval.high!, interval.estimate);
});

Deno.test("one prompt, however often it is run, decides nothing", () => {
  const pairs = [2, 2.1, 2.2].map((ratio, process) => ({ ratio, prompt: "a", process }));
  const interval = bootstrapRatio(pairs, { seed: 1 });
  assertEquals([interval.low, interval.high, judgeSpeedup(interval)], [null, null, "undecided"]);
});
