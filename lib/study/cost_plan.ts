/**
 * Which passes the cost layer times: a grid of widths, contexts and batches.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Precision } from "../models/graph.ts";
import { isInShard, type Shard, WHOLE } from "./shard.ts";

/** What is timed: a pass that scores its tokens, a chunk of prefill, a round's work on the host. */
export const COST_KINDS = ["pass", "prefill", "host"] as const;

/** Tokens of a chunk of prefill. */
export const PREFILL_WIDTH = 128;

/** The shape of what is timed. */
export interface CostShape {
  /** What is timed. */
  readonly kind: typeof COST_KINDS[number];
  /** w: new tokens of each row. */
  readonly width: number;
  /** n: tokens before them in each row. */
  readonly context: number;
  /** B: rows. */
  readonly batch: number;
}

/** All factors of a cell. */
export interface CostCondition extends CostShape {
  /** The model's catalog id. */
  readonly model: string;
  /** Precision of its weights. */
  readonly precision: Precision;
  /** Whether passes are padded so that logits do not depend on their width. */
  readonly exact: boolean;
  /** Threads of a pass. */
  readonly threads: number;
}

/** A cell to measure. */
export interface PlannedCost extends CostCondition {
  /** Key and process. */
  readonly cell: string;
  /** Hash of the condition. */
  readonly key: string;
  /** Replicate of the measurement, from 1. */
  readonly process: number;
}

/** Cells whose models are loaded together: a target, and what may draft for it. */
export interface CostStage {
  /** The target's catalog id. */
  readonly model: string;
  /** The target's precision. */
  readonly precision: Precision;
  /** The cells. */
  readonly costs: readonly PlannedCost[];
}

/** A model that may draft, in one precision. */
export interface CostDraft {
  /** Catalog id. */
  readonly model: string;
  /** Precision of its weights. */
  readonly precision: Precision;
}

/** A named grid. */
export interface CostPreset {
  /** Its name. */
  readonly name: string;
  /** The target's precisions. */
  readonly precisions: readonly Precision[];
  /** Widths of a target's pass; of a draft's only those up to 2. */
  readonly widths: readonly number[];
  /** Contexts of passes. */
  readonly contexts: readonly number[];
  /** Contexts that a chunk of prefill is appended to. */
  readonly prefillContexts: readonly number[];
  /** Batches. */
  readonly batches: readonly number[];
  /** Widths of rounds whose work on the host is timed, and the context they have. */
  readonly host: { readonly widths: readonly number[]; readonly context: number };
}

/** Names of the grids. */
export const COST_PRESETS = ["quick", "study"] as const;

/** A draft reads one token a pass, and two after a draft that was accepted whole. */
const DRAFT_WIDTH = 2;

// Kernels change their ways at 1, 4, 8 and 16 rows: widths are dense around these. 8,160 leaves a
// model of 8,192 positions room for a pass.
const QUICK: CostPreset = {
  name: "quick",
  precisions: ["int4"],
  widths: [1, 2, 3, 4, 5, 6, 8, 9, 12, 16, 17],
  contexts: [64, 1024, 4096, 8160],
  prefillContexts: [0, 1024, 4096, 8032],
  batches: [1],
  host: { widths: [1, 5, 17], context: 64 },
};

/**
 * A grid by name.
 *
 * @param name "quick": one precision and B = 1, minutes on two cores; "study": all of it, hours.
 * @returns The grid.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(costPreset("study").batches, [1, 2, 4, 8]);
 * ```
 */
export function costPreset(name: typeof COST_PRESETS[number]): CostPreset {
  if (name === "quick") return QUICK;
  return {
    ...QUICK,
    name,
    precisions: ["fp32", "int8", "int4"],
    contexts: [16, 64, 256, 1024, 2048, 4096, 8160, 16_384],
    prefillContexts: [0, 256, 1024, 2048, 4096, 8032, 16_384],
    batches: [1, 2, 4, 8],
  };
}

/** What holds for all cells of one measurement. */
export interface CostPlanOptions {
  /** The target's catalog id. */
  readonly model: string;
  /** What may draft. */
  readonly drafts: readonly CostDraft[];
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether logits must not depend on the width of a pass. Default false. */
  readonly exact?: boolean;
  /** Replicate, from 1. */
  readonly process: number;
  /** The part to measure. Default: all of it. */
  readonly shard?: Shard;
}

