/**
 * Figure: what it costs to check several tokens in one pass.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import * as d3 from "d3-array";
import type { PassTime } from "../analysis/located_rounds.ts";
import { median } from "../analysis/statistics.ts";
import { drawPlot, HEADING, margins, spread, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, PRECISIONS } from "./theme.ts";

const HEIGHT = 380;
const MARGIN = { top: 40, right: 78, bottom: 40, left: 52 } as const;
const INNER = HEIGHT - MARGIN.top - MARGIN.bottom;
/** A shape that was timed less often says little. */
const LEAST = 20;
/** Contexts that get a panel each; more are drawn as one. */
const MOST_PANELS = 4;
/** Height of a row of labels, in pixels. */
const ROW = 14;
// d3-array ships no types.
const quantile: (values: Iterable<number>, p: number) => number | undefined = d3.quantile;

/** Words that plain pass times cannot give, and the size. */
export interface PassFigureOptions {
  /** Where the times come from: the machine, n. */
  readonly caption: readonly string[];
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/** v of one width, with the middle half of its passes. */
interface Cost {
  readonly panel: string;
  readonly precision: string;
  readonly width: number;
  readonly v: number;
  readonly low: number;
  readonly high: number;
}

/**
 * v(w) = T_p(w) / T_p(1) against w, a line for each precision, medians with the middle
 * half of the passes; a panel for each context, or one for all if there are more than four. Beside it the two ends between which it must lie: checking for free
 * (v = 1) and one by one (v = w).
 *
 * @param passes The passes' times. Shapes with fewer than 20 are left out.
 * @param options Caption; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If no precision was timed at widths 1 and more at the same context.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const passes = [1, 5].flatMap((width) =>
 *   Array.from({ length: 20 }, () => ({ precision: "int8", width, context: 64, ms: 8 + width }))
 * );
 * assertStringIncludes(verificationCost(passes, { caption: ["A machine."] }), "1.4× int8");
 * ```
 */
export function verificationCost(
  passes: readonly PassTime[],
  { caption, width = 880 }: PassFigureOptions,
): string {
  const costs = costsOf(passes);
  if (costs.length === 0) {
    throw new RangeError(
      "Cannot draw verification costs as no precision was timed at width 1 and another: time both",
    );
  }
  return frameSvg(drawPanels(costs, width), {
    title: "Checking several tokens in one pass is not free",
    subtitle: [
      "Time of a target pass over w new tokens, in passes over one. Dots: medians; bars: the middle half.",
      "A round that drafts K tokens pays v(K + 1), whatever is accepted.",
    ],
    caption,
    width,
  });
}

/** v by panel, precision and width. */
function costsOf(passes: readonly PassTime[]): Cost[] {
  return [...Map.groupBy(passes, panelOf(passes))].sort(([, a], [, b]) =>
    a[0]!.context - b[0]!.context
  )
    .flatMap(([panel, inPanel]) =>
      [...Map.groupBy(inPanel, ({ precision }) => precision)].flatMap(([precision, times]) => {
        const widths = Map.groupBy(times, ({ width }) => width);
        const plain = widths.get(1);
        if (!plain || widths.size === 1) return [];
        const unit = median(plain.map(({ ms }) => ms));
        return [...widths].filter(([, timed]) => timed.length >= LEAST)
          .sort(([a], [b]) => a - b).map(([width, timed]) => {
            const ratios = timed.map(({ ms }) => ms / unit);
            const [low, high] = [quantile(ratios, 0.25)!, quantile(ratios, 0.75)!];
            return { panel, precision, width, v: median(ratios), low, high };
          });
      })
    );
}

function panelOf(passes: readonly PassTime[]): (pass: PassTime) => string {
  const contexts = [...new Set(passes.map(({ context }) => context))].sort((a, b) => a - b);
  if (contexts.length <= MOST_PANELS) return ({ context }) => `context ${context}`;
  return () => `contexts of ${contexts[0]} to ${contexts.at(-1)} tokens`;
}

function drawPanels(costs: readonly Cost[], width: number): SvgElement {
  const panels = [...new Set(costs.map(({ panel }) => panel))];
  const widths = [...new Set(costs.map((cost) => cost.width))].sort((a, b) => a - b);
  const top = Math.max(1.5, ...costs.map(({ v, high }) => Math.max(v, high)));
  const domain = [0.8, 1.08 * top] as const;
  const colour = ({ precision }: Cost) => PRECISIONS[precision] ?? INK.text;
  const at = { fx: "panel", x: "width" } as const;
  const ends = endsOf(costs, ROW / INNER * (domain[1] - domain[0]));
  const last = Math.max(...widths);
  const crossing = domain[1] * 0.94;
  return drawPlot({
    width,
    height: HEIGHT,
    ...margins(MARGIN),
    fx: { domain: panels, padding: panels.length > 1 ? 0.17 : 0, axis: null },
    x: { domain: [1, last], axis: null, insetLeft: 14, insetRight: 8 },
    y: { domain, axis: null },
    marks: [
      Plot.gridY({ stroke: INK.rule, strokeOpacity: 1, ticks: 5 }),
      Plot.axisY({ label: null, tickSize: 0, ticks: 5, tickFormat: (v: number) => `${v}×` }),
      Plot.axisX(widths, {
        label: "w, new tokens in the pass",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: String,
      }),
      Plot.text(panels, { fx: String, text: String, frameAnchor: "top", dy: -18, ...HEADING }),
      yLabel("cost v(w)", { marginLeft: MARGIN.left, fx: panels[0]! }),
      ...panels.flatMap((panel) => [
        Plot.line([[1, 1], [crossing, crossing]], { fx: [panel, panel], ...BOUND }),
        Plot.line([[1, 1], [last, 1]], { fx: [panel, panel], ...BOUND }),
      ]),
      Plot.text([[crossing, crossing]], { fx: [panels[0]], text: ["one by one: v = w"], ...NOTE }),
      Plot.text([[last, 1]], {
        fx: [panels[0]],
        text: ["free: v = 1"],
        ...NOTE,
        textAnchor: "end",
        dx: 0,
        dy: 10,
      }),
      Plot.ruleX(costs, { ...at, y1: "low", y2: "high", stroke: colour, strokeOpacity: 0.5 }),
      Plot.line(costs, { ...at, y: "v", z: "precision", stroke: colour, strokeWidth: 1.8 }),
      Plot.dot(costs, { ...at, y: "v", fill: colour, r: 3.6 }),
      Plot.text(ends, {
        ...at,
        y: "labelAt",
        // Colours carry the names through panels that have no room for them.
        text: (end: Cost) =>
          `${end.v.toFixed(1)}×${end.panel === panels.at(-1) ? ` ${end.precision}` : ""}`,
        textAnchor: "start",
        dx: 9,
        fill: colour,
        fontWeight: "bold",
      }),
    ],
  });
}

const BOUND = { stroke: INK.quiet, strokeDasharray: "4 3", strokeWidth: 1 } as const;
const NOTE = {
  textAnchor: "start",
  dx: 8,
  fill: INK.quiet,
  stroke: INK.ground,
  strokeWidth: 4,
} as const;

/** The last point of each line, its label moved off the others. */
function endsOf(costs: readonly Cost[], row: number): (Cost & { readonly labelAt: number })[] {
  return [...Map.groupBy(costs, ({ panel }) => panel).values()].flatMap((inPanel) => {
    const ends = [...Map.groupBy(inPanel, ({ precision }) => precision).values()]
      .map((line) => line.at(-1)!);
    const places = spread(ends.map(({ v }) => v), row);
    return ends.map((end, i) => ({ ...end, labelAt: places[i]! }));
  });
}
