/**
 * Rows of the cost layer as times of one model.
 *
 * @module
 */

import type { COST_KINDS } from "../study/cost_plan.ts";
import type { CostRecord } from "../study/cost_records.ts";
import { studentQuantile } from "../study/interval.ts";
import { geometricMean } from "./statistics.ts";

/** A measured time, for a model to be fitted to. */
export interface MeasuredTime {
  /** w: new tokens of each row. */
  readonly width: number;
  /** n: tokens before them. */
  readonly context: number;
  /** B: rows. */
  readonly batch: number;
  /** Milliseconds. */
  readonly ms: number;
  /** Standard error of their logarithm. */
  readonly error: number;
}

/** Raised when costs are asked for what was not measured. */
export class CostModelError extends Error {
  /** "CostModelError". */
  override readonly name = "CostModelError";
}

/**
 * The costs of a model's newest weights: a file of the same name may have had others before.
 *
 * @param rows Rows of one model and precision, oldest first.
 * @returns Those that share the last one's weights and output head.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const rows = ["old", "new"].map((modelHash) => ({ modelHash, headPrecision: "int8" }));
 * assertEquals(newestCosts(rows), rows.slice(1));
 * ```
 */
export function newestCosts<T extends Pick<CostRecord, "modelHash" | "headPrecision">>(
  rows: readonly T[],
): T[] {
  const newest = rows.at(-1);
  return rows.filter(({ modelHash, headPrecision }) =>
    modelHash === newest?.modelHash && headPrecision === newest?.headPrecision
  );
}

/**
 * Whether a row's time counts: it did not fail, no other work disturbed it, and it was visited more
 * than once, as nothing vouches for a single visit.
 *
 * @param row The row.
 * @returns Whether it counts.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(!isUsableCost({ status: "ok", lowMs: 9.8, disturbed: true }));
 * ```
 */
export function isUsableCost(
  { status, lowMs, disturbed }: Pick<CostRecord, "status" | "lowMs" | "disturbed">,
): boolean {
  return status === "ok" && lowMs !== null && !disturbed;
}

/**
 * Rows of one model as times to fit. Rows of the same cell are replicates; those that are not usable
 * are left out.
 *
 * @param rows Rows of one model, precision, thread count and machine.
 * @param kind Which of them.
 * @returns One time a cell.
 * @throws {CostModelError} If the rows are of several models.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(measuredTimes([], "pass"), []);
 * ```
 */
export function measuredTimes(
  rows: readonly CostRecord[],
  kind: typeof COST_KINDS[number],
): MeasuredTime[] {
  requireOneModel(rows);
  const used = rows.filter((row) => row.kind === kind && isUsableCost(row));
  const cells = Map.groupBy(used, ({ width, context, batch }) => `${width} ${context} ${batch}`);
  return [...cells.values()].map((replicates) => {
    const { width, context, batch } = replicates[0]!;
    const ms = geometricMean(replicates.map((row) => row.ms!));
    const count = replicates.length;
    const within = Math.hypot(...replicates.map(errorOf)) / count;
    const between = Math.hypot(...replicates.map((row) => Math.log(row.ms! / ms))) /
      Math.sqrt(count * Math.max(1, count - 1));
    return { width, context, batch, ms, error: Math.max(within, between) };
  });
}

/** A row's interval is Student's over its visits. Its lower end may be too small for the file's digits. */
function errorOf({ ms, highMs, visits }: CostRecord): number {
  return Math.log(highMs! / ms!) / studentQuantile(visits! - 1);
}

const IDENTITY = [
  "machine",
  "model",
  "modelHash",
  "precision",
  "headPrecision",
  "exact",
  "threads",
] as const;

function requireOneModel(rows: readonly CostRecord[]): void {
  for (const name of IDENTITY) {
    const values = [...new Set(rows.map((row) => row[name]))];
    if (values.length <= 1) continue;
    throw new CostModelError(
      `Cannot fit costs of one model as ${name} is ${values.join(" and ")}: select rows of one`,
    );
  }
}