/**
 * Lays a grid out: a stage for each precision of the target. A cell is in the first stage that needs
 * it only, so drafts are timed once, and a precision that is a draft too is not timed twice.
 *
 * @param preset The grid.
 * @param options Models, threads, replicate, shard.
 * @returns The stages, in order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [{ model: "small", precision: "int4" }] as const;
 * const [stage] = planCosts(costPreset("quick"), { model: "m", drafts, threads: 2, process: 1 });
 * const passes = stage!.costs.filter(({ kind }) => kind === "pass");
 * assertEquals(passes.filter(({ model }) => model === "m").length, 11 * 4);
 * assertEquals(passes.filter(({ model }) => model === "small").length, 2 * 4);
 * ```
 */
export function planCosts(preset: CostPreset, options: CostPlanOptions): CostStage[] {
  const { model, drafts, threads, exact = false, process, shard = WHOLE } = options;
  const planned = new Set<string>();
  return preset.precisions.map((precision) => {
    const subjects = [{ model, precision, widest: Infinity }].concat(
      drafts.map((draft) => ({ ...draft, widest: DRAFT_WIDTH })),
    );
    const costs = subjects.flatMap(({ widest, ...subject }) =>
      shapesOf(preset, widest).map((shape) => plannedCost({ ...subject, exact, threads, ...shape }))
    ).filter(({ cell }) => !planned.has(cell) && planned.add(cell));
    return { model, precision, costs: costs.filter(({ key }) => isInShard(key, shard)) };
  });

  function plannedCost(condition: CostCondition): PlannedCost {
    const key = costKey(condition);
    return { ...condition, key, process, cell: `${key}-p${process}` };
  }
}

/**
 * The replicate to measure next: the first that lacks cells. A shard too small to hold a cell stays
 * at 1.
 *
 * @param preset The grid.
 * @param options Models, threads, shard.
 * @param done The cells on record.
 * @returns Its number, from 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const options = { model: "m", drafts: [], threads: 2 };
 * const first = planCosts(costPreset("quick"), { ...options, process: 1 })[0]!.costs;
 * assertEquals(nextCostProcess(costPreset("quick"), options, first.slice(1)), 1);
 * assertEquals(nextCostProcess(costPreset("quick"), options, first), 2);
 * ```
 */
export function nextCostProcess(
  preset: CostPreset,
  options: Omit<CostPlanOptions, "process">,
  done: readonly { readonly cell: string }[],
): number {
  const isDone = (process: number) => {
    const stages = pendingCosts(planCosts(preset, { ...options, process }), []);
    return stages.length > 0 && pendingCosts(stages, done).length === 0;
  };
  let process = 1;
  while (isDone(process)) process++;
  return process;
}

/**
 * The parts of a plan that are not on record.
 *
 * @param stages The plan.
 * @param done The cells on record.
 * @returns The plan without cells that are done, and without stages that are empty then.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(pendingCosts([{ model: "m", precision: "int4", costs: [] }], []), []);
 * ```
 */
export function pendingCosts(
  stages: readonly CostStage[],
  done: readonly { readonly cell: string }[],
): CostStage[] {
  const cells = new Set(done.map(({ cell }) => cell));
  return stages.map(({ costs, ...stage }) => ({
    ...stage,
    costs: costs.filter(({ cell }) => !cells.has(cell)),
  })).filter(({ costs }) => costs.length > 0);
}

function shapesOf(preset: CostPreset, widest: number): CostShape[] {
  const narrow = (widths: readonly number[]) => widths.filter((width) => width <= widest);
  return preset.batches.flatMap((batch) => [
    ...preset.contexts.flatMap((context) =>
      narrow(preset.widths).map((width) => ({ kind: "pass" as const, width, context, batch }))
    ),
    ...preset.prefillContexts.map((context) => {
      return { kind: "prefill" as const, width: PREFILL_WIDTH, context, batch };
    }),
    ...narrow(preset.host.widths).map((width) => {
      return { kind: "host" as const, width, context: preset.host.context, batch };
    }),
  ]);
}

/** 12 hexadecimal digits of a SHA-256, equal for equal factors. */
function costKey(condition: CostCondition): string {
  const factors = Object.entries(condition).sort(([a], [b]) => a < b ? -1 : 1);
  return createHash("sha256").update(JSON.stringify(factors)).digest("hex").slice(0, 12);
}
