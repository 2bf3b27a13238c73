/**
 * Predicted against measured.
 *
 * @module
 */

import * as d3 from "d3-array";
import type { CostRecord } from "../study/cost_records.ts";
import type { Records, RunRecord } from "../study/records.ts";
import { type TraceRecord, unpackTrace } from "../study/trace_records.ts";
import { type CostPair, rememberCosts } from "./boundary.ts";
import { CostModelError } from "./measured_times.ts";
import { joinPairs, type Pair, pairCounts, pairSpeedup } from "./pairs.ts";
import { geometricMean, type Interval, median } from "./statistics.ts";
import { CELL_FACTORS, summarise } from "./summary.ts";
import { targetName } from "./table.ts";
import {
  costsOfRuns,
  type PredictionPlace,
  predictTrace,
  speedupOfRounds,
} from "./validation_prediction.ts";

// d3-array ships no types.
const quantile: (values: Iterable<number>, p: number) => number | undefined = d3.quantile;

/** Columns that tell cells of the validation from another: a prompt is one of its factors. */
export const VALIDATION_FACTORS = [...CELL_FACTORS, "task", "prompt", "context"] as const;

/** The factors that make a cell. */
export type ValidationFactors = Pick<RunRecord, typeof VALIDATION_FACTORS[number]>;

/** A cell: what was predicted, what was measured. */
export interface ValidatedCell extends ValidationFactors {
  /** Pairs that count. */
  readonly pairs: number;
  /** Replicates among them. */
  readonly processes: number;
  /** S: the geometric mean of the pairs. */
  readonly measured: number;
  /** S from trace and costs; null where one of them is missing. */
  readonly predicted: number | null;
  /** S from the runs' own rounds and costs: what is off here is not the trace's fault. */
  readonly fromCounts: number | null;
  /** predicted / measured − 1. */
  readonly error: number | null;
  /** fromCounts / measured − 1. */
  readonly countsError: number | null;
  /**
   * S of the last process over that of those before it, less 1: how far off another measurement is,
   * with which no prediction can keep up. Null where one process is all there is.
   */
  readonly repeatError: number | null;
}

/** How far predictions were off, over cells. */
export interface ValidationErrors {
  /** Cells with a prediction. */
  readonly cells: number;
  /** Median of the sizes of errors. */
  readonly median: number;
  /** 90th percentile of them. */
  readonly percentile90: number;
}

/** The residuals of one level of a factor. */
export interface LevelResidual {
  /** The factor. */
  readonly factor: keyof ValidatedCell;
  /** The level. */
  readonly level: string;
  /** Cells with a prediction. */
  readonly cells: number;
  /** Geometric mean of predicted / measured, less 1: the bias of the level. */
  readonly bias: number;
  /** Median of the sizes of errors. */
  readonly median: number;
}

/**
 * Holds predictions against measured pairs. Pairs that failed or were disturbed are left out.
 *
 * @param records Rows of whole pairs, of one machine.
 * @param traces The behaviour layer, of any machine.
 * @param costs The cost layer, of this machine.
 * @returns The cells, in file order; null pairs are left to {@linkcode nullExperiments}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(validate({ runs: [], rounds: [] }, [], []), []);
 * ```
 */
export function validate(
  records: Records,
  traces: readonly TraceRecord[],
  costs: readonly CostRecord[],
): ValidatedCell[] {
  const costsOf = costsOfRuns(costs);
  const tracesOf = tracesOfRuns(traces);
  const pairs = joinPairs(records)
    .filter((pair) => pair.speculative.draftLength > 0 && pairCounts(pair));
  const cells = Map.groupBy(
    pairs,
    ({ speculative }) => VALIDATION_FACTORS.map((name) => speculative[name]).join("\t"),
  );
  return [...cells.values()].map((same) => {
    const { speculative } = same[0]!;
    const found = costsOf(speculative);
    // Replays of one text ask for the same costs over and over.
    const costPair = found && rememberCosts(found);
    const measured = meanSpeedup(same);
    const predicted = costPair &&
      ifMeasured(() => predictTraces(tracesOf(speculative), costPair, speculative));
    const fromCounts = costPair && ifMeasured(() => countedSpeedup(same, costPair));
    return {
      ...factorsOf(speculative),
      pairs: same.length,
      processes: new Set(same.map((pair) => pair.speculative.process)).size,
      measured,
      predicted,
      fromCounts,
      error: predicted === null ? null : predicted / measured - 1,
      countsError: fromCounts === null ? null : fromCounts / measured - 1,
      repeatError: repeatError(same),
    };
  });
}

/**
 * How far predictions were off.
 *
 * @param cells The cells; those without a prediction are passed over.
 * @param of Which error. Default that of predictions.
 * @returns Median and 90th percentile; null if nothing was predicted.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const errors = validationErrors([{ error: -0.02 }, { error: 0.04 }, { error: null }, { error: 0.09 }]);
 * assertEquals([errors!.cells, errors!.median], [3, 0.04]);
 * ```
 */
export function validationErrors<Of extends "error" | "countsError" | "repeatError" = "error">(
  cells: readonly Pick<ValidatedCell, Of>[],
  of: Of = "error" as Of,
): ValidationErrors | null {
  const sizes = cells.flatMap(({ [of]: error }) => error === null ? [] : [Math.abs(error)]);
  if (sizes.length === 0) return null;
  return { cells: sizes.length, median: median(sizes), percentile90: quantile(sizes, 0.9)! };
}

