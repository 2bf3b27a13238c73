/**
 * What all plots have in common: no browser, the theme, labels that do not collide.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { createDocument, type SvgElement } from "./render.ts";
import { FONT, INK, SIZE } from "./theme.ts";

/** A panel's heading. */
export const HEADING = { fontWeight: "bold", fontSize: 13 } as const;

/**
 * Draws a plot in the theme. Axes are drawn by their marks, so that their words can be placed.
 *
 * @param options Plot's options; they win over the theme.
 * @returns The plot's SVG element.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(drawPlot({ width: 300 }).getAttribute("width"), "300");
 * ```
 */
export function drawPlot(options: Plot.PlotOptions): SvgElement {
  return Plot.plot({
    document: createDocument(),
    figure: false,
    style: { fontFamily: FONT, fontSize: `${SIZE.text}px`, color: INK.text, background: "none" },
    ...options,
  } as Plot.PlotOptions) as SvgElement;
}

/** Space around a plot's frame, in pixels. */
export interface Margins {
  /** Above it. */
  readonly top: number;
  /** To its right. */
  readonly right: number;
  /** Below it. */
  readonly bottom: number;
  /** To its left. */
  readonly left: number;
}

/**
 * Margins by Plot's names.
 *
 * @param space The space around the frame.
 * @returns Options of a plot.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(margins({ top: 1, right: 2, bottom: 3, left: 4 }).marginLeft, 4);
 * ```
 */
export function margins({ top, right, bottom, left }: Margins) {
  return { marginTop: top, marginRight: right, marginBottom: bottom, marginLeft: left };
}

/**
 * Places for labels: as near to their values as rows of text allow.
 *
 * @param values Where the labels belong, in pixels or any unit.
 * @param row Height of a row of text in that unit.
 * @returns A place for each value, in the values' order; none are nearer than a row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(spread([5, 0, 5], 2), [4, 0, 6]);
 * ```
 */
export function spread(values: readonly number[], row: number): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  // Each group of touching labels is centred on the mean of its values.
  const groups: { values: number[]; centre: number }[] = [];
  for (const i of order) {
    let group = { values: [values[i]!], centre: values[i]! };
    for (let last = groups.at(-1); last && touch(last, group, row); last = groups.at(-1)) {
      groups.pop();
      const joined = [...last.values, ...group.values];
      group = { values: joined, centre: joined.reduce((sum, v) => sum + v, 0) / joined.length };
    }
    groups.push(group);
  }
  const sorted = groups.flatMap(({ values, centre }) =>
    values.map((_, i) => centre + (i - (values.length - 1) / 2) * row)
  );
  const places: number[] = Array(values.length);
  for (const [rank, i] of order.entries()) places[i] = sorted[rank]!;
  return places;
}

interface LabelGroup {
  readonly values: readonly number[];
  readonly centre: number;
}

function touch(below: LabelGroup, above: LabelGroup, row: number): boolean {
  return above.centre - below.centre < (above.values.length + below.values.length) / 2 * row;
}

const TICKS = [0.125, 0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 3, 4, 6, 8, 12, 16, 24, 32];

/**
 * Round ticks for a scale of factors.
 *
 * @param domain From, to.
 * @returns Those within the domain, from an eighth to 32.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(factorTicks([0.6, 2.2]), [0.7, 1, 1.4, 2]);
 * ```
 */
export function factorTicks([low, high]: readonly [number, number]): number[] {
  return TICKS.filter((tick) => low <= tick && tick <= high);
}

/**
 * A short label over a vertical axis, flush with the figure's words.
 *
 * @param text What the axis shows.
 * @param options The plot's left margin, and how far above the panel.
 * @returns A mark for the first panel.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(yLabel("speed-up S", { marginLeft: 50 }));
 * ```
 */
export function yLabel(
  text: string,
  { marginLeft, dy = -18, fx }: {
    readonly marginLeft: number;
    readonly dy?: number;
    readonly fx?: string;
  },
): Plot.Markish {
  return Plot.text([text], {
    text: (label: string) => label,
    ...(fx === undefined ? {} : { fx: [fx] }),
    frameAnchor: "top-left",
    dx: 14 - marginLeft,
    dy,
    fill: INK.text,
  });
}
