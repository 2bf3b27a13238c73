/**
 * Advice beside what was measured end to end.
 *
 * @module
 */

import { geometricMean } from "../analysis/statistics.ts";
import type { ValidatedCell } from "../analysis/validation.ts";
import type { AdviceWork, DraftName } from "./gather.ts";

/** What was advised. */
export interface AdvisedUse {
  /** The work. */
  readonly work: AdviceWork;
  /** The target's precision. */
  readonly precision: string;
  /** What drafts. */
  readonly draft: DraftName;
  /** K. */
  readonly draftLength: number;
}

/** Measured S of cells that run as advised, or nearly. */
export interface MeasuredAdvice {
  /** The measured K that is nearest to the advised one. */
  readonly draftLength: number;
  /** Cells: prompts. */
  readonly cells: number;
  /** Pairs of runs in them. */
  readonly pairs: number;
  /** Geometric mean of measured S. */
  readonly measured: number;
  /** That of predictions for the same cells; null where one lacks it. */
  readonly predicted: number | null;
}

/**
 * What was measured of the advised draft, at the K that is nearest to the advised one.
 *
 * @param advised What was advised.
 * @param cells Cells of the validation on the same machine.
 * @returns The means; null if the draft was never run in such work.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(measuredAdvice({ work: {} } as never, []), null);
 * ```
 */
export function measuredAdvice(
  { work, precision, draft, draftLength }: AdvisedUse,
  cells: readonly ValidatedCell[],
): MeasuredAdvice | null {
  const same = work.batch > 1 ? [] : cells.filter((cell) =>
    // pairs are of one row
    cell.model === work.model && cell.precision === precision &&
    cell.exact === work.exact && cell.threads === work.threads &&
    cell.draft === draft.draft && cell.draftModel === draft.draftModel &&
    cell.draftPrecision === draft.draftPrecision &&
    cell.temperature === work.temperature && (work.task ?? cell.task) === cell.task
  );
  const distance = (length: number) => Math.abs(Math.log(length / draftLength));
  const nearest = same.map((cell) => cell.draftLength)
    .sort((a, b) => distance(a) - distance(b) || a - b)[0];
  if (nearest === undefined) return null;
  const run = same.filter((cell) => cell.draftLength === nearest);
  const predictions = run.flatMap(({ predicted }) => predicted ?? []);
  return {
    draftLength: nearest,
    cells: run.length,
    pairs: run.reduce((sum, { pairs }) => sum + pairs, 0),
    measured: geometricMean(run.map(({ measured }) => measured)),
    predicted: predictions.length === run.length ? geometricMean(predictions) : null,
  };
}
