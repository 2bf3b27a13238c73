/**
 * The cost layers on record: targets, and what drafts for them.
 *
 * @module
 */

import type { CostRecord } from "../../study/cost_records.ts";
import type { CostPair, Times } from "../boundary.ts";
import type { Evidence } from "../evidence.ts";
import { CostModelError, isUsableCost } from "../measured_times.ts";
import type { Interval } from "../statistics.ts";
import { draftName, targetName } from "../table.ts";
import { type CostedRun, costsOfRuns } from "../validation_prediction.ts";

/** Draws of costs behind an interval. */
export const DRAWS = { draws: 200 } as const;

/** A target and a draft whose passes were timed on one machine. */
export interface PricedPair {
  /** The machine's id. */
  readonly machine: string;
  /** The target's catalog id. */
  readonly model: string;
  /** The target's precision and mode, as {@linkcode targetName} has it. */
  readonly target: string;
  /** The draft's name; "free" for tables, whose drafts cost nothing. */
  readonly draft: string;
  /** Their costs. */
  readonly costs: CostPair;
  /** Contexts at which passes over one token were measured of both, ascending. */
  readonly contexts: readonly number[];
  /** Batches that both were measured at, ascending. */
  readonly batches: readonly number[];
}

/** Width that only targets are timed at: they check drafts. */
const CHECKING = 5;

/** The columns that a cost layer is found by. */
type Layer = Pick<CostRecord, "model" | "precision" | "threads" | "exact">;

/**
 * Every target on record with every draft on record, drafts of no cost among them. A target drafts
 * for itself in fewer bits.
 *
 * @param evidence The evidence.
 * @returns The pairs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(pricedPairs({ machines: [] }), []);
 * ```
 */
export function pricedPairs({ machines }: Pick<Evidence, "machines">): PricedPair[] {
  return machines.flatMap(({ machine, costs }) => {
    const usable = costs.filter((row) => row.kind === "pass" && isUsableCost(row));
    const rowsOf = Map.groupBy(usable, layerName);
    const layers = [...rowsOf.values()].map((rows) => rows[0]!).sort((a, b) => bits(b) - bits(a));
    const checks = (layer: Layer) =>
      rowsOf.get(layerName(layer))!.some(({ width }) => width >= CHECKING);
    const find = costsOfRuns(costs);
    return layers.filter(checks).flatMap((target) => {
      const drafts = layers.filter((draft) =>
        draft.threads === target.threads && draft.exact === target.exact &&
        (checks(draft)
          ? draft.model === target.model && bits(draft) < bits(target)
          : draft.model !== target.model)
      );
      return [null, ...drafts].flatMap((draft): PricedPair[] => {
        const pair = find(draft ? drafting(target, draft) : { ...target, ...TABLE });
        if (!pair) return [];
        const rows = [target, ...(draft ? [draft] : [])].map((layer) =>
          rowsOf.get(layerName(layer))!.filter(({ width }) => width === 1)
        );
        return [{
          machine: machine.id,
          model: target.model,
          target: targetName(target),
          draft: draft ? draftName(drafting(target, draft)) : "free",
          costs: pair,
          contexts: shared(rows, ({ context }) => context),
          batches: shared(rows, ({ batch }) => batch),
        }];
      });
    });
  });
}

/**
 * How long a pass takes, as an interval.
 *
 * @param pass The costs of passes.
 * @param width Tokens of the pass.
 * @param context Tokens before it.
 * @returns Milliseconds.
 * @throws {CostModelError} If it lies beyond what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { fitCosts } from "@specbound/specbound";
 * const pass = fitCosts([{ width: 1, context: 64, batch: 1, ms: 10, error: 0 }]);
 * assertAlmostEquals(passTime(pass, 1, 64).estimate, 10);
 * ```
 */
export function passTime(pass: Times, width: number, context: number): Interval {
  const { ms, low, high } = pass.time(width, context);
  return { estimate: ms, low, high };
}

/**
 * A figure of costs, or nothing where it takes costs that were not measured: layers are as wide and as
 * deep as there was time for.
 *
 * @param figure The figure.
 * @returns One value or none, for flatMap.
 * @throws Whatever else the figure throws.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fitCosts } from "@specbound/specbound";
 * const { time } = fitCosts([{ width: 1, context: 64, batch: 1, ms: 10, error: 0 }]);
 * assertEquals(whereMeasured(() => time(1, 64)).length, 1);
 * assertEquals(whereMeasured(() => time(9, 64)).length, 0);
 * ```
 */
export function whereMeasured<T>(figure: () => T): T[] {
  try {
    return [figure()];
  } catch (error) {
    if (error instanceof CostModelError) return [];
    throw error;
  }
}

const TABLE = { draft: "prompt-lookup", draftModel: null, draftPrecision: null } as const;

function drafting(target: Layer, { model, precision }: Layer): CostedRun {
  return { ...target, draft: "model", draftModel: model, draftPrecision: precision };
}

function layerName({ model, precision, threads, exact }: Layer): string {
  return [model, precision, threads, exact].join("\t");
}

function bits({ precision }: Layer): number {
  return Number(precision.replace(/\D/g, ""));
}

/** Levels that all groups of rows have. */
function shared(
  groups: readonly (readonly CostRecord[])[],
  levelOf: (row: CostRecord) => number,
): number[] {
  const [first, ...others] = groups.map((rows) => new Set(rows.map(levelOf)));
  return [...first!].filter((level) => others.every((other) => other.has(level)))
    .sort((a, b) => a - b);
}
