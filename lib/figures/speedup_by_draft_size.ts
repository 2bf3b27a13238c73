/**
 * Figure: what the size of a draft does to speed-up, acceptance and cost.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { Z } from "../study/interval.ts";
import type { DraftKind, DraftSize } from "../analysis/draft_sizes.ts";
import { RECOMMENDED_SIZES } from "../analysis/size_findings.ts";
import { axisOf, type Placed, placeDrafts, type SizeAxis } from "./draft_size_axis.ts";
import { drawPlot, factorTicks, HEADING, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, SERIES } from "./theme.ts";

const MARGIN = { right: 14, left: 52 } as const;
/** Space between panels, as a share of one. */
const PADDING = 0.08;
/** Height of the strip that names drafts over the panels. */
const NAMES = 96;
const COLOURS: Readonly<Record<DraftKind, string>> = {
  trained: SERIES[0],
  own: SERIES[1],
  table: SERIES[2],
};

/** Words that drafts alone cannot give, and the size. */
export interface DraftSizeFigureOptions {
  /** Where the rows come from: the machine, n. */
  readonly caption: readonly string[];
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/**
 * S at the best K, α and c against the parameters of a draft as a share of its target's: three rows
 * under each other, a panel for each precision of the target. Drafts without parameters stand apart at
 * the left; the band of sizes that is often recommended is shaded.
 *
 * @param sizes The drafts.
 * @param options Caption; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If there are none.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => speedupByDraftSize([], { caption: [] }), RangeError, "no draft");
 * ```
 */
export function speedupByDraftSize(
  sizes: readonly DraftSize[],
  { caption, width = 880 }: DraftSizeFigureOptions,
): string {
  if (sizes.length === 0) {
    throw new RangeError(
      "Cannot draw drafts by size as no draft has both costs and traces: run deno task sweep costs and behaviour",
    );
  }
  const precisions = [...new Set(sizes.map(({ precision }) => precision))];
  const axis = axisOf(sizes);
  const panel = (width - MARGIN.left - MARGIN.right) /
    (precisions.length + paddingOf(precisions) * (precisions.length - 1));
  const placed = precisions.flatMap((precision) =>
    placeDrafts(sizes.filter((size) => size.precision === precision), axis, panel)
  );
  const row = { width, precisions, axis, placed };
  return frameSvg([drawNames(row), drawSpeedups(row), drawAcceptances(row), drawCosts(row)], {
    title: "What the size of a draft does",
    subtitle: [
      "Rings: S predicted from traces and costs at the best K, which stands in the ring; ◆ measured, at its best K of those run.",
      "Bars: 95 % intervals. Blue: trained for this target; orange: the target's own weights; green: tables of n-grams, without",
      "parameters. Shaded: 1/20 to 1/10 of the target.",
    ],
    caption,
    width,
  });
}

/** A lone panel is not set in. */
function paddingOf(precisions: readonly string[]): number {
  return precisions.length > 1 ? PADDING : 0;
}

/** What all rows share. */
interface Row {
  readonly width: number;
  readonly precisions: readonly string[];
  readonly axis: SizeAxis;
  readonly placed: readonly Placed[];
}

const colour = ({ kind }: Placed): string => COLOURS[kind];
const AT = { fx: "precision", x: "x" } as const;

/** A row of panels: the band, a rule for each draft, the marks. */
function drawRow(
  { width, precisions, axis, placed }: Row,
  { height, y, marks, foot = false }: {
    readonly height: number;
    readonly y: Plot.ScaleOptions;
    readonly marks: readonly Plot.Markish[];
    readonly foot?: boolean;
  },
): SvgElement {
  const [x1, x2] = RECOMMENDED_SIZES;
  const ticks = [0.01, 0.1, 1].filter((tick) =>
    (axis.edge ?? axis.domain[0]) < tick && tick <= axis.domain[1]
  );
  return drawPlot({
    width,
    height,
    marginTop: 28,
    marginRight: MARGIN.right,
    marginBottom: foot ? 40 : 6,
    marginLeft: MARGIN.left,
    fx: { domain: precisions, padding: paddingOf(precisions), axis: null },
    x: { type: "log", domain: axis.domain, axis: null },
    y: { axis: null, ...y },
    marks: [
      Plot.rect(precisions, { fx: String, x1, x2, fill: INK.shade }),
      Plot.ruleX(placed, { ...AT, stroke: INK.rule, strokeOpacity: 0.7 }),
      ...marks,
      ...(axis.edge === null
        ? []
        : [Plot.ruleX([axis.edge], { stroke: INK.quiet, strokeDasharray: "3 3" })]),
      ...(foot ? footOf(ticks, axis) : []),
    ],
  });
}

/** Plot's own axis leaves out labels of ticks that are no powers of ten. */
function footOf(ticks: readonly number[], axis: SizeAxis): Plot.Markish[] {
  const none = axis.edge === null ? [] : [Math.sqrt(axis.domain[0] * axis.edge)];
  return [
    Plot.text([...none, ...ticks], {
      x: (tick: number) => tick,
      text: (tick: number) => tick === none[0] ? "0" : tick === 1 ? "1" : `1/${1 / tick}`,
      frameAnchor: "bottom",
      dy: 14,
    }),
    Plot.axisX([], {
      label: "parameters, as a share of the target's (log)",
      labelAnchor: "center",
      labelArrow: "none",
    }),
  ];
}

function drawNames({ width, precisions, axis, placed }: Row): SvgElement {
  return drawPlot({
    width,
    height: NAMES,
    marginTop: 24,
    marginRight: MARGIN.right,
    marginBottom: 0,
    marginLeft: MARGIN.left,
    fx: { domain: precisions, padding: paddingOf(precisions), axis: null },
    x: { type: "log", domain: axis.domain, axis: null },
    y: { domain: [0, 1], axis: null },
    marks: [
      Plot.text(precisions, {
        fx: String,
        text: (name: string) => `${name} target`,
        frameAnchor: "top",
        dy: -18,
        ...HEADING,
      }),
      Plot.link(placed, { fx: "precision", x1: "x", x2: "nameAt", y1: 0, y2: 0.08, ...LEAD }),
      Plot.text(placed, {
        fx: "precision",
        x: "nameAt",
        y: 0.12,
        text: "name",
        rotate: -90,
        textAnchor: "start",
        fill: colour,
      }),
    ],
  });
}

const LEAD = { stroke: INK.quiet, strokeWidth: 0.8 } as const;

function drawSpeedups(row: Row): SvgElement {
  const { placed, precisions } = row;
  const shown = placed.filter((size) => size.shown !== null);
  const ends = placed.flatMap(({ best, shown }) =>
    [best.predicted, shown?.measured].flatMap((s) =>
      s ? [s.low ?? s.estimate, s.high ?? s.estimate] : []
    )
  );
  const domain = [Math.min(0.8, ...ends) / 1.1, Math.max(1.25, ...ends) * 1.1] as const;
  const ticks = factorTicks(domain);
  const predicted = ({ best }: Placed) => best.predicted.estimate;
  return drawRow(row, {
    height: 250,
    y: { type: "log", domain },
    marks: [
      Plot.gridY(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY(ticks, { label: null, tickSize: 0, tickFormat: (tick: number) => `${tick}×` }),
      yLabel("speed-up S (log)", { marginLeft: MARGIN.left, dy: -16, fx: precisions[0]! }),
      Plot.ruleY([1], { stroke: INK.text, strokeWidth: 1.2 }),
      Plot.ruleX(placed.filter(({ best }) => best.predicted.low !== null), {
        ...AT,
        y1: ({ best }: Placed) => best.predicted.low,
        y2: ({ best }: Placed) => best.predicted.high,
        stroke: colour,
        strokeOpacity: 0.5,
      }),
      Plot.dot(placed, {
        ...AT,
        y: predicted,
        r: 8,
        fill: INK.ground,
        stroke: colour,
        strokeWidth: 1.6,
      }),
      Plot.text(placed, {
        ...AT,
        y: predicted,
        text: ({ best }: Placed) => String(best.draftLength),
        fill: colour,
        fontWeight: "bold",
      }),
      Plot.ruleX(shown.filter(({ shown }) => shown!.measured!.low !== null), {
        ...AT,
        y1: ({ shown }: Placed) => shown!.measured!.low,
        y2: ({ shown }: Placed) => shown!.measured!.high,
        stroke: colour,
        dx: 9,
        strokeWidth: 2,
      }),
      Plot.dot(shown, {
        ...AT,
        y: ({ shown }: Placed) => shown!.measured!.estimate,
        dx: 9,
        r: 4.6,
        symbol: "diamond",
        fill: colour,
      }),
    ],
  });
}

function drawAcceptances(row: Row): SvgElement {
  const tested = row.placed.filter(({ alpha }) => alpha !== null);
  const reach = (sign: number) => ({ alpha }: Placed) =>
    Math.min(1, Math.max(0, alpha!.alpha + sign * Z * alpha!.error!));
  return drawRow(row, {
    height: 140,
    y: { domain: [0, 1] },
    marks: [
      Plot.gridY([0, 0.5, 1], { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY([0, 0.5, 1], { label: null, tickSize: 0, tickFormat: String }),
      yLabel("acceptance α", { marginLeft: MARGIN.left, dy: -16, fx: row.precisions[0]! }),
      Plot.ruleX(tested.filter(({ alpha }) => alpha!.error !== null), {
        ...AT,
        y1: reach(-1),
        y2: reach(1),
        stroke: colour,
        strokeOpacity: 0.5,
      }),
      Plot.dot(tested, { ...AT, y: ({ alpha }: Placed) => alpha!.alpha, r: 4, fill: colour }),
    ],
  });
}

function drawCosts(row: Row): SvgElement {
  const most = Math.max(0.12, ...row.placed.map(({ c }) => c.high));
  const ticks = [0, 0.02, 0.1, 0.25, 0.5, 1, 2].filter((tick) => tick <= most * 1.05);
  return drawRow(row, {
    height: 180,
    foot: true,
    // Roots show nothing and the small ones together.
    y: { type: "sqrt", domain: [0, most * 1.05] },
    marks: [
      Plot.gridY(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY(ticks, { label: null, tickSize: 0, tickFormat: String }),
      yLabel("cost c (root)", { marginLeft: MARGIN.left, dy: -16, fx: row.precisions[0]! }),
      Plot.ruleX(row.placed, {
        ...AT,
        y1: ({ c }: Placed) => c.low,
        y2: ({ c }: Placed) => c.high,
        stroke: colour,
        strokeOpacity: 0.5,
      }),
      Plot.dot(row.placed, { ...AT, y: ({ c }: Placed) => c.estimate, r: 4, fill: colour }),
    ],
  });
}