/**
 * Where predictions are off: residuals by each level of each factor.
 *
 * @param cells The cells; those without a prediction are passed over.
 * @param factors The factors.
 * @returns One entry a level, factor by factor.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const cell = { measured: 1, fromCounts: null };
 * const cells = [{ ...cell, predicted: 1.1, error: 0.1, task: "code" }] as never;
 * const [code] = residualsByFactor(cells, ["task"]);
 * assertEquals([code!.level, code!.cells], ["code", 1]);
 * assertAlmostEquals(code!.bias, 0.1);
 * ```
 */
export function residualsByFactor(
  cells: readonly ValidatedCell[],
  factors: readonly (keyof ValidatedCell)[],
): LevelResidual[] {
  const predicted = cells.filter(({ error }) => error !== null);
  return factors.flatMap((factor) =>
    [...Map.groupBy(predicted, (cell) => String(cell[factor]))].map(([level, same]) => ({
      factor,
      level,
      cells: same.length,
      bias: geometricMean(same.map(({ error }) => 1 + error!)) - 1,
      median: median(same.map(({ error }) => Math.abs(error!))),
    }))
  );
}

/** Both arms decoding plainly, in one precision and mode. */
export interface NullExperiment {
  /** The target's precision and mode, as {@linkcode targetName} has it. */
  readonly target: string;
  /** Pairs that count. */
  readonly pairs: number;
  /** S with its interval; null where no pair counts. */
  readonly speedup: Interval | null;
  /** Whether S is undecided, or within 2 % of 1, as it must be; null where no pair counts. */
  readonly holds: boolean | null;
}

/** How far from 1 a null experiment may be where it is decided. */
const NULL_TOLERANCE = 0.02;

/**
 * The null experiments among records: pairs whose speculative arm drafts nothing.
 *
 * @param records Rows of whole pairs.
 * @returns One entry a precision.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(nullExperiments({ runs: [], rounds: [] }), []);
 * ```
 */
export function nullExperiments({ runs, rounds }: Records): NullExperiment[] {
  const drafting = new Set(runs.filter((run) => run.draftLength > 0).map(({ pair }) => pair));
  const isNull = ({ pair }: { readonly pair: string }) => !drafting.has(pair);
  const nulls = { runs: runs.filter(isNull), rounds: rounds.filter(isNull) };
  return summarise(nulls).map((cell) => ({
    target: targetName(cell),
    pairs: cell.pairs,
    speedup: cell.speedup,
    holds: cell.speedup &&
      (cell.verdict === "undecided" || Math.abs(cell.speedup.estimate - 1) <= NULL_TOLERANCE),
  }));
}

function meanSpeedup(pairs: readonly Pair[]): number {
  return geometricMean(pairs.map((pair) => pairSpeedup(pair)!));
}

function repeatError(pairs: readonly Pair[]): number | null {
  const last = Math.max(...pairs.map(({ speculative }) => speculative.process));
  const again = pairs.filter(({ speculative }) => speculative.process === last);
  const before = pairs.filter(({ speculative }) => speculative.process < last);
  return before.length === 0 ? null : meanSpeedup(again) / meanSpeedup(before) - 1;
}

/** S of the pairs' own rounds, each at its cost. */
function countedSpeedup(pairs: readonly Pair[], costs: CostPair): number {
  return geometricMean(
    pairs.map(({ plainRounds, speculative, speculativeRounds }) =>
      speedupOfRounds(plainRounds, speculativeRounds, speculative.context, costs)!
    ),
  );
}

/** S of several texts, as that of several pairs; null where one of them has none, or there is none. */
function predictTraces(
  traces: readonly TraceRecord[],
  costs: CostPair,
  place: PredictionPlace,
): number | null {
  const speedups = traces.map((trace) => predictTrace(unpackTrace(trace), costs, place));
  if (speedups.length === 0 || speedups.includes(null)) return null;
  return geometricMean(speedups as number[]);
}

/** The newest traces of the same weights, prompt and sampling that are long enough, one a seed. */
function tracesOfRuns(traces: readonly TraceRecord[]): (run: RunRecord) => TraceRecord[] {
  const nameOf = (row: RunRecord | TraceRecord) =>
    [
      ...[row.model, row.modelHash, row.precision, row.headPrecision],
      ...[row.draft, row.draftModel, row.draftHash, row.draftPrecision],
      ...[row.promptHash, row.temperature, row.topK, row.topP],
    ].join("\t");
  const named = Map.groupBy(traces, nameOf);
  return (run) => {
    const long =
      named.get(nameOf(run))?.filter(({ maxTokens, longest }) =>
        maxTokens >= run.maxTokens && longest >= run.draftLength
      ) ?? [];
    // A greedy text has no luck that a seed could vary.
    const seeds = new Map(long.map((row) => [row.temperature === 0 ? 0 : row.seed, row]));
    return [...seeds.values()];
  };
}

/** A figure, or null where it takes costs that were not measured. */
function ifMeasured<T>(figure: () => T): T | null {
  try {
    return figure();
  } catch (error) {
    if (error instanceof CostModelError) return null;
    throw error;
  }
}

function factorsOf(run: RunRecord): ValidationFactors {
  return Object.fromEntries(
    VALIDATION_FACTORS.map((name) => [name, run[name]]),
  ) as ValidationFactors;
}
