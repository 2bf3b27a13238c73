/**
 * Measured speed-ups that claims are held against.
 *
 * @module
 */

import { CONTEXT_STUDY } from "../../study/presets.ts";
import type { RunRecord } from "../../study/records.ts";
import type { Evidence } from "../evidence.ts";
import { octave } from "../located_rounds.ts";
import { selectPairs } from "../pairs.ts";
import type { Interval } from "../statistics.ts";
import { CELL_FACTORS, type CellSummary, summarise } from "../summary.ts";

/** A cell with an interval: of two prompts and more. */
export type MeasuredCell = CellSummary & { readonly speedup: Interval };

/**
 * The cells of all machines that drafted and have a speed-up with an interval.
 *
 * @param evidence The evidence.
 * @param includes Which runs count. Default all.
 * @returns The cells, machine by machine.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(measuredCells({ machines: [] }), []);
 * ```
 */
export function measuredCells(
  { machines }: Pick<Evidence, "machines">,
  includes: (run: RunRecord) => boolean = () => true,
): MeasuredCell[] {
  return machines.flatMap(({ records }) => {
    const { runs, rounds } = selectPairs(records, includes);
    // Over contexts S is no one number: each has cells of its own.
    const groups = Map.groupBy(
      runs,
      ({ study, context }) => study === CONTEXT_STUDY ? octave(context) : 0,
    );
    return [...groups.values()].flatMap((own) => summarise({ runs: own, rounds }));
  }).filter((cell) => cell.draftLength > 0)
    .filter((cell): cell is MeasuredCell => typeof cell.speedup?.low === "number");
}

/**
 * What tells a cell from another, as one text.
 *
 * @param cell Its factors.
 * @returns The factors.
 */
export function cellName(cell: CellSummary): string {
  return CELL_FACTORS.map((name) => cell[name]).join("\t");
}
