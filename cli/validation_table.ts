/**
 * The validation as text.
 *
 * @module
 */

import { type ComparedCell, compareProcesses, countConcords } from "../lib/analysis/agreement.ts";
import { checkIdentities } from "../lib/analysis/identities.ts";
import { joinPairs, pairCounts } from "../lib/analysis/pairs.ts";
import { median } from "../lib/analysis/statistics.ts";
import { alignRows, draftName } from "../lib/analysis/table.ts";
import {
  nullExperiments,
  residualsByFactor,
  validate,
  type ValidatedCell,
  validationErrors,
} from "../lib/analysis/validation.ts";
import {
  type ArmTimes,
  armTimes,
  type Percentiles,
  requestTimes,
} from "../lib/analysis/validation_latency.ts";
import type { CostRecord } from "../lib/study/cost_records.ts";
import { ARMS, type Records } from "../lib/study/records.ts";
import type { TraceRecord } from "../lib/study/trace_records.ts";

/** Factors whose levels' residuals are shown. */
const FACTORS = ["precision", "draft", "draftLength", "temperature", "context", "task"] as const;

/**
 * Predicted against measured, for a terminal: each cell, the errors over all, residuals by factor,
 * the null experiments, whether processes agree, what a user waits for, and counts that cannot be.
 *
 * @param records Rows of the validation.
 * @param traces The behaviour layer.
 * @param costs The cost layer of the same machine.
 * @returns Lines of text.
 */
export function describeValidation(
  records: Records,
  traces: readonly TraceRecord[],
  costs: readonly CostRecord[],
): string {
  const cells = validate(records, traces, costs);
  return [
    ...alignRows([
      [
        "target",
        "draft",
        "K",
        "T",
        "n",
        "prompt",
        "pairs",
        "S",
        "predicted",
        "from counts",
        "error",
      ],
      ...cells.map(cellRow),
    ]),
    "",
    describeErrors("Predicted S", cells, "error"),
    describeErrors("S from the runs' own counts", cells, "countsError"),
    ...residuals(cells),
    ...leftOut(records),
    "",
    ...nulls(records),
    ...agreements(records),
    ...waits(records),
    ...resources(records),
    ...violations(records),
    "",
  ].join("\n");
}

function cellRow(cell: ValidatedCell): string[] {
  return [
    cell.precision,
    draftName(cell),
    String(cell.draftLength),
    String(cell.temperature),
    String(cell.context),
    cell.prompt,
    String(cell.pairs),
    decimals(cell.measured),
    decimals(cell.predicted),
    decimals(cell.fromCounts),
    percent(cell.error),
  ];
}

function describeErrors(
  what: string,
  cells: readonly ValidatedCell[],
  of: "error" | "countsError",
): string {
  const errors = validationErrors(cells, of);
  if (!errors) return `${what}: nothing to compare; record traces and costs of the same models.`;
  const { cells: count, median, percentile90 } = errors;
  return `${what}: off by ${percent(median)} in the median, ${
    percent(percentile90)
  } at the 90th percentile, over ${count} of ${cells.length} cells.`;
}

function residuals(cells: readonly ValidatedCell[]): string[] {
  const levels = residualsByFactor(cells, FACTORS).map((
    { factor, level, cells, bias, median },
  ) => [factor, level, String(cells), percent(bias), percent(median)]);
  if (levels.length === 0) return [];
  return ["", ...alignRows([["factor", "level", "cells", "bias", "median"], ...levels])];
}

function nulls(records: Records): string[] {
  return nullExperiments(records).map(({ target, pairs, speedup, holds }) => {
    const name = `Null experiment, ${target}`;
    if (!speedup) return `${name}: no pair counts.`;
    const interval = `${decimals(speedup.low)} to ${decimals(speedup.high)}`;
    return `${name}: S ${decimals(speedup.estimate)} (${interval}) over ${pairs} pairs: ${
      holds ? "undecided or 1.00 ± 0.02, as it must be" : "NEITHER UNDECIDED NOR 1.00 ± 0.02"
    }.`;
  });
}

/** Each process against every later one. Cells are over all prompts and contexts. */
function agreements(records: Records): string[] {
  return compareProcesses(records).flatMap(({ processes, cells }) => {
    const { agree, decided, undecided, contradict } = countConcords(cells);
    return [
      `Verdicts of processes ${
        processes.join(" and ")
      } on ${cells.length} cells: ${agree} the same ` +
      `(${decided} decided), ${undecided} undecided in one of them, ` +
      `${contradict} contradict each other${contradict > 0 ? ":" : "."}`,
      ...cells.filter(({ concord }) => concord === "contradict").map(contradiction),
    ];
  });
}

