/**
 * Which form of attention is the faster one on this processor.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { OnnxContext, OnnxModel } from "./onnx_model.ts";

/** Where the forms are compared: one new token and five, in the middle of a long context. */
const LENGTH = 1024;
const WIDTHS = [1, 5];
/** Pairs of turns after which a verdict is looked for. */
const PAIRS = [9, 18, 36];
/**
 * Of 9, 18 and 36 pairs, how many must agree. Of forms that cost the same, one passes for faster by
 * chance in 1.3 % of all trials (sign test, all three looks together).
 */
const AGREEING: readonly number[] = [9, 15, 27];
/** Milliseconds after which no further look is taken: where passes are slow, 9 pairs must do. */
const PATIENCE = 10_000;

/**
 * Times two forms turn by turn, on text that is only pretended: what a pass costs does not depend
 * on what the cache holds. Other work on the machine disturbs single turns, and both forms alike, so
 * what counts is how often a form was the faster of its pair, not by how much.
 *
 * @param models Two models that run single rows in one form each.
 * @returns The model that is faster, or null if none is beyond doubt.
 */
export async function fasterForm(
  models: readonly [OnnxModel, OnnxModel],
): Promise<OnnxModel | null> {
  await using opened = new AsyncDisposableStack();
  const contexts = models.map((model) => {
    const context = opened.use(model.open());
    context.pretend(Math.min(LENGTH, model.contextLength - Math.max(...WIDTHS)));
    return context;
  });
  for (const context of contexts) await turn(context); // the first one warms up
  const wins = [0, 0];
  const started = performance.now();
  let pairs = 0;
  for (const [look, until] of PAIRS.entries()) {
    if (performance.now() - started > PATIENCE) break;
    for (; pairs < until; pairs++) {
      const order = pairs % 2 === 0 ? [0, 1] : [1, 0]; // neither is always the first
      const times = [0, 0];
      for (const index of order) times[index] = await turn(contexts[index]!);
      wins[times[0]! <= times[1]! ? 0 : 1]!++;
    }
    const winner = wins.findIndex((count) => count >= AGREEING[look]!);
    if (winner >= 0) return models[winner]!;
  }
  return null;
}

/** Milliseconds of one pass of each width. */
async function turn(context: OnnxContext): Promise<number> {
  const started = performance.now();
  for (const width of WIDTHS) {
    await context.evaluate([new Array<TokenId>(width).fill(0)]);
  }
  return performance.now() - started;
}
