/**
 * Which form of attention is the faster one on this processor.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { OnnxModel } from "./onnx_model.ts";

/** Where the forms are compared: one new token and five, in the middle of a long context. */
const LENGTH = 1024;
const WIDTHS = [1, 5];
const REPEATS = 5;

/**
 * Times both forms side by side, on text that is only pretended: what a pass costs does not depend
 * on what the cache holds.
 *
 * @param models A model that runs single rows in each form.
 * @returns The model whose passes took less time.
 */
export async function fasterForm(models: readonly OnnxModel[]): Promise<OnnxModel> {
  await using opened = new AsyncDisposableStack();
  const trials = models.map((model) => {
    const context = opened.use(model.open());
    context.pretend(Math.min(LENGTH, model.contextLength - Math.max(...WIDTHS)));
    return { model, context, cost: 0 };
  });
  for (const width of WIDTHS) {
    const tokens: TokenId[] = new Array(width).fill(0);
    const times = trials.map((): number[] => []);
    for (let repeat = 0; repeat <= REPEATS; repeat++) {
      for (const [index, { context }] of trials.entries()) {
        const started = performance.now();
        await context.evaluate([tokens]);
        if (repeat > 0) times[index]!.push(performance.now() - started); // the first one warms up
      }
    }
    // The least time is the one that other work disturbed least.
    times.forEach((list, index) => trials[index]!.cost += Math.min(...list));
  }
  return trials.reduce((best, trial) => trial.cost < best.cost ? trial : best).model;
}