function contradiction({ first, second }: ComparedCell): string {
  const [one, other] = [first, second].map(({ verdict, speedup }) =>
    `${verdict} (S ${decimals(speedup?.estimate)})`
  );
  const place = `${first.precision} ${
    draftName(first)
  } K=${first.draftLength} T=${first.temperature}`;
  return `  ${place}: ${one}, then ${other}`;
}

function leftOut(records: Records): string[] {
  const pairs = joinPairs(records);
  const count = pairs.filter((pair) => !pairCounts(pair)).length;
  if (count === 0) return [];
  return [
    `${count} of ${pairs.length} pairs are left out: they failed, or other work disturbed them.`,
  ];
}

function waits(records: Records): string[] {
  const drafting = joinPairs(records).filter(({ speculative }) => speculative.draftLength > 0);
  const precisions = [...new Set(drafting.map(({ plain }) => plain.precision))];
  const rows = precisions.flatMap((precision) =>
    ARMS.flatMap((arm) => {
      const requests = drafting.filter(({ plain }) => plain.precision === precision)
        .filter((pair) => !pair[arm].disturbed)
        .flatMap((pair) => {
          const [first] = arm === "plain" ? pair.plainRounds : pair.speculativeRounds;
          return requestTimes(pair[arm], first?.emitted ?? 0) ?? [];
        });
      const times = armTimes(requests);
      return times ? [[precision, arm, ...waitCells(times)]] : [];
    })
  );
  if (rows.length === 0) return [];
  const header = ["target", "arm", "runs", "TTFT ms", "TPOT ms", "E2E ms", "token/s"];
  return ["", ...alignRows([header, ...rows]), "Median / 90th / 99th percentile."];
}

function waitCells({ runs, firstTokenMs, perTokenMs, wholeMs, throughput }: ArmTimes): string[] {
  const show = (of: Percentiles | null, digits: number) =>
    of ? [of.p50, of.p90, of.p99].map((ms) => ms.toFixed(digits)).join(" / ") : "-";
  return [String(runs), show(firstTokenMs, 0), show(perTokenMs, 1), show(wholeMs, 0)]
    .concat(show(throughput, 1));
}

/** Peak memory by purpose and energy, medians and means over runs that drafted, and their partners. */
function resources(records: Records): string[] {
  const drafting = joinPairs(records).filter(({ speculative }) => speculative.draftLength > 0);
  const groups = Map.groupBy(
    ARMS.flatMap((arm) => drafting.map((pair) => pair[arm])),
    (run) => `${run.precision}\t${run.arm === "plain" ? "plain" : draftName(run)}`,
  );
  const rows = [...groups].sort().map(([name, runs]) => {
    const megabytes = (column: "weightBytes" | "keyValueBytes" | "bufferBytes") => {
      const known = runs.flatMap((run) => run[column] ?? []);
      return known.length > 0 ? (median(known) / 1e6).toFixed(0) : "-";
    };
    const metered = runs.filter(({ energyJoules, emitted }) => energyJoules !== null && emitted);
    const sum = (column: "energyJoules" | "emitted") =>
      metered.reduce((total, run) => total + run[column]!, 0);
    const joules = metered.length > 0 ? (sum("energyJoules") / sum("emitted")).toFixed(2) : "-";
    return [
      ...name.split("\t"),
      megabytes("weightBytes"),
      megabytes("keyValueBytes"),
      megabytes("bufferBytes"),
      joules,
    ];
  });
  if (rows.length === 0) return [];
  const header = ["target", "draft", "weights MB", "K/V MB", "buffers MB", "J/token"];
  return ["", ...alignRows([header, ...rows])];
}

function violations(records: Records): string[] {
  const rounds = Map.groupBy(records.rounds, ({ pair, arm }) => `${pair} ${arm}`);
  const found = records.runs.flatMap((run) =>
    checkIdentities(run, rounds.get(`${run.pair} ${run.arm}`) ?? [])
      .map((what) => `  ${run.pair} ${run.arm}: ${what}`)
  );
  return [
    "",
    found.length === 0
      ? `All ${records.runs.length} runs keep the identities of their counts and times.`
      : `${found.length} identities are broken:`,
    ...found,
  ];
}

function decimals(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : value.toFixed(2);
}

function percent(share: number | null): string {
  return share === null ? "-" : `${(100 * share).toFixed(1)} %`;
}
