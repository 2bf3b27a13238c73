/**
 * Figure: where speculation pays, by acceptance, draft length and precision.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { predictCurves } from "../analysis/curves.ts";
import { type CellSummary, summarise } from "../analysis/summary.ts";
import { draftName } from "../analysis/table.ts";
import type { Records } from "../study/records.ts";
import { captionOf } from "./caption.ts";
import { drawPlot, factorTicks, HEADING, margins, spread, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { HALO, INK, SERIES } from "./theme.ts";

const HEIGHT = 400;
const MARGIN = { top: 40, right: 40, bottom: 40, left: 52 } as const;
/** Height of a row of labels, in pixels. */
const ROW = 14;
const INNER = HEIGHT - MARGIN.top - MARGIN.bottom;

/**
 * Measured S against measured α, a panel for each precision and a colour for each K, beside what the
 * costs measured on the same machine predict.
 *
 * @param records Rows of whole pairs from one machine.
 * @param options Width in pixels, default 880.
 * @returns The text of an SVG file.
 * @throws {RangeError} If no pair counts.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(speedupByAcceptance({ runs, rounds }), "acceptance");
 * ```
 */
export function speedupByAcceptance(
  records: Records,
  { width = 880 }: { readonly width?: number } = {},
): string {
  const cells = summarise(records).filter((cell) => cell.speedup !== null && cell.alpha !== null);
  if (cells.length === 0) {
    throw new RangeError(
      "Cannot draw speed-ups as no pair counts: run a sweep on a machine that does nothing else",
    );
  }
  const lines = predictCurves(records).flatMap(({ precision, draftLength, points }) =>
    points.map((point) => ({ precision, draftLength, ...point }))
  );
  const plot = drawPanels(cells, lines, width);
  return frameSvg(plot, {
    title: "Where speculative decoding pays",
    subtitle: [
      "Dots: measured, K tokens drafted a round at a set acceptance; bars: 95 % intervals; hollow: undecided.",
      "Lines: predicted from the times of passes measured here. Black marks: real drafters.",
    ],
    caption: captionOf(records.runs, leftOut(cells)),
    width,
  });
}

/** A point of a predicted curve. */
interface LinePoint {
  readonly precision: string;
  readonly draftLength: number;
  readonly alpha: number;
  readonly speedup: number;
}

