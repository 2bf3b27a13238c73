/**
 * Models as the cost layer sees them.
 *
 * @module
 */

import { sayForms } from "../lib/engine/form_rule.ts";
import { type LoadedModel, loadModel } from "../lib/engine/load.ts";
import { readHidden } from "../lib/engine/open_draft.ts";
import type { Runtime } from "../lib/onnx/mod.ts";
import type { CostStage } from "../lib/study/cost_plan.ts";
import { type CostLoader, type CostSubject, costTimer } from "../lib/study/cost_timer.ts";
import { openStudied } from "../lib/study/load_subjects.ts";

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
  const models = new WeakMap<CostSubject, LoadedModel>();
  return async (id, { precision, exact, target, drafts = [] }) => {
    const { path, scored } = partsOf(id);
    const vocabulary = scored === undefined ? undefined : firstTokens(scored);
    const passes = { runtime, precision, exact, contextLength: room, vocabulary };
    const options = { ...passes, signal, onStage: note };
    const leader = target && models.get(target);
    const draft = leader && await openStudied(path, leader, options);
    const hidden = await readHidden(drafts.map((draft) => partsOf(draft).path), options);
    const model = draft?.model ?? await loadModel(path, { ...options, hidden });
    const { sha256, headPrecision, attention } = model.details;
    const { trainedLength, contextLength } = model.architecture;
    const subject: CostSubject = {
      id,
      hash: sha256,
      precision,
      headPrecision,
      attention: sayForms(attention),
      provider: "cpu",
      limit: Math.min(trainedLength, contextLength),
      open: (context, batch) =>
        costTimer(model, context, batch, draft?.follows ? leader : undefined),
      [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    };
    models.set(subject, model);
    return subject;
  };
}

function partsOf(id: string): { readonly path: string; readonly scored?: number } {
  const [path, scored] = id.split("#");
  return { path: path!, ...(scored !== undefined && { scored: Number(scored) }) };
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
