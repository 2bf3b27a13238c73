/**
 * From rows to one line a cell.
 *
 * @module
 */

import { DRAFTS, type Records, type RunRecord } from "../study/records.ts";
import { measureCosts, type MeasuredCosts, predictSpeedup } from "./costs.ts";
import { acceptance, acceptedPerDrafted, blockEfficiency } from "./metrics.ts";
import { joinPairs, type Pair, pairCounts, pairSpeedup } from "./pairs.ts";
import { bootstrapRatio, type Interval, type Judgement, judgeSpeedup } from "./statistics.ts";

/** Columns whose values tell one cell from another. */
export const CELL_FACTORS = [
  "machine",
  "model",
  "precision",
  "exact",
  "threads",
  "draft",
  "draftModel",
  "draftPrecision",
  "draftLength",
  "policy",
  "acceptance",
  "maxTokens",
  "temperature",
  "topK",
  "topP",
] as const satisfies readonly (keyof RunRecord)[];

/** The factors that make a cell. */
export type CellFactors = Pick<RunRecord, typeof CELL_FACTORS[number]>;

/** What is known of a cell. Rates are null where no pair counts. */
export interface CellSummary extends CellFactors {
  /** Pairs that count: both runs ok, nothing disturbed them. */
  readonly pairs: number;
  /** Prompts among them. */
  readonly prompts: number;
  /** Replicates among them. */
  readonly processes: number;
  /** Pairs left out because a run failed. */
  readonly failed: number;
  /** Pairs left out because other work disturbed them. */
  readonly disturbed: number;
  /** Pairs whose greedy tokens were not those of plain decoding. */
  readonly unequal: number;
  /** S with its interval. */
  readonly speedup: Interval | null;
  /** S that measured costs and α predict. */
  readonly predicted: number | null;
  /** α, per tested token. */
  readonly alpha: number | null;
  /** Accepted per drafted token. */
  readonly acceptedPerDrafted: number | null;
  /** τ, tokens per target pass. */
  readonly tau: number | null;
  /** c, v, h and T_p(1). */
  readonly costs: MeasuredCosts | null;
  /** The verdict. */
  readonly verdict: Judgement;
}

/**
 * Summarises records by cell: precision × drafter × K × α, and whatever else was varied.
 *
 * @param records Rows of whole pairs.
 * @param options Seed of the bootstrap. Default 1.
 * @returns The cells: real drafters before replays, then by acceptance and draft length.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * const [cell] = summarise({ runs, rounds });
 * assertEquals([cell!.precision, cell!.draft], ["fp32", "prompt-lookup"]);
 * ```
 */
export function summarise(
  records: Records,
  options: { readonly seed?: number | string } = {},
): CellSummary[] {
  const cells = Map.groupBy(
    joinPairs(records),
    ({ speculative }) => cellKey(speculative),
  );
  return [...cells.values()].map((pairs) => summariseCell(pairs, options.seed ?? 1)).sort(inOrder);
}

/**
 * What tells a cell from others.
 *
 * @param factors Its factors.
 * @returns A key, equal for rows of one cell.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * const cell = { precision: "int4", draftLength: 4 } as CellFactors;
 * assertEquals(cellKey(cell), cellKey({ ...cell }));
 * assert(cellKey(cell) !== cellKey({ ...cell, draftLength: 5 }));
 * ```
 */
export function cellKey(factors: CellFactors): string {
  return CELL_FACTORS.map((name) => factors[name]).join("\t");
}

function summariseCell(pairs: readonly Pair[], seed: number | string): CellSummary {
  const used = pairs.filter(pairCounts);
  const ratios = used.map((pair) => ({
    ratio: pairSpeedup(pair)!,
    prompt: pair.speculative.prompt,
    process: pair.speculative.process,
  }));
  const rounds = used.flatMap((pair) => pair.speculativeRounds);
  const sum = (name: "drafted" | "tested" | "accepted" | "emitted") =>
    rounds.reduce((total, round) => total + round[name], 0);
  const alpha = acceptance({ accepted: sum("accepted"), tested: sum("tested") });
  const costs = measureCosts(used.flatMap((pair) => pair.plainRounds), rounds);
  const lengths = rounds.map((round) => round.drafted);
  const speedup = used.length > 0 ? bootstrapRatio(ratios, { seed }) : null;
  return {
    ...factorsOf(pairs[0]!.speculative),
    pairs: used.length,
    prompts: new Set(ratios.map(({ prompt }) => prompt)).size,
    processes: new Set(ratios.map(({ process }) => process)).size,
    failed: pairs.filter((pair) => pairSpeedup(pair) === null).length,
    disturbed: pairs.filter((pair) => pairSpeedup(pair) !== null && !pairCounts(pair)).length,
    unequal: pairs.filter(({ speculative }) => speculative.equalsPlain === false).length,
    speedup,
    predicted: costs && predictSpeedup(alpha ?? 0, lengths, costs),
    alpha,
    acceptedPerDrafted: acceptedPerDrafted({ accepted: sum("accepted"), drafted: sum("drafted") }),
    tau: blockEfficiency({ emitted: sum("emitted"), rounds: rounds.length }),
    costs,
    verdict: speedup ? judgeSpeedup(speedup) : "undecided",
  };
}

function factorsOf(run: RunRecord): CellFactors {
  return Object.fromEntries(CELL_FACTORS.map((name) => [name, run[name]])) as CellFactors;
}

function inOrder(a: CellSummary, b: CellSummary): number {
  return precisionRank(a) - precisionRank(b) ||
    DRAFTS.indexOf(a.draft) - DRAFTS.indexOf(b.draft) ||
    (a.acceptance ?? 0) - (b.acceptance ?? 0) || a.draftLength - b.draftLength;
}

/** Most bits first. */
function precisionRank({ precision }: CellSummary): number {
  return -Number(precision.replace(/\D/g, ""));
}
