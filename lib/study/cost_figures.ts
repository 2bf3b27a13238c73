/**
 * From a cell's visits to its row.
 *
 * @module
 */

import * as d3 from "d3-array";
import type { PlannedCost } from "./cost_plan.ts";
import { COST_SCHEMA, type CostRecord } from "./cost_records.ts";
import type { CostSubject } from "./cost_timer.ts";
import { type MeanInterval, meanInterval } from "./interval.ts";
import { isDisturbed } from "./meters.ts";
import type { Origin } from "./provenance.ts";
import { roundMs } from "./records.ts";

// d3-array ships no types.
const median: (values: Iterable<number>) => number = d3.median;

/** The samples of one visit to a cell. */
export interface CostVisit {
  /** When it began. */
  readonly startedAt: Date;
  /** The samples: at least one. */
  readonly milliseconds: readonly number[];
  /** Share of the machine's CPU time that went elsewhere, or null if not known. */
  readonly load: number | null;
  /** Resident memory of this process at its end. */
  readonly residentBytes: number;
}

/** What is known of a cell after its visits. */
export interface CostResult {
  /** At least one. */
  readonly visits: readonly CostVisit[];
  /** Visits measured again because other work disturbed them. */
  readonly dropped: number;
  /** Whether the interval was tight before the time was up. */
  readonly converged: boolean;
}

/**
 * A cell's time: the geometric mean of its visits' medians, and its interval.
 *
 * @param visits At least one.
 * @returns Milliseconds.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const visits = [[1, 2, 99], [8, 8, 8]].map((milliseconds) => ({ milliseconds }));
 * assertAlmostEquals(timeOf(visits).estimate, 4);
 * ```
 */
export function timeOf(visits: readonly Pick<CostVisit, "milliseconds">[]): MeanInterval {
  return meanInterval(visits.map(({ milliseconds }) => median(milliseconds)));
}

/**
 * The row of a cell. A failed cell's figures are null.
 *
 * @param planned The cell.
 * @param subject Its model.
 * @param result Its visits, or what stopped it.
 * @param provenance Machine, code, versions.
 * @returns The row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { costPreset, describeOrigin, planCosts } from "@specbound/specbound";
 * const subject = {
 *   id: "m", hash: null, precision: "int4", headPrecision: null, attention: null,
 *   provider: "table", limit: 2048,
 * } as const;
 * const [stage] = planCosts(costPreset("quick"), { model: "m", drafts: [], threads: 1, process: 1 });
 * const error = new Error("out of memory");
 * const row = costRecord(stage!.costs[0]!, subject, error, await describeOrigin("."));
 * assertEquals([row.status, row.ms], ["failed", null]);
 * ```
 */
export function costRecord(
  planned: PlannedCost,
  subject: Omit<CostSubject, "open" | typeof Symbol.asyncDispose>,
  result: CostResult | Error,
  { machine, code, versions }: Origin,
): CostRecord {
  const { id: model, hash: modelHash, precision, headPrecision, provider, limit } = subject;
  return {
    schema: COST_SCHEMA,
    ...planned,
    machine: machine.id,
    cpu: machine.cpu,
    provider,
    ...code,
    ...versions,
    onnxruntime: provider === "table" ? null : versions.onnxruntime,
    model,
    modelHash,
    precision,
    headPrecision,
    // Rows side by side need a mask, which only the scattered form takes.
    attention: planned.batch > 1 && subject.attention ? "scattered" : subject.attention,
    pastLimit: planned.context + planned.width > limit,
    ...figures(result),
  };
}

function figures(result: CostResult | Error) {
  if (result instanceof Error) {
    const error = `${result.name}: ${result.message}`;
    return { startedAt: new Date().toISOString(), status: "failed", error, ...NO_FIGURES } as const;
  }
  const { visits, dropped, converged } = result;
  const { estimate, low, high } = timeOf(visits);
  const samples = visits.flatMap(({ milliseconds }) => milliseconds);
  const loads = visits.map(({ load }) => load).filter((load) => load !== null);
  const otherLoad = loads.length > 0 ? Math.max(...loads) : null;
  return {
    startedAt: visits[0]!.startedAt.toISOString(),
    status: "ok",
    error: null,
    ms: roundMs(estimate),
    lowMs: low && roundMs(low),
    highMs: high && roundMs(high),
    leastMs: roundMs(Math.min(...samples)),
    visits: visits.length,
    repeats: samples.length,
    converged,
    dropped,
    otherLoad,
    disturbed: isDisturbed(otherLoad),
    residentBytes: Math.max(...visits.map((visit) => visit.residentBytes)),
  } as const;
}

const NO_FIGURES = {
  ms: null,
  lowMs: null,
  highMs: null,
  leastMs: null,
  visits: null,
  repeats: null,
  converged: null,
  dropped: null,
  otherLoad: null,
  disturbed: null,
  residentBytes: null,
};