function drawPanels(
  cells: readonly CellSummary[],
  lines: readonly LinePoint[],
  width: number,
): SvgElement {
  const replays = cells.filter((cell) => cell.draft === "replay");
  const real = cells.filter((cell) => cell.draft !== "replay");
  const precisions = [...new Set(cells.map((cell) => cell.precision))];
  const lengths = [...new Set(lines.map(({ draftLength }) => draftLength))];
  const domain = domainOf(lines, cells);
  const ticks = factorTicks(domain);
  const colour = ({ draft, draftLength }: { draft?: string; draftLength: number }): string =>
    draft && draft !== "replay" ? INK.text : SERIES[lengths.indexOf(draftLength)] ?? INK.text;
  const dot = {
    fx: "precision",
    x: "alpha",
    y: (cell: CellSummary) => cell.speedup!.estimate,
    fill: (cell: CellSummary) => cell.verdict === "undecided" ? INK.ground : colour(cell),
    stroke: colour,
    strokeWidth: 1.4,
  };
  const panel = (name: string) => name;
  const names = namePlaces(real, domain);
  const realNames = [...new Set(real.map(nameOf))];
  const rankOf = (cell: CellSummary) => realNames.indexOf(nameOf(cell)) % SYMBOLS.length;
  return drawPlot({
    width,
    height: HEIGHT,
    ...margins(MARGIN),
    fx: { domain: precisions, padding: 0.17, axis: null },
    x: { domain: [0, 1], axis: null },
    y: { type: "log", domain, axis: null },
    marks: [
      Plot.rect(precisions, { fx: panel, x1: 0, x2: 1, y1: domain[0], y2: 1, fill: INK.shade }),
      Plot.gridY(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY(ticks, {
        label: null,
        tickFormat: (tick: number) => `${tick}×`,
        tickSize: 0,
      }),
      Plot.axisX([0, 0.2, 0.4, 0.6, 0.8, 1], {
        label: "acceptance α, per tested token",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: String,
      }),
      Plot.text(precisions, { fx: panel, text: panel, frameAnchor: "top", dy: -18, ...HEADING }),
      yLabel("speed-up S (log)", { marginLeft: MARGIN.left, fx: precisions[0]! }),
      Plot.ruleY([1], { stroke: INK.text, strokeWidth: 1.2 }),
      Plot.line(lines, {
        fx: "precision",
        x: "alpha",
        y: "speedup",
        z: "draftLength",
        stroke: colour,
        strokeOpacity: 0.75,
      }),
      Plot.text(endLabels(lines, domain), {
        fx: "precision",
        x: 1,
        y: "labelAt",
        text: (end: LinePoint) => `K=${end.draftLength}`,
        textAnchor: "start",
        dx: 4,
        fill: colour,
        fontWeight: "bold",
      }),
      Plot.ruleX(cells.filter(({ speedup }) => speedup!.low !== null), {
        fx: "precision",
        x: "alpha",
        y1: (cell: CellSummary) => cell.speedup!.low,
        y2: (cell: CellSummary) => cell.speedup!.high,
        stroke: colour,
        strokeOpacity: 0.55,
        clip: true,
        strokeWidth: 1.2,
      }),
      Plot.dot(replays, { ...dot, r: 3.8 }),
      Plot.dot(real, { ...dot, r: 5, symbol: (cell: CellSummary) => SYMBOLS[rankOf(cell)]?.[0] }),
      Plot.text(precisions, { fx: panel, text: () => "helps", dy: -9, ...REGION }),
      Plot.text(precisions, {
        fx: panel,
        text: () => "hurts",
        dy: 10,
        ...REGION,
        stroke: INK.shade,
      }),
      Plot.text(names, {
        fx: "precision",
        x: 0.02,
        y: "labelAt",
        text: (cell: CellSummary) => `${SYMBOLS[rankOf(cell)]?.[1]} ${nameOf(cell)}`,
        textAnchor: "start",
        fill: INK.text,
      }),
    ],
  });
}

/** Marks of real drafters, as Plot names them and as text shows them. */
const SYMBOLS = [["diamond", "◆"], ["square", "■"], ["triangle", "▲"]] as const;
const REGION = { ...HALO, x: 0.99, y: 1, textAnchor: "end", fill: INK.quiet } as const;

function nameOf(cell: CellSummary): string {
  return `${draftName(cell)}, K=${cell.draftLength}`;
}

/** Octaves that a row of labels takes up. */
function rowOctaves([low, high]: readonly [number, number]): number {
  return ROW * Math.log2(high / low) / INNER;
}

/** The ends of the curves, their labels moved off each other. */
function endLabels(
  lines: readonly LinePoint[],
  domain: readonly [number, number],
): (LinePoint & { readonly labelAt: number })[] {
  const ends = lines.filter(({ alpha }) => alpha === 1);
  return [...Map.groupBy(ends, ({ precision }) => precision).values()].flatMap((panel) => {
    const places = spread(panel.map(({ speedup }) => Math.log2(speedup)), rowOctaves(domain));
    return panel.map((end, i) => ({ ...end, labelAt: 2 ** places[i]! }));
  });
}

/** The key of real drafters stands at the foot of their panel, where no curve comes. */
function namePlaces(real: readonly CellSummary[], domain: readonly [number, number]) {
  return [...Map.groupBy(real, ({ precision }) => precision).values()].flatMap((panel) =>
    panel.map((cell, row) => ({
      ...cell,
      labelAt: domain[0] * 2 ** (rowOctaves(domain) * (0.7 + row)),
    }))
  );
}

/** From below all curves, with room for names, to above all intervals. */
function domainOf(
  lines: readonly LinePoint[],
  cells: readonly CellSummary[],
): [low: number, high: number] {
  const values = [
    ...lines.map(({ speedup }) => speedup),
    ...cells.map(({ speedup }) => speedup!.estimate),
  ];
  return [Math.min(0.7, ...values) / 1.4, Math.max(2, ...values) * 1.15];
}

function leftOut(cells: readonly CellSummary[]): string {
  const left = cells.reduce((sum, cell) => sum + cell.disturbed + cell.failed, 0);
  return left > 0 ? `; ${left} pairs failed or were disturbed and are left out` : "";
}
