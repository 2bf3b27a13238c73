import { assert, assertAlmostEquals } from "@std/assert";
import { speedupAt } from "../../lib/analysis/boundary.ts";
import { batchThroughputs } from "../../lib/analysis/throughput.ts";
import { plantedPair } from "./planted_pair.ts";

const pair = plantedPair();
const longest = 8;

Deno.test("throughput over that of plain decoding is S, at every batch", () => {
  const rates = batchThroughputs(pair, {
    batches: [1, 2, 4],
    alphas: [0.3, 0.8],
    context: 1024,
    longest,
  });
  const plain = new Map(
    rates.filter(({ alpha }) => alpha === null).map((one) => [one.batch, one.rate]),
  );
  for (const { alpha, batch, draftLength, rate } of rates) {
    if (alpha === null) continue;
    const point = { alpha, draftLength, context: 1024, batch };
    const { estimate } = speedupAt(pair, point, { draws: 2 });
    assertAlmostEquals(rate.estimate / plain.get(batch)!.estimate, estimate, 1e-9);
    assert(rate.low < rate.estimate && rate.estimate < rate.high);
  }
});

Deno.test("batches gain throughput, and lose the gain of speculation where tokens are not free", () => {
  const rates = batchThroughputs(pair, { batches: [1, 2, 4], alphas: [0.7], context: 64, longest });
  const rateOf = (alpha: number | null, batch: number) =>
    rates.find((one) => one.alpha === alpha && one.batch === batch)!.rate.estimate;
  for (const batch of [1, 2]) {
    assert(rateOf(null, batch) < rateOf(null, 2 * batch));
    const gain = (size: number) => rateOf(0.7, size) / rateOf(null, size);
    assert(gain(batch) > gain(2 * batch));
  }
});

Deno.test("a plain pass's interval is that of its throughput", () => {
  const [one] = batchThroughputs(plantedPair(0.05), {
    batches: [1],
    alphas: [],
    context: 64,
    longest,
  });
  const { high, low } = plantedPair(0.05).target.pass.time(1, 64);
  assertAlmostEquals(Math.log(one!.rate.high / one!.rate.low), Math.log(high / low), 1e-2);
});
