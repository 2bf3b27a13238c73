/**
 * Whether two measurements of the same study say the same.
 *
 * @module
 */

import type { Records } from "../study/records.ts";
import type { Judgement } from "./statistics.ts";
import { CELL_FACTORS, type CellSummary, summarise } from "./summary.ts";

/** How two verdicts on one cell stand to each other: "undecided" where one of them says that. */
export type Concord = "agree" | "undecided" | "contradict";

/** A cell that two measurements have in common. */
export interface ComparedCell {
  /** What the first says of it. */
  readonly first: CellSummary;
  /** What the second says. */
  readonly second: CellSummary;
  /** How the two verdicts stand to each other. */
  readonly concord: Concord;
}

/** Two processes of a study, cell by cell. */
export interface ComparedProcesses {
  /** The study. */
  readonly study: string;
  /** The processes' numbers, the lower one first. */
  readonly processes: readonly [number, number];
  /** The cells that both measured. */
  readonly cells: readonly ComparedCell[];
}

/** How many cells say the same. */
export interface ConcordCounts {
  /** Cells with the same verdict. */
  readonly agree: number;
  /** Those of them that are decided: helps, or hurts. */
  readonly decided: number;
  /** Cells that one leaves undecided and the other does not. */
  readonly undecided: number;
  /** Cells that help in one and hurt in the other. */
  readonly contradict: number;
}

/**
 * Holds two measurements against each other, cell by cell: two processes of a study, or the records
 * of two machines that should run alike. They agree where verdicts are the same, or one is undecided;
 * one that helps where the other hurts contradicts it.
 *
 * @param first Rows of whole pairs.
 * @param second Likewise.
 * @returns The cells in which pairs of both count.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(compareVerdicts({ runs: [], rounds: [] }, { runs: [], rounds: [] }), []);
 * ```
 */
export function compareVerdicts(first: Records, second: Records): ComparedCell[] {
  return compareCells(summarise(first), summarise(second));
}

/**
 * Holds every process of a study against every later one.
 *
 * @param records Rows of whole pairs, of any studies.
 * @returns Two processes an entry, study by study.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(compareProcesses({ runs: [], rounds: [] }), []);
 * ```
 */
export function compareProcesses({ runs, rounds }: Records): ComparedProcesses[] {
  return [...Map.groupBy(runs, ({ study }) => study)].flatMap(([study, own]) => {
    const processes = [...byProcess({ runs: own, rounds })]
      .map(([process, rows]) => [process, summarise(rows)] as const);
    return processes.flatMap(([one, first], index) =>
      processes.slice(index + 1).map(([other, second]): ComparedProcesses => ({
        study,
        processes: [one, other],
        cells: compareCells(first, second),
      }))
    );
  });
}

/**
 * Counts how cells stand to each other.
 *
 * @param cells The cells.
 * @returns The counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(countConcords([]), { agree: 0, decided: 0, undecided: 0, contradict: 0 });
 * ```
 */
export function countConcords(cells: readonly ComparedCell[]): ConcordCounts {
  const of = (concord: Concord) => cells.filter((cell) => cell.concord === concord);
  const agree = of("agree");
  return {
    agree: agree.length,
    decided: agree.filter(({ first }) => first.verdict !== "undecided").length,
    undecided: of("undecided").length,
    contradict: of("contradict").length,
  };
}

/**
 * How two verdicts stand to each other.
 *
 * @param first A verdict.
 * @param second Another on the same cell.
 * @returns "agree" if they are one, "undecided" if one of them is, else "contradict".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(concordOf("helps", "helps"), "agree");
 * assertEquals(concordOf("helps", "undecided"), "undecided");
 * assertEquals(concordOf("helps", "hurts"), "contradict");
 * ```
 */
export function concordOf(first: Judgement, second: Judgement): Concord {
  if (first === second) return "agree";
  return first === "undecided" || second === "undecided" ? "undecided" : "contradict";
}

/**
 * The rows of each process of a study.
 *
 * @param records Rows of whole pairs.
 * @returns Rows by process, in order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(byProcess({ runs: [], rounds: [] }), new Map());
 * ```
 */
export function byProcess({ runs, rounds }: Records): Map<number, Records> {
  const processOf = new Map(runs.map(({ pair, process }) => [pair, process]));
  const roundsOf = Map.groupBy(rounds, ({ pair }) => processOf.get(pair));
  const groups = [...Map.groupBy(runs, ({ process }) => process)].sort(([a], [b]) => a - b);
  return new Map(
    groups.map(([process, own]) => [process, { runs: own, rounds: roundsOf.get(process) ?? [] }]),
  );
}

function compareCells(
  first: readonly CellSummary[],
  second: readonly CellSummary[],
): ComparedCell[] {
  const others = new Map(second.map((cell) => [nameOf(cell), cell]));
  return first.flatMap((cell) => {
    const other = others.get(nameOf(cell));
    if (!cell.speedup || !other?.speedup) return [];
    return [{ first: cell, second: other, concord: concordOf(cell.verdict, other.verdict) }];
  });
}

/** The machine may be another. */
function nameOf(cell: CellSummary): string {
  return CELL_FACTORS.filter((name) => name !== "machine").map((name) => cell[name]).join("\t");
}
