/**
 * Measured S by kind of task.
 *
 * @module
 */

import { fixed } from "../decoding/policies/fixed.ts";
import type { Records } from "../study/records.ts";
import type { Interval } from "./statistics.ts";
import { cellKey, type CellSummary, summarise } from "./summary.ts";

/** A cell of a real drafter, and what each kind of task makes of it. */
export interface TaskSpeed {
  /** All tasks pooled. */
  readonly cell: CellSummary;
  /** S by kind of task. No interval where a task has one prompt. */
  readonly tasks: ReadonlyMap<string, Interval>;
}

/**
 * S of real drafters at fixed draft lengths above 0, pooled and by kind of task.
 *
 * @param records Whole pairs.
 * @param options The fewest prompts of a cell, and the seed of intervals. Default 8 and 1.
 * @returns The cells that have so many prompts, ordered as {@linkcode summarise} does.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * const [lookup] = speedByTask({ runs, rounds }, { fewest: 2 });
 * assertEquals(lookup!.cell.draft, "prompt-lookup");
 * assertEquals(lookup!.tasks.size, new Set(runs.map(({ task }) => task)).size);
 * ```
 */
export function speedByTask(
  records: Records,
  options: { readonly fewest?: number; readonly seed?: number | string } = {},
): TaskSpeed[] {
  const { fewest = 8, seed = 1 } = options;
  const { rounds } = records;
  const runs = records.runs.filter(({ draft }) => draft !== "replay");
  const byTask = [...Map.groupBy(runs, ({ task }) => task)].map(([task, own]) => {
    const cells = summarise({ runs: own, rounds }, { seed });
    return [task, new Map(cells.map((cell) => [cellKey(cell), cell.speedup]))] as const;
  });
  return summarise({ runs, rounds }, { seed })
    .filter(({ prompts, policy, draftLength }) =>
      prompts >= fewest && draftLength > 0 && policy === fixed(draftLength).name
    )
    .map((cell) => ({
      cell,
      tasks: new Map(byTask.flatMap(([task, cells]) => {
        const speedup = cells.get(cellKey(cell));
        return speedup ? [[task, speedup] as const] : [];
      })),
    }));
}
