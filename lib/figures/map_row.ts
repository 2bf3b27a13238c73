/**
 * Maps of context and acceptance, side by side.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { type ContourPoint, type DraftPoint, isoline, type MapCell } from "../analysis/map.ts";
import { drawPlot, HEADING, spread, yLabel } from "./plot.ts";
import type { SvgElement } from "./render.ts";
import { HALO, INK } from "./theme.ts";

const MARGIN = { top: 34, right: 74, bottom: 40, left: 52 } as const;
/** Height of a row of panels, in pixels. */
const HEIGHT = 270;
/** Height of a row of labels. */
const ROW = 13;
/** S at which colours change. */
const LEVELS = [0.5, 0.7, 0.85, 1, 1.2, 1.5, 2, 3, 4, 6] as const;
/** Orange below 1, blue above (after ColorBrewer's PuOr and Blues). */
const COLOURS = [
  "#e08214",
  "#f0a54b",
  "#fbc884",
  "#fee6c8",
  "#eaf2fa",
  "#cfe1f2",
  "#a6cde4",
  "#72b2d7",
  "#4292c6",
  "#2070b4",
  "#0a4a90",
] as const;
/** The longest K of each region. */
const REGIONS = [2, 4, 8, 16] as const;

/** A map, and the draft that it is for. */
export interface MapPanel {
  /** The target's precision. */
  readonly precision: string;
  /** What drafts, in a few words. */
  readonly drafting: string;
  /** S at the best draft length. */
  readonly cells: readonly MapCell[];
  /** Where it is 1. */
  readonly contour: readonly ContourPoint[];
  /** Real drafts. */
  readonly points: readonly DraftPoint[];
}

/**
 * Draws maps of one draft in a row, one for each precision of the target.
 *
 * @param panels The maps, at least one, all of the same contexts.
 * @param options Width in pixels; whether the row is the figure's last, which has the axis.
 * @returns The row's SVG element.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { contour, speedupMap } from "@specbound/specbound";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const pair = { target: { pass: constant(20), host: constant(1) }, draft: null };
 * const at = { contexts: [64, 512], longest: 4 };
 * const cells = speedupMap(pair, at);
 * const panel = { precision: "int8", drafting: "free", cells, contour: contour(pair, at), points: [] };
 * assertStringIncludes(drawMaps([panel], { width: 300, last: true }).outerHTML, "int8, free");
 * ```
 */
export function drawMaps(
  panels: readonly MapPanel[],
  { width, last }: { readonly width: number; readonly last: boolean },
): SvgElement {
  const precisions = panels.map(({ precision }) => precision);
  const contexts = panels[0]!.contour.map(({ context }) => context);
  const across = [contexts[0]!, contexts.at(-1)!] as const;
  const panel = (name: string) => name;
  return drawPlot({
    width,
    height: HEIGHT + (last ? MARGIN.bottom : 12),
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: last ? MARGIN.bottom : 12,
    marginLeft: MARGIN.left,
    fx: { domain: precisions, padding: panels.length > 1 ? 0.22 : 0, axis: null },
    x: { type: "log", base: 2, domain: across, axis: null },
    y: { domain: [0, 1], axis: null },
    marks: [
      ...panels.flatMap(bandsOf),
      Plot.axisY([0, 0.2, 0.4, 0.6, 0.8, 1], { label: null, tickSize: 0, tickFormat: String }),
      ...last
        ? [
          Plot.axisX(octavesIn(across), {
            label: "context n, tokens (log)",
            labelAnchor: "center",
            labelArrow: "none",
            tickFormat: (tick: number) => tick >= 1024 ? `${tick / 1024}K` : String(tick),
          }),
        ]
        : [],
      Plot.text(precisions, {
        fx: panel,
        text: (name: string) => `${name}, ${panels[0]!.drafting}`,
        frameAnchor: "top-left",
        textAnchor: "start",
        dy: -14,
        ...HEADING,
        fontSize: 12,
      }),
      yLabel("α", { marginLeft: MARGIN.left, fx: precisions[0]!, dy: -14 }),
      ...panels.flatMap(linesOf),
      ...panels.flatMap(pointsOf),
    ],
  });
}

