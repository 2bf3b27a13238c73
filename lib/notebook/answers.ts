/**
 * The answer of each notebook, in sentences whose numbers come from the rows.
 *
 * @module
 */

import {
  contextAtOne,
  type ContextPoint,
  measureByContext,
  predictByContext,
  type PredictedPoint,
} from "../analysis/context_curves.ts";
import { type Curve, predictCurves } from "../analysis/curves.ts";
import { octave, passesOf } from "../analysis/located_rounds.ts";
import { geometricMean, type Interval, median } from "../analysis/statistics.ts";
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
 * What context does: to S at one α and K, measured and predicted from the passes timed at each octave of
 * context; to the best K at every α; and where the best stops to pay.
 *
 * @param records Rows of one machine.
 * @param question α and K.
 * @returns Markdown: a sentence for each precision, and a table.
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
  const measured = measureByContext(records);
  const acceptances = [...new Set(measured.map(({ acceptance }) => acceptance))];
  const predicted = acceptances.flatMap((acceptance) => predictByContext(records, { acceptance }));
  return [
    `At α = ${question.acceptance} and K = ${question.draftLength}, drafts being free:`,
    "",
    ...sayContexts(measured.filter(isAsked(question)), predicted.filter(isAsked(question))),
    "",
    "The best K at each context and its measured S, and beyond which context plain decoding beats all K, measured and predicted:",
    "",
    tabulateBestLengths(measured, predicted),
  ].join("\n");
}

/**
 * What real drafters reach at each octave of context, on the same prompts.
 *
 * @param records Rows of one machine.
 * @returns Markdown: a row for each precision and drafter; S, and α in brackets.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(tabulateDrafters({ runs, rounds }), "prompt lookup");
 * ```
 */
export function tabulateDrafters({ runs, rounds }: Records): string {
  const contexts = Map.groupBy(runs, ({ context }) => octave(context));
  const columns = [...contexts].sort(([a], [b]) => a - b).map(([, own]) => ({
    title: tokens(geometricMean(own.map(({ context }) => context))),
    cells: summarise({ runs: own, rounds }).filter(({ draft }) => draft !== "replay"),
  }));
  const nameOf = (cell: CellSummary) =>
    `${cell.precision}, ${draftName(cell)}, K = ${cell.draftLength}`;
  const names = [...new Set(columns.flatMap(({ cells }) => cells.map(nameOf)))].sort();
  const rows = names.map((name) => [
    name,
    ...columns.map(({ cells }) => {
      const cell = cells.find((one) => nameOf(one) === name);
      return cell?.speedup ? `${two(cell.speedup.estimate)} (${two(cell.alpha ?? 0)})` : "";
    }),
  ]);
  return markdownTable(["", ...columns.map(({ title }) => title)], rows);
}

function isAsked({ acceptance, draftLength }: ContextQuestion) {
  return (point: ContextPoint) =>
    point.acceptance === acceptance && point.draftLength === draftLength;
}

function sayContexts(measured: readonly ContextPoint[], predicted: readonly PredictedPoint[]) {
  return [...Map.groupBy(measured, ({ precision }) => precision)].map(([precision, dots]) => {
    const [from, to] = [dots[0]!, dots.at(-1)!];
    const line = predicted.filter((point) => point.precision === precision);
    const [first, last] = [line[0], line.at(-1)];
    const forecast = first && last
      ? `; predicted ${two(first.speedup)} → ${two(last.speedup)}, as v goes ${
        two(first.costs.v)
      } → ${two(last.costs.v)} and a plain pass takes ${
        two(last.costs.passMs / first.costs.passMs)
      } times as long`
      : "";
    return `- **${precision}**, from ${tokens(from.context)} to ${
      tokens(to.context)
    } tokens of context: S **${sayPoint(from)}** → **${sayPoint(to)}**${forecast}.`;
  });
}

function sayPoint({ speedup, low, high }: ContextPoint): string {
  return withInterval({ estimate: speedup, low, high });
}

/** A row for each precision and α, a column for each octave of context. */
function tabulateBestLengths(
  measured: readonly ContextPoint[],
  predicted: readonly PredictedPoint[],
): string {
  const contexts = [...Map.groupBy(measured, ({ context }) => octave(context))]
    .sort(([a], [b]) => a - b);
  const lines = [measured, predicted].map((points) =>
    new Map([...Map.groupBy(points, lineOf)].map(([name, line]) => [name, bestByContext(line)]))
  );
  const rows = [...lines[0]!].map(([name, best]) => [
    name,
    ...contexts.map(([middle]) => {
      const here = best.find(({ context }) => octave(context) === middle);
      if (!here) return "";
      return here.speedup > 1 ? `K = ${here.draftLength}: ${two(here.speedup)}` : "plain";
    }),
    ...lines.map((of) => sayCrossing(contextAtOne(of.get(name) ?? []))),
  ]);
  const head = contexts.map(([, points]) => tokens(geometricMean(points.map((p) => p.context))));
  return markdownTable(["", ...head, "plain beyond", "predicted"], rows);
}

function lineOf({ precision, acceptance }: ContextPoint): string {
  return `${precision}, α = ${acceptance}`;
}

/** At each octave of context the point of the K that decodes fastest. */
function bestByContext(line: readonly ContextPoint[]): ContextPoint[] {
  return [...Map.groupBy(line, ({ context }) => octave(context)).values()]
    .map((same) => same.reduce((best, point) => point.speedup > best.speedup ? point : best));
}

function sayCrossing(context: number): string {
  if (context === 0) return "all";
  return context === Infinity ? "–" : tokens(context);
}

/** "46", "1.0K". */
function tokens(context: number): string {
  return context < 1000 ? context.toFixed(0) : `${(context / 1024).toFixed(1)}K`;
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
      }, S = **${withInterval(cell.speedup!)}**, ${cell.verdict}.`
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
    row.alpha === null ? "" : two(row.alpha), // a table may offer nothing
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
      alpha: cell.alpha,
      s: cell.speedup!.estimate,
      interval: withInterval(cell.speedup!),
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

function withInterval({ estimate, low, high }: Interval): string {
  return low === null ? two(estimate) : `${two(estimate)} (${two(low)}–${two(high!)})`;
}

function two(value: number): string {
  return value.toFixed(2);
}
