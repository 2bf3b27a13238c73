/**
 * How long a study will take, before it runs.
 *
 * @module
 */

import type { CostRecord } from "../study/cost_records.ts";
import type { Block, PlannedPair, Stage } from "../study/plan.ts";
import type { Prompt } from "../study/workload.ts";
import { CostModelError } from "./measured_times.ts";
import { geometricMean } from "./statistics.ts";
import { costsOfRuns } from "./validation_prediction.ts";

/**
 * Minutes that the pairs of a stage take on a machine whose costs are known: target and draft models
 * read each prompt, its continuation is recorded, and each pair decodes it twice, as if each text were
 * as long as it may be and S = 1. Loading comes on top.
 *
 * @param stage The pairs.
 * @param costs Rows of `costs.csv`, of one machine.
 * @param contextOf About how many tokens a prompt has.
 * @returns Minutes; null if a model's passes or its prefill were not measured there.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(expectedMinutes({ precision: "fp32", blocks: [] }, [], () => 64), 0);
 * ```
 */
export function expectedMinutes(
  { blocks }: Stage,
  costs: readonly CostRecord[],
  contextOf: (prompt: Prompt) => number,
): number | null {
  const costsOf = costsOfRuns(costs);
  const models = new Set(blocks.flatMap(({ pairs }) => pairs.flatMap(modelsOf)));
  const blockMs = ({ prompt, pairs }: Block) => {
    const context = contextOf(prompt);
    const reading = [...models].map((model) => readingMs(model, context, costs));
    const { condition } = pairs[0]!;
    const layers = costsOf({ ...condition, ...NO_DRAFT });
    if (!layers) throw new CostModelError("Cannot foresee a stage as its target was not measured");
    const text = condition.maxTokens * layers.target.pass.time(1, context).ms;
    return reading.reduce((sum, ms) => sum + ms, (2 * pairs.length + 1) * text);
  };
  try {
    return blocks.reduce((sum, block) => sum + blockMs(block), 0) / 60_000;
  } catch (error) {
    if (error instanceof CostModelError) return null;
    throw error;
  }
}

/** Passes of the target alone. */
const NO_DRAFT = { draft: "ngram", draftModel: null, draftPrecision: null } as const;

/** The models that read a pair's prompt, as costs name them. */
function modelsOf({ condition: { model, precision, draft } }: PlannedPair): string[] {
  const target = `${model} ${precision}`;
  return draft.draft === "model"
    ? [target, `${draft.draftModel} ${draft.draftPrecision}`]
    : [target];
}

/** Milliseconds of reading a prompt: its chunks, each as those that were measured before its end. */
function readingMs(model: string, context: number, costs: readonly CostRecord[]): number {
  const chunks = costs.filter((cost) =>
    cost.kind === "prefill" && cost.batch === 1 && cost.ms !== null && cost.context <= context &&
    `${cost.model} ${cost.precision}` === model
  );
  if (chunks.length === 0) {
    throw new CostModelError(`Cannot foresee a stage as ${model} has no prefill on record`);
  }
  return context * geometricMean(chunks.map(({ ms, width }) => ms! / width));
}