/** Colours between levels of S. */
function bandsOf({ precision, cells }: MapPanel): Plot.Markish[] {
  const lines = [-Infinity, ...LEVELS, Infinity].map((speedup) => isoline(cells, { speedup }));
  return COLOURS.flatMap((fill, band) => {
    const area = lines[band]!.map(({ context, alpha }, i) => {
      return { context, from: Math.min(1, alpha), to: Math.min(1, lines[band + 1]![i]!.alpha) };
    });
    if (area.every(({ from, to }) => from === to)) return [];
    return [Plot.areaY(area, { ...at(precision), y1: "from", y2: "to", fill })];
  });
}

/** The contour with its band, regions of the best K, and names of levels. */
function linesOf(panel: MapPanel): Plot.Markish[] {
  const { precision, cells, contour } = panel;
  const place = at(precision);
  const pays = isoline(cells, { speedup: 1 });
  const edges = REGIONS.slice(0, -1).map((longest) =>
    isoline(cells, { draftLength: longest + 1 })
      .filter(({ alpha }, i) => pays[i]!.alpha < alpha && alpha < 1)
  );
  const end = (alpha: number) => Math.min(1, alpha);
  return [
    ...edges.map((edge) =>
      Plot.line(edge, { ...place, y: "alpha", stroke: INK.text, strokeDasharray: "1.5 3" })
    ),
    Plot.areaY(contour, {
      ...place,
      y1: ({ alpha }: ContourPoint) => end(alpha.low),
      y2: ({ alpha }: ContourPoint) => end(alpha.high),
      fill: INK.text,
      fillOpacity: 0.16,
    }),
    Plot.line(pays.filter(({ alpha }) => alpha <= 1), {
      ...place,
      y: "alpha",
      stroke: INK.text,
      strokeWidth: 2,
    }),
    Plot.text(levelNames(cells, takenBy(panel)), {
      ...place,
      y: "alpha",
      text: ({ speedup }: LevelName) => `${speedup}×`,
      fontWeight: "bold",
      fill: INK.text,
      ...HALO,
    }),
    Plot.text(regionNames(cells), {
      ...place,
      y: "alpha",
      text: "name",
      textAnchor: "start",
      dx: 4,
      fill: INK.quiet,
    }),
  ];
}

/** How far a name stands from its dot, in α. */
const AWAY = 2 * ROW / HEIGHT;
/** A character's width, as a share of a panel's. */
const CHARACTER = 0.032;
/** Half a level's name and the space beside it. */
const ASIDE = 3 * CHARACTER;

interface LevelName {
  readonly context: number;
  readonly alpha: number;
  readonly speedup: number;
}

/** A stretch of a panel at one height: from 0 to 1 along, α up. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly alpha: number;
}

/** Each level that the map reaches, named as near to the middle as nothing else stands. */
function levelNames(cells: readonly MapCell[], taken: readonly Stretch[]): LevelName[] {
  return LEVELS.flatMap((speedup) => {
    const line = isoline(cells, { speedup }).map((point, i, { length }) => {
      const along = i / (length - 1);
      const isFree = taken.every(({ from, to, alpha }) =>
        Math.abs(alpha - point.alpha) > ROW / HEIGHT ||
        along < from - ASIDE || to + ASIDE < along
      );
      return { ...point, speedup, away: Math.abs(along - 0.5), isFree };
    }).filter(({ alpha }) => alpha > 0.03 && alpha < 0.98);
    const [nearest] = line.toSorted((a, b) => a.away - b.away);
    if (!nearest || nearest.away > 0.1) return []; // the map reaches the level at an edge alone
    const [free = nearest] = line.filter(({ isFree }) => isFree)
      .sort((a, b) => a.away - b.away);
    return [{ context: free.context, alpha: free.alpha, speedup }];
  });
}

