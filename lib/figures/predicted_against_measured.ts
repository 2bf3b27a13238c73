/**
 * Figure: whether the cost model tells the truth.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { type CellSummary, summarise } from "../analysis/summary.ts";
import { draftName } from "../analysis/table.ts";
import type { Records } from "../study/records.ts";
import { captionOf } from "./caption.ts";
import { drawPlot, factorTicks, margins, spread, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, PRECISIONS } from "./theme.ts";

const HEIGHT = 460;
const MARGIN = { top: 28, right: 60, bottom: 40, left: 52 } as const;
/** Half the band around the diagonal. */
const BAND = 0.1;

/** A cell with both numbers. */
interface Point {
  readonly cell: CellSummary;
  readonly measured: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly predicted: number;
}

/**
 * Measured S against the S that measured costs and α predict, a dot for each cell, with 95 % intervals,
 * beside the diagonal and a band of 10 %. Cells outside the band are named.
 *
 * @param records Rows of whole pairs.
 * @param options Width in pixels, default 680.
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
 * assertStringIncludes(predictedAgainstMeasured({ runs, rounds }), "cells");
 * ```
 */
export function predictedAgainstMeasured(
  records: Records,
  { width = 680 }: { readonly width?: number } = {},
): string {
  const points = summarise(records).flatMap((cell): Point[] =>
    cell.speedup && cell.predicted
      ? [{
        cell,
        measured: cell.speedup.estimate,
        low: cell.speedup.low,
        high: cell.speedup.high,
        predicted: cell.predicted,
      }]
      : []
  );
  if (points.length === 0) {
    throw new RangeError("Cannot compare predictions as no pair counts: run a sweep first");
  }
  const close = points.filter((point) => !misses(point)).length;
  return frameSvg(drawPoints(points, width), {
    title: `Prediction and measurement agree within ${
      100 * BAND
    } % in ${close} of ${points.length} cells`,
    subtitle: [
      "A dot is a cell: precision, drafter, K, set acceptance. Bars: 95 % intervals of the measurement.",
      "Predicted: E[τ] / (K·c + v + h) from the cell's own α and times.",
    ],
    caption: captionOf(records.runs),
    width,
  });
}

function misses({ measured, predicted }: Point): boolean {
  return Math.abs(Math.log(measured / predicted)) > Math.log(1 + BAND);
}

function drawPoints(points: readonly Point[], width: number): SvgElement {
  const values = points.flatMap(({ measured, predicted }) => [measured, predicted]);
  const domain = [Math.min(0.9, ...values) / 1.15, Math.max(1.5, ...values) * 1.2] as const;
  const ticks = factorTicks(domain);
  const precisions = [...new Set(points.map(({ cell }) => cell.precision))];
  const colour = ({ cell }: Point) => PRECISIONS[cell.precision] ?? INK.text;
  const axis = { label: null, tickSize: 0, tickFormat: (tick: number) => `${tick}×` };
  return drawPlot({
    width,
    height: HEIGHT,
    ...margins(MARGIN),
    x: { type: "log", base: 2, domain, axis: null },
    y: { type: "log", base: 2, domain, axis: null },
    marks: [
      Plot.gridX(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.gridY(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.areaY(domain, {
        x: (s: number) => s,
        y1: (s: number) => s / (1 + BAND),
        y2: (s: number) => s * (1 + BAND),
        fill: INK.shade,
        clip: true,
      }),
      Plot.line(domain.map((s) => [s, s]), { stroke: INK.text, strokeWidth: 1.2 }),
      Plot.axisX(ticks, {
        ...axis,
        label: "predicted S (log)",
        labelAnchor: "center",
        labelArrow: "none",
      }),
      Plot.axisY(ticks, axis),
      yLabel("measured S (log)", { marginLeft: MARGIN.left }),
      Plot.ruleX(points.filter(({ low }) => low !== null), {
        x: "predicted",
        y1: "low",
        y2: "high",
        stroke: colour,
        strokeOpacity: 0.35,
        clip: true,
      }),
      Plot.dot(points, {
        x: "predicted",
        y: "measured",
        fill: colour,
        stroke: INK.ground,
        strokeWidth: 0.8,
        r: ({ cell }: Point) => cell.draft === "replay" ? 4.2 : 6,
        symbol: ({ cell }: Point) => cell.draft === "replay" ? "circle" : "diamond",
      }),
      ...outliers(points.filter(misses), domain),
      ...key(precisions, points.some(({ cell }) => cell.draft !== "replay")),
    ],
  });
}

const HALO = { stroke: INK.ground, strokeWidth: 4 } as const;
/** Pixels from a line of text to the next. */
const ROW = 15;

/** Names of cells that the model misses, on the side of the diagonal that they lie on. */
function outliers(points: readonly Point[], domain: readonly [number, number]): Plot.Markish[] {
  const pixels = HEIGHT - MARGIN.top - MARGIN.bottom;
  const row = ROW * Math.log2(domain[1] / domain[0]) / pixels;
  return (["start", "end"] as const).flatMap((textAnchor) => {
    const side = points.filter(({ measured, predicted }) =>
      measured < predicted === (textAnchor === "start")
    );
    const places = spread(side.map(({ measured }) => Math.log2(measured)), row);
    return Plot.text(side, {
      x: "predicted",
      y: (_, i: number) => 2 ** places[i]!,
      text: nameOf,
      textAnchor,
      dx: textAnchor === "start" ? 9 : -9,
      fill: INK.text,
      ...HALO,
    });
  });
}

/** Without "replay", which the mark says. */
function nameOf({ cell }: Point): string {
  const drafter = cell.draft === "replay" ? `α=${cell.acceptance}` : draftName(cell);
  return `${cell.precision}, ${drafter}, K=${cell.draftLength}`;
}

/** What colours and marks mean, in the corner that the diagonal leaves free. */
function key(precisions: readonly string[], real: boolean): Plot.Markish[] {
  const rows = [
    ...precisions.map((name) => ({ text: `● ${name}`, fill: PRECISIONS[name] ?? INK.text })),
    ...(real ? [{ text: "◆ real drafter", fill: INK.text }] : []),
    { text: `grey: within ${100 * BAND} %`, fill: INK.quiet },
  ];
  return rows.map(({ text, fill }, row) =>
    Plot.text([text], {
      text: String,
      frameAnchor: "top-left",
      dx: 8,
      dy: 12 + 16 * row,
      fill,
      fontWeight: "bold",
      ...HALO,
    })
  );
}
