/**
 * Figure: where the boundary lies on each machine, measured or projected.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Predicted } from "../analysis/boundary.ts";
import type { MachineBoundary } from "../analysis/machines.ts";
import { drawPlot, factorTicks, HEADING, margins } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, SERIES } from "./theme.ts";

/** Height of a row, in pixels. */
const ROW = 22;
const MARGIN = { top: 34, right: 86, bottom: 28, left: 300 } as const;

/** What rows do not say, and the size. */
export interface MachineFigureOptions {
  /** α at which S is given. */
  readonly alpha: number;
  /** n at which all is given. */
  readonly context: number;
  /** Target and draft, and how their weights are stored: "SmolLM2-135M in int4, drafts that cost nothing". */
  readonly models: string;
  /** Where the costs come from, measured and projected, with n. */
  readonly caption: readonly string[];
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/**
 * The acceptance at which speculation begins to pay, and S at one acceptance, machine by machine:
 * full marks and intervals for measured ones, hollow marks for projections, which stand apart.
 *
 * @param machines The machines.
 * @param options α, context, words; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If there are no machines.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const [breakEven, speedup] = [{ estimate: 0.3, low: 0.2, high: 0.4 }, { estimate: 1.5, low: 1, high: 2 }];
 * const machine = { basis: "measured", name: "a laptop", market: null, draftLength: 4 } as const;
 * const words = { alpha: 0.7, context: 1024, models: "a pair", caption: ["n = 1"] };
 * assertStringIncludes(machineComparison([{ ...machine, breakEven, speedup }], words), "a laptop");
 * ```
 */
export function machineComparison(
  machines: readonly MachineBoundary[],
  { alpha, context, models, caption, width = 880 }: MachineFigureOptions,
): string {
  if (machines.length === 0) {
    throw new RangeError(
      "Cannot compare machines as there are none: measure one, or project parts",
    );
  }
  return frameSvg(drawRows(machines, alpha, width), {
    title: "Where speculation pays, machine by machine",
    subtitle: [
      `${models}, at ${context} tokens of context, B = 1, each at its best draft length.`,
      "Full marks with 95 % intervals: measured. Hollow: projected from published figures. Orange: consumer parts, blue: data centres.",
    ],
    caption,
    width,
  });
}

/** One of two figures of a machine: each panel has its own axis, from 0 to 1 across. */
interface Panel {
  readonly name: string;
  readonly ticks: readonly number[];
  readonly tickFormat: (tick: number) => string;
  readonly valueOf: (machine: MachineBoundary) => Predicted;
  readonly across: (value: number) => number;
  /** Where plain decoding stands, if it is on the axis. */
  readonly unity?: number;
}

/** A machine's figure in its panel and row. */
interface Mark {
  readonly panel: Panel;
  readonly row: number;
  readonly machine: MachineBoundary;
  readonly value: Predicted;
}

function drawRows(machines: readonly MachineBoundary[], alpha: number, width: number): SvgElement {
  const groups = (["measured", "projected"] as const).map((basis) =>
    machines.filter((machine) => machine.basis === basis)
      .toSorted((a, b) => a.breakEven.estimate - b.breakEven.estimate)
  ).filter((group) => group.length > 0);
  const rows = groups.flatMap((group) => [group[0]!.basis, ...group]);
  const placed = rows.flatMap((machine, row) =>
    typeof machine === "string" ? [] : [{ machine, row }]
  );
  const panels = [breakEvenPanel(), speedupPanel(machines, alpha)];
  const marks = panels.flatMap((panel) =>
    placed.map(({ machine, row }): Mark => ({ panel, row, machine, value: panel.valueOf(machine) }))
  );
  const place = { fx: ({ panel }: Mark) => panel.name, y: "row" } as const;
  const onAxis = marks.filter(({ value }) => value.estimate < Infinity);
  const label = { fx: () => panels[0]!.name, y: "row", frameAnchor: "left" } as const;
  return drawPlot({
    width,
    height: MARGIN.top + MARGIN.bottom + ROW * rows.length,
    ...margins(MARGIN),
    fx: { domain: panels.map(({ name }) => name), padding: 0.2, axis: null },
    x: { domain: [0, 1], axis: null },
    y: { domain: [rows.length - 0.5, -0.5], axis: null },
    marks: [
      ...panels.flatMap(axisOf),
      Plot.text(panels, {
        fx: "name",
        text: "name",
        frameAnchor: "top-left",
        dy: -18,
        ...HEADING,
        fontSize: 12,
      }),
      Plot.text(rows.flatMap((row, i) => typeof row === "string" ? [{ name: row, row: i }] : []), {
        ...label,
        text: "name",
        textAnchor: "start",
        dx: 14 - MARGIN.left,
        ...HEADING,
        fontSize: 12,
      }),
      Plot.text(placed, {
        ...label,
        text: ({ machine }: Mark) => machine.name,
        textAnchor: "end",
        dx: -12,
      }),
      Plot.ruleY(onAxis.filter(({ machine }) => machine.basis === "measured"), {
        ...place,
        x1: ({ panel, value }: Mark) => panel.across(value.low),
        x2: ({ panel, value }: Mark) => panel.across(value.high),
        stroke: colour,
        strokeWidth: 1.6,
        clip: true,
      }),
      Plot.dot(onAxis, {
        ...place,
        x: ({ panel, value }: Mark) => panel.across(value.estimate),
        r: ({ machine }: Mark) => machine.basis === "measured" ? 5 : 4,
        fill: (mark: Mark) => mark.machine.basis === "measured" ? colour(mark) : INK.ground,
        stroke: colour,
        strokeWidth: 1.6,
      }),
      Plot.text(marks, {
        ...place,
        frameAnchor: "right",
        textAnchor: "start",
        dx: 8,
        text: wordOf,
        fill: colour,
      }),
    ],
  });
}

function breakEvenPanel(): Panel {
  return {
    name: "least acceptance α that pays",
    ticks: [0, 0.25, 0.5, 0.75, 1],
    tickFormat: String,
    valueOf: ({ breakEven }) => breakEven,
    across: (value) => Math.min(1, value),
  };
}

function speedupPanel(machines: readonly MachineBoundary[], alpha: number): Panel {
  const values = machines.map(({ speedup }) => speedup.estimate);
  const [low, high] = [Math.min(0.8, ...values) / 1.1, Math.max(1.5, ...values) * 1.15];
  return {
    name: `S at α = ${alpha} (log)`,
    unity: 1,
    ticks: factorTicks([low, high]),
    tickFormat: (tick) => `${tick}×`,
    valueOf: ({ speedup }) => speedup,
    across: (value) => Math.min(1, Math.max(0, Math.log(value / low) / Math.log(high / low))),
  };
}

function axisOf({ name, ticks, tickFormat, across, unity }: Panel): Plot.Markish[] {
  const place = { fx: () => name, x: across } as const;
  return [
    Plot.ruleX(ticks, { ...place, stroke: INK.rule }),
    Plot.ruleX(unity === undefined ? [] : [unity], {
      ...place,
      stroke: INK.text,
      strokeWidth: 1.2,
    }),
    Plot.text(ticks, { ...place, text: tickFormat, frameAnchor: "bottom", dy: 14 }),
  ];
}

/** Consumer hardware and that of data centres; black where nobody says. */
function colour({ machine: { market } }: Mark): string {
  return market === null ? INK.text : SERIES[market === "consumer" ? 1 : 0]!;
}

function wordOf({ panel, value, machine }: Mark): string {
  if (value.estimate === Infinity) return "never";
  const rounded = value.estimate.toFixed(2);
  return panel.unity === undefined ? rounded : `${rounded}×, K=${machine.draftLength}`;
}