/** What dots and their names take of a panel. */
function takenBy(panel: MapPanel): Stretch[] {
  const [shortest, longest] = spanOf(panel);
  const along = (context: number) => Math.log(context / shortest) / Math.log(longest / shortest);
  const dots = panel.points.map(({ context, alpha }): Stretch => {
    return { from: along(context), to: along(context), alpha };
  });
  const names = namesOf(panel).map(({ context, name, labelAt, textAnchor }): Stretch => {
    const [at, length] = [along(context), CHARACTER * name.length];
    return textAnchor === "end"
      ? { from: at - length, to: at, alpha: labelAt }
      : { from: at, to: at + length, alpha: labelAt };
  });
  return [...dots, ...names];
}

function spanOf({ contour }: MapPanel): [number, number] {
  return [contour[0]!.context, contour.at(-1)!.context];
}

/** The best K at the longest context, beside it. */
function regionNames(cells: readonly MapCell[]) {
  const context = Math.max(...cells.map((cell) => cell.context));
  const column = cells.filter((cell) => cell.context === context && cell.speedup >= 1);
  return REGIONS.flatMap((longest, i) => {
    const shortest = (REGIONS[i - 1] ?? 0) + 1;
    const inside = column.filter(({ draftLength }) =>
      shortest <= draftLength && draftLength <= longest
    );
    if (inside.length === 0) return [];
    const alpha = (inside[0]!.alpha + inside.at(-1)!.alpha) / 2;
    return [{ context, alpha, name: `K ${shortest}–${longest}` }];
  });
}

/** A draft's name, and where it stands. */
interface DraftName {
  readonly context: number;
  readonly labelAt: number;
  readonly name: string;
  readonly textAnchor: "start" | "end";
}

/**
 * Drafts by name: on the right; where that has no room, under or over the dots that lead there. The
 * heading names the draft of a row that has one alone.
 */
function namesOf(panel: MapPanel): DraftName[] {
  const ends = [...Map.groupBy(panel.points, ({ draft }) => draft).values()]
    .map((line) => line.reduce((a, b) => a.context > b.context ? a : b));
  if (ends.length === 1) return [];
  const places = spread(ends.map(({ alpha }) => alpha), ROW / HEIGHT);
  const [shortest, longest] = spanOf(panel);
  const late = shortest * (longest / shortest) ** 0.6;
  return ends.map(({ context, alpha, draft }, i): DraftName => {
    const name = shortName(draft);
    if (context <= late) return { context, name, labelAt: places[i]!, textAnchor: "start" };
    const aside = alpha > 0.5 ? -AWAY : AWAY;
    return { context, name, labelAt: places[i]! + aside, textAnchor: "end" };
  });
}

function pointsOf(panel: MapPanel): Plot.Markish[] {
  const { precision, points } = panel;
  const place = at(precision);
  const names = namesOf(panel);
  return [
    Plot.ruleX(points.filter(({ error }) => error !== null), {
      ...place,
      y1: ({ alpha, error }: DraftPoint) => Math.max(0, alpha - error!),
      y2: ({ alpha, error }: DraftPoint) => Math.min(1, alpha + error!),
      stroke: INK.text,
    }),
    Plot.dot(points, {
      ...place,
      y: "alpha",
      r: 3.6,
      fill: ({ error }: DraftPoint) => error === null ? INK.ground : INK.text,
      stroke: ({ error }: DraftPoint) => error === null ? INK.text : INK.ground,
    }),
    ...(["start", "end"] as const).map((textAnchor) =>
      Plot.text(names.filter((name) => name.textAnchor === textAnchor), {
        ...place,
        y: "labelAt",
        text: "name",
        textAnchor,
        dx: textAnchor === "start" ? 7 : 0,
        fill: INK.text,
        ...HALO,
      })
    ),
  ];
}

/** Everything in a panel stands at its context. */
function at(precision: string) {
  return { fx: () => precision, x: "context" } as const;
}

/**
 * A model's name without folder and ending.
 *
 * @param id A catalog id, or a path.
 * @returns What stands between.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(shortName("data/models/draft-2x64.gguf"), "draft-2x64");
 * ```
 */
export function shortName(id: string): string {
  return id.replace(/^.*\//, "").replace(/\.gguf\b/, "");
}

function octavesIn([low, high]: readonly [number, number]): number[] {
  return Array.from({ length: 20 }, (_, i) => 2 ** i).filter((n) => low <= n && n <= 1.01 * high);
}
