/**
 * Models as the cost layer sees them.
 *
 * @module
 */

import { loadModel } from "../lib/engine/load.ts";
import type { Runtime } from "../lib/onnx/mod.ts";
import type { CostStage } from "../lib/study/cost_plan.ts";
import { type CostLoader, costTimer } from "../lib/study/cost_timer.ts";

/**
 * A loader of real weights, or of shapes. `id#4096` scores so many tokens of the vocabulary only.
 *
 * @param runtime Where passes run.
 * @param stages The plan, whose contexts the models need room for.
 * @param signal Stops what is loaded.
 * @param note Told what loading does.
 * @returns The loader.
 */
export function costLoader(
  runtime: Runtime,
  stages: readonly CostStage[],
  signal: AbortSignal,
  note: (text: string) => void,
): CostLoader {
  const room = furthest(stages);
  return async (id, { precision, exact }) => {
    const [path, scored] = id.split("#");
    const vocabulary = scored === undefined ? undefined : firstTokens(Number(scored));
    const options = { runtime, precision, exact, contextLength: room, vocabulary, signal };
    const model = await loadModel(path!, { ...options, onStage: note });
    const { sha256, headPrecision, form } = model.details;
    const { trainedLength, contextLength } = model.architecture;
    return {
      id,
      hash: sha256,
      precision,
      headPrecision,
      attention: form,
      provider: "cpu",
      limit: Math.min(trainedLength, contextLength),
      open: (context, batch) => Promise.resolve(costTimer(model, context, batch)),
      [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    };
  };
}

/** Which tokens a trimmed vocabulary keeps does not touch what a pass costs. */
function firstTokens(count: number): number[] {
  return Array.from({ length: count }, (_, token) => token);
}

/** Positions that a plan reaches. */
function furthest(stages: readonly CostStage[]): number {
  const ends = stages.flatMap(({ costs }) => costs.map(({ width, context }) => width + context));
  return Math.max(0, ...ends);
}
