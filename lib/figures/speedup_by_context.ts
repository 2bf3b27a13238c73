/**
 * Figure: what the length of the context does to the speed-up.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import {
  type ContextPoint,
  measureByContext,
  predictByContext,
} from "../analysis/context_curves.ts";
import { octave } from "../analysis/located_rounds.ts";
import type { Records } from "../study/records.ts";
import { captionOf } from "./caption.ts";
import { drawPlot, factorTicks, HEADING, margins, spread } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { HALO, INK, SERIES } from "./theme.ts";

/** Height of a panel, and the space between two. */
const PANEL = 172;
const GAP = 0.09;
const MARGIN = { top: 40, right: 44, bottom: 40, left: 52 } as const;
/** Height of a row of labels, in pixels. */
const ROW = 13;

/** What is shown, and the size. */
export interface ContextFigureOptions {
  /** The acceptances of the replays that are shown, a row of panels each. Default: all. */
  readonly acceptances?: readonly number[];
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/**
 * Measured S of replays against the context at which decoding starts, a row of panels for each set
 * acceptance, a column for each precision and a colour for each K; beside it what the passes timed at
 * each context predict.
 *
 * @param records Rows of whole pairs from one machine.
 * @param options The acceptances; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If no replay at these acceptances counts.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(speedupByContext({ runs, rounds }, { acceptances: [0.9] }), "α = 0.9");
 * ```
 */
export function speedupByContext(
  records: Records,
  { acceptances, width = 880 }: ContextFigureOptions = {},
): string {
  const measured = measureByContext(records)
    .filter(({ acceptance }) => acceptances?.includes(acceptance) ?? true);
  const rows = [...new Set(measured.map(({ acceptance }) => acceptance))].sort((a, b) => b - a);
  if (rows.length === 0) {
    throw new RangeError(
      "Cannot draw speed-ups by context as no replay at these acceptances counts: choose the sweep's",
    );
  }
  const predicted = rows.flatMap((acceptance) => predictByContext(records, { acceptance }));
  const shown = new Set(
    records.runs.filter((run) => rows.includes(run.acceptance!)).map(({ pair }) => pair),
  );
  return frameSvg(drawPanels(measured, predicted, rows, width), {
    title: "What context does to the speed-up, at a set acceptance α",
    subtitle: [
      "Dots: measured, drafts of K tokens that cost nothing; filled: the best K there, if it beats plain decoding. Lines: predicted",
      "for that α from the passes timed at each context. Bars and bands: 95 %, where there are several prompts.",
    ],
    caption: captionOf(records.runs.filter(({ pair }) => shown.has(pair))),
    width,
  });
}

function drawPanels(
  measured: readonly ContextPoint[],
  predicted: readonly ContextPoint[],
  rows: readonly number[],
  width: number,
): SvgElement {
  const precisions = [...new Set(measured.map(({ precision }) => precision))];
  const lengths = [...new Set(measured.map(({ draftLength }) => draftLength))]
    .sort((a, b) => a - b);
  const contexts = [...measured, ...predicted].map(({ context }) => context);
  const across = [Math.min(...contexts) / 1.15, Math.max(...contexts) * 1.15] as const;
  const values = [...measured, ...predicted].map(({ speedup }) => speedup);
  const domain = [Math.min(0.8, ...values) / 1.1, Math.max(1.5, ...values) * 1.15] as const;
  const colour = ({ draftLength }: ContextPoint) =>
    SERIES[lengths.indexOf(draftLength)] ?? INK.text;
  const isBest = (dot: ContextPoint) =>
    dot.speedup > 1 &&
    measured.every((other) => !isBeside(dot, other) || other.speedup <= dot.speedup);
  const at = { fx: "precision", fy: "acceptance", x: "context" } as const;
  const panels = precisions.flatMap((precision) =>
    rows.map((acceptance) => ({ precision, acceptance }))
  );
  const place = { fx: "precision", fy: "acceptance" } as const;
  const [first] = precisions;
  const height = MARGIN.top + MARGIN.bottom + rows.length * PANEL;
  return drawPlot({
    width,
    height,
    ...margins(MARGIN),
    fx: { domain: precisions, padding: precisions.length > 1 ? 0.17 : 0, axis: null },
    fy: { domain: rows, padding: rows.length > 1 ? GAP : 0, axis: null },
    x: { type: "log", base: 2, domain: across, axis: null },
    y: { type: "log", domain, axis: null },
    marks: [
      Plot.rect(panels, {
        ...place,
        x1: across[0],
        x2: across[1],
        y1: domain[0],
        y2: 1,
        fill: INK.shade,
      }),
      Plot.gridY(factorTicks(domain), { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY(factorTicks(domain), {
        label: null,
        tickFormat: (tick: number) => `${tick}×`,
        tickSize: 0,
      }),
      Plot.axisX(octavesIn(across), {
        label: "context n, tokens (log)",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: (tick: number) => tick >= 1024 ? `${tick / 1024}K` : String(tick),
      }),
      Plot.text(panels.filter(({ acceptance }) => acceptance === rows[0]), {
        ...place,
        text: "precision",
        frameAnchor: "top",
        dy: -18,
        ...HEADING,
      }),
      Plot.text(["speed-up S (log)"], {
        fx: [first],
        fy: [rows[0]],
        frameAnchor: "top-left",
        dx: 14 - MARGIN.left,
        dy: -18,
      }),
      Plot.ruleY([1], { stroke: INK.text, strokeWidth: 1.2 }),
      Plot.areaY(predicted.filter(({ low }) => low !== null), {
        ...at,
        y1: "low",
        y2: "high",
        z: "draftLength",
        fill: colour,
        fillOpacity: 0.14,
        clip: true,
      }),
      Plot.line(predicted, {
        ...at,
        y: "speedup",
        z: "draftLength",
        stroke: colour,
        strokeOpacity: 0.8,
        strokeWidth: 1.8,
      }),
      Plot.ruleX(measured.filter(({ low }) => low !== null), {
        ...at,
        y1: "low",
        y2: "high",
        stroke: colour,
        strokeOpacity: 0.55,
        clip: true,
      }),
      Plot.dot(measured, {
        ...at,
        y: "speedup",
        stroke: colour,
        strokeWidth: 1.4,
        fill: (dot: ContextPoint) => isBest(dot) ? colour(dot) : INK.ground,
        r: 3.4,
      }),
      Plot.text(panels.filter(({ precision }) => precision === first), {
        ...place,
        ...HALO,
        text: ({ acceptance }) => `α = ${acceptance}`,
        frameAnchor: "top-right",
        dx: -4,
        dy: 4,
        fill: INK.text,
        fontWeight: "bold",
      }),
      Plot.text(panels, {
        ...place,
        ...HALO,
        text: () => "hurts",
        frameAnchor: "bottom-left",
        dx: 4,
        dy: -3,
        fill: INK.quiet,
        stroke: INK.shade,
      }),
      Plot.text(endLabels(measured, predicted, domain), {
        ...place,
        x: across[1],
        y: "labelAt",
        text: (end: ContextPoint) => `K=${end.draftLength}`,
        textAnchor: "start",
        dx: 5,
        fill: colour,
        fontWeight: "bold",
      }),
    ],
  });
}

/** Whether two measurements differ in K alone. */
function isBeside(a: ContextPoint, b: ContextPoint): boolean {
  return panelOf(a) === panelOf(b) && octave(a.context) === octave(b.context);
}

function panelOf({ precision, acceptance }: ContextPoint): string {
  return `${precision} ${acceptance}`;
}

/** A name beside the end of each K: of its line, or of its dots if it has none. */
function endLabels(
  measured: readonly ContextPoint[],
  predicted: readonly ContextPoint[],
  [low, high]: readonly [number, number],
): (ContextPoint & { readonly labelAt: number })[] {
  const octaves = ROW * Math.log2(high / low) / (PANEL * (1 - GAP));
  const spots = [...measured, ...predicted];
  return [...Map.groupBy(spots, panelOf).values()].flatMap((panel) => {
    const ends = [...Map.groupBy(panel, ({ draftLength }) => draftLength).values()]
      .map((line) => line.at(-1)!);
    const labels = spread(ends.map(({ speedup }) => Math.log2(speedup)), octaves);
    return ends.map((end, i) => ({ ...end, labelAt: 2 ** labels[i]! }));
  });
}

function octavesIn([low, high]: readonly [number, number]): number[] {
  return Array.from({ length: 20 }, (_, i) => 2 ** i).filter((n) => low <= n && n <= high);
}
