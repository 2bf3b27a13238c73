/**
 * The few costs that advice needs, measured on the spot.
 *
 * @module
 */

import { Runtime } from "../lib/onnx/mod.ts";
import { exists } from "../lib/models/exists.ts";
import type { AdviceWork } from "../lib/advice/gather.ts";
import { findModel } from "../lib/models/catalog.ts";
import type { Precision } from "../lib/models/graph.ts";
import { type CostDraft, costPreset, nextCostProcess, planCosts } from "../lib/study/cost_plan.ts";
import type { CostRecord } from "../lib/study/cost_records.ts";
import { openCosts } from "../lib/study/cost_store.ts";
import { sweepCosts } from "../lib/study/cost_sweep.ts";
import type { Origin } from "../lib/study/provenance.ts";
import { costLoader } from "./cost_loader.ts";
import { progress } from "./progress.ts";

/** What to measure. */
export interface QuickCosts {
  /** The work that advice is asked for. */
  readonly work: AdviceWork;
  /** The target's precisions. */
  readonly precisions: readonly Precision[];
  /** Models that may draft. Files that are not here are passed over: traces travel without them. */
  readonly drafts: readonly CostDraft[];
  /** The machine's folder of records, where rows stay. */
  readonly folder: string;
  /** When to stop with what is measured. */
  readonly budgetMs: number;
  /** Machine, code, versions. */
  readonly provenance: Origin;
}

/**
 * Measures a sparse grid: a few widths, and contexts around that of the work.
 *
 * @param quick What to measure.
 * @param signal Stops it.
 * @returns All rows of the machine, those measured included.
 */
export async function measureQuickCosts(
  { work, precisions, drafts, folder, budgetMs, provenance }: QuickCosts,
  signal: AbortSignal,
): Promise<CostRecord[]> {
  const { model, threads, exact, batch, context, maxTokens } = work;
  const contexts = context === undefined
    ? [64, 1024, 4096]
    : [...new Set([64, Math.max(1024, context + maxTokens)])];
  const grid = {
    ...costPreset("quick"),
    precisions,
    widths: [1, 2, 3, 5, 9],
    contexts,
    prefillContexts: [0, ...contexts.slice(1)],
    batches: [batch],
    host: { widths: [1, 9], context: 64 },
  };
  await using store = await openCosts(folder);
  const models = { model, drafts: drafts.filter(isAtHand), threads, exact };
  const process = nextCostProcess(grid, models, store.costs);
  const plan = planCosts(grid, { ...models, process });
  using runtime = new Runtime({ threads });
  const bar = progress("Measuring costs");
  await sweepCosts(plan, {
    load: costLoader(runtime, plan, signal, (note) => bar.update(0, 1, note)),
    store,
    provenance,
    signal,
    budgetMs,
    tolerance: 0.05,
    visits: 3,
    onProgress: ({ done, total, share, note }) =>
      bar.update(share, 1, `${done}/${total} cells, ${note}`),
  }).finally(() => bar.end());
  signal.throwIfAborted();
  return [...store.costs];
}

/** Whether a model can be loaded: one of the catalogue can be fetched, a file must be there. */
function isAtHand({ model }: CostDraft): boolean {
  const entry = findModel(model);
  return typeof entry !== "string" || exists(entry);
}
