/**
 * The answer of each notebook, in sentences whose numbers come from the rows.
 *
 * @module
 */

import { predictByContext } from "../analysis/context_curves.ts";
import { type Curve, predictCurves } from "../analysis/curves.ts";
import { locateRounds, passesOf } from "../analysis/located_rounds.ts";
import { median } from "../analysis/statistics.ts";
import { type CellSummary, summarise } from "../analysis/summary.ts";
import { draftName } from "../analysis/table.ts";
import type { Records } from "../study/records.ts";
import { markdownTable } from "./markdown.ts";
import type { MachineRecords } from "./rows.ts";

/** What is held fast when contexts are compared. */
export interface ContextQuestion {
  /** α. */
  readonly acceptance: number;
  /** K. */
  readonly draftLength: number;
}

/**
 * What context does: to a plain pass and to the predicted speed-up, from the shortest to the longest
 * octave of context on record.
 *
 * @param records Rows of one machine.
 * @param question α and K.
 * @returns Markdown.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * const answer = answerContext({ runs, rounds }, { acceptance: 0.9, draftLength: 2 });
 * assertStringIncludes(answer, "tokens of context");
 * ```
 */
export function answerContext(records: Records, question: ContextQuestion): string {
  const points = predictByContext(records, question)
    .filter(({ draftLength }) => draftLength === question.draftLength);
  const lines = [...Map.groupBy(points, ({ precision }) => precision)].map(([name, line]) => {
    const [first, last] = [line[0]!, line.at(-1)!];
    const growth = signed(100 * (last.costs.passMs / first.costs.passMs - 1));
    return `- **${name}**, from ${first.context} to ${last.context} tokens of context: a plain pass ${growth} %, v ${
      two(first.costs.v)
    } → ${two(last.costs.v)}, so S ${two(first.speedup)} → **${two(last.speedup)}**.`;
  });
  const contexts = locateRounds(records).map(({ context }) => context);
  return [
    `At α = ${question.acceptance} and K = ${question.draftLength}, drafts being free:`,
    "",
    ...lines,
    "",
    `These rows reach from ${Math.min(...contexts)} to ${
      Math.max(...contexts)
    } tokens; they say nothing of longer contexts.`,
  ].join("\n");
}

/**
 * What acceptance must be: the α at which predicted S passes 1, by precision and K; how many measured
 * cells lie on the side predicted; and what real drafters reached.
 *
 * @param records Rows of one machine.
 * @returns Markdown.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(answerAcceptance({ runs, rounds }), "K = 8");
 * ```
 */
export function answerAcceptance(records: Records): string {
  const curves = predictCurves(records);
  const lengths = [...new Set(curves.map(({ draftLength }) => draftLength))];
  const rows = [...Map.groupBy(curves, ({ precision }) => precision)].map(([name, own]) => [
    name,
    ...lengths.map((length) => {
      const boundary = boundaryOf(own.find(({ draftLength }) => draftLength === length));
      return boundary === null ? "none" : two(boundary);
    }),
  ]);
  const cells = summarise(records).filter(({ draftLength, speedup }) =>
    draftLength > 0 && speedup !== null
  );
  const replays = cells.filter(({ draft }) => draft === "replay");
  const decided = replays.filter(({ verdict }) => verdict !== "undecided");
  const right = decided.filter(({ verdict, predicted }) =>
    (verdict === "helps") === (predicted! > 1)
  );
  return [
    "A draft that costs nothing pays from this acceptance on:",
    "",
    markdownTable(["", ...lengths.map((length) => `K = ${length}`)], rows),
    "",
    `Of ${replays.length} cells measured at a set acceptance, ${decided.length} are decided, ${right.length} of them as predicted. Real drafters reached:`,
    "",
    ...cells.filter(({ draft }) => draft !== "replay").map((cell) =>
      `- ${cell.precision}, ${draftName(cell)}, K = ${cell.draftLength}: α = ${
        two(cell.alpha!)
      }, S = **${withInterval(cell)}**, ${cell.verdict}.`
    ),
  ].join("\n");
}

/**
 * What each machine makes of each precision: plain decoding, the cost of checking K + 1 tokens, and the
 * speed-up of real drafters.
 *
 * @param machines The machines and their rows.
 * @returns Markdown: a sentence for each drafter tried in several precisions, and a table of all.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readMachines } from "@specbound/specbound";
 * assertStringIncludes(answerHardware(await readMachines("data/records", {})), "tokens/s");
 * ```
 */
export function answerHardware(machines: readonly MachineRecords[]): string {
  const rows = machines.flatMap(hardwareRows);
  const groups = Map.groupBy(rows, ({ machine, drafter }) => `${machine}, ${drafter}`);
  const sentences = [...groups].filter(([, own]) => own.length > 1).map(([name, own]) => {
    const [first, last] = [own[0]!, own.at(-1)!];
    return `- **${name}**: from ${first.precision} to ${last.precision} plain decoding goes from ${
      first.rate.toFixed(0)
    } to ${last.rate.toFixed(0)} tokens/s, the check from ${two(first.v)} to ${
      two(last.v)
    } plain passes, S from **${two(first.s)}** to **${two(last.s)}**.`;
  });
  const head = [
    "machine",
    "precision",
    "plain tokens/s",
    "drafter",
    "v(K + 1)",
    "α",
    "S",
    "verdict",
  ];
  const cells = rows.map((row) => [
    row.machine,
    row.precision,
    row.rate.toFixed(0),
    row.drafter,
    two(row.v),
    two(row.alpha),
    `**${row.interval}**`,
    row.verdict,
  ]);
  return [...sentences, "", markdownTable(head, cells)].join("\n");
}

/** Real drafters on one machine: not replays, and not the null pairs, whose two arms are the same. */
function hardwareRows({ machine, records }: MachineRecords) {
  const passes = passesOf(records);
  const cells = summarise(records).filter(({ draft, draftLength, speedup }) =>
    draft !== "replay" && draftLength > 0 && speedup
  );
  return cells.map((cell) => {
    const msOf = (wanted: number) =>
      median(
        passes.filter(({ precision, width }) => precision === cell.precision && width === wanted)
          .map(({ ms }) => ms),
      );
    return {
      machine: machine.id,
      precision: cell.precision,
      drafter: `${draftName(cell)}, K = ${cell.draftLength}`,
      rate: 1000 / msOf(1),
      v: msOf(cell.draftLength + 1) / msOf(1),
      alpha: cell.alpha!,
      s: cell.speedup!.estimate,
      interval: withInterval(cell),
      verdict: cell.verdict,
    };
  });
}

/** The α at which a curve passes 1, between its points; null if it never does. */
function boundaryOf(curve: Curve | undefined): number | null {
  const points = curve?.points ?? [];
  const after = points.findIndex(({ speedup }) => speedup >= 1);
  const [low, high] = [points[after - 1], points[after]];
  if (!high) return null;
  if (!low) return high.alpha;
  const share = (1 - low.speedup) / (high.speedup - low.speedup);
  return low.alpha + share * (high.alpha - low.alpha);
}

function withInterval({ speedup }: CellSummary): string {
  const { estimate, low, high } = speedup!;
  return low === null ? two(estimate) : `${two(estimate)} (${two(low)}–${two(high!)})`;
}

function two(value: number): string {
  return value.toFixed(2);
}

function signed(value: number): string {
  const rounded = Math.round(value);
  return (rounded < 0 ? "−" : rounded > 0 ? "+" : "±") + Math.abs(rounded);
}
