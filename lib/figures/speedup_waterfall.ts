/**
 * Figure: where the speed-up goes, from the ideal down to what was measured.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Interval } from "../analysis/statistics.ts";
import { draftName } from "../analysis/table.ts";
import { type Waterfall, waterfalls, type WaterfallStep } from "../analysis/waterfall.ts";
import type { Records } from "../study/records.ts";
import { captionOf } from "./caption.ts";
import { drawPlot, HEADING, margins } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, SERIES } from "./theme.ts";

const MARGIN = { top: 52, right: 16, bottom: 40, left: 152 } as const;
/** Height of a row, in pixels. */
const ROW = 31;
const [GAIN, LOSS] = SERIES;

/** What each factor says, for readers who do not know the module. */
const ROWS: Readonly<Record<WaterfallStep["name"], string>> = {
  "short drafts": "fewer than K drafted",
  "rejections": "drafted, rejected",
  "last rounds": "last rounds",
  "verification": "verification, v > 1",
  "host": "host",
  "drafting": "drafting",
  "unaccounted": "unaccounted time",
};

/**
 * The measured speed-up of each real drafter's cell, taken apart: a panel a cell, a bar a factor.
 *
 * @param records Rows of whole pairs from one machine.
 * @param options Width in pixels, default 880.
 * @returns The text of an SVG file.
 * @throws {RangeError} If no pair of a real drafter counts, or cells differ in more than precision,
 *   drafter and K.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(speedupWaterfall({ runs, rounds }), "verification");
 * ```
 */
export function speedupWaterfall(
  { runs, rounds }: Records,
  { width = 880 }: { readonly width?: number } = {},
): string {
  const real = new Set(
    runs.filter(({ draft }) => draft !== "none" && draft !== "replay").map(({ pair }) => pair),
  );
  const shown = runs.filter(({ pair }) => real.has(pair));
  const cells = waterfalls({ runs: shown, rounds });
  if (cells.length === 0) {
    throw new RangeError("Cannot take speed-ups apart as no pair of a real drafter counts");
  }
  if (new Set(cells.map(nameOf)).size < cells.length) {
    throw new RangeError(
      "Cannot take speed-ups apart as cells differ in more than precision, drafter and K: select rows",
    );
  }
  return frameSvg(drawPanels(cells, width), {
    title: "Where the speed-up goes",
    subtitle: [
      "From K + 1 tokens for the time of one pass down to the measured S: each bar is a factor, all of them multiply to S.",
      "Thin lines: 95 % intervals over prompts. Grey ground: slower than plain decoding.",
    ],
    caption: captionOf(shown),
    width,
  });
}

/** A step, its panel and its row. */
interface Bar extends WaterfallStep {
  readonly panel: string;
  readonly row: number;
}

/** The ideal or the measured speed-up. */
interface End extends Pick<Interval, "low" | "high"> {
  readonly panel: string;
  readonly row: number;
  readonly value: number;
}

function drawPanels(cells: readonly Waterfall[], width: number): SvgElement {
  const panels = cells.map(nameOf);
  const names = ["ideal: K + 1", ...Object.values(ROWS), "measured S"];
  const bars = cells.flatMap(({ steps }, i): Bar[] =>
    steps.map((step, before) => ({ ...step, panel: panels[i]!, row: before + 1 }))
  );
  const ends = cells.flatMap(({ ideal, speedup }, i): End[] => [
    { panel: panels[i]!, row: 0, value: ideal, low: null, high: null },
    { panel: panels[i]!, row: names.length - 1, value: speedup.estimate, ...speedup },
  ]);
  const values = bars.flatMap(({ from, to }) => [from, to]);
  const domain = [Math.min(0.8, ...values) / 1.3, Math.max(2, ...values) * 1.2] as const;
  const ticks = OCTAVES.filter((tick) => domain[0] <= tick && tick <= domain[1]);
  const panel = (name: string) => name;
  const region = { fx: panel, frameAnchor: "top", dy: -7, fill: INK.quiet } as const;
  return drawPlot({
    width,
    height: MARGIN.top + MARGIN.bottom + ROW * names.length,
    ...margins(MARGIN),
    fx: { domain: panels, padding: panels.length > 1 ? 0.08 : 0, axis: null },
    x: { type: "log", base: 2, domain, axis: null },
    y: { domain: [names.length - 0.5, -0.5], axis: null },
    marks: [
      Plot.rect(panels, { fx: panel, x1: domain[0], x2: 1, fill: INK.shade }),
      Plot.gridX(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.ruleX([1], { stroke: INK.text, strokeWidth: 1.2 }),
      Plot.axisX(ticks, {
        label: "speed-up S (log)",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: (tick: number) => `${tick}×`,
      }),
      Plot.text(names, {
        fx: () => panels[0],
        y: (_: string, row: number) => row,
        text: panel,
        frameAnchor: "left",
        textAnchor: "end",
        dx: -10,
      }),
      Plot.text(cells, {
        fx: nameOf,
        text: ({ precision }: Waterfall) => precision,
        frameAnchor: "top",
        dy: -40,
        ...HEADING,
      }),
      Plot.text(cells, {
        fx: nameOf,
        text: (cell: Waterfall) => `${draftName(cell)}, K=${cell.draftLength}`,
        frameAnchor: "top",
        dy: -25,
      }),
      Plot.text(panels, { ...region, x: 1, text: () => "hurts", textAnchor: "end", dx: -5 }),
      Plot.text(panels, { ...region, x: 1, text: () => "helps", textAnchor: "start", dx: 5 }),
      Plot.ruleX([...bars, ...ends.filter(({ row }) => row === 0)], {
        fx: "panel",
        x: (mark: Bar | End) => "to" in mark ? mark.to : mark.value,
        y1: "row",
        y2: ({ row }: Bar | End) => row + 1,
        stroke: INK.quiet,
        strokeWidth: 0.8,
      }),
      Plot.rect(bars, {
        fx: "panel",
        x1: "from",
        x2: "to",
        y1: ({ row }: Bar) => row - HALF,
        y2: ({ row }: Bar) => row + HALF,
        fill: ({ from, to }: Bar) => to > from ? GAIN : LOSS,
      }),
      Plot.ruleY([...bars, ...ends].filter((mark) => intervalOf(mark) !== null), {
        fx: "panel",
        y: "row",
        x1: (mark: Bar | End) => intervalOf(mark)![0],
        x2: (mark: Bar | End) => intervalOf(mark)![1],
        stroke: INK.text,
        clip: true,
      }),
      Plot.link(ends, {
        fx: "panel",
        x: "value",
        y1: ({ row }: End) => row - HALF,
        y2: ({ row }: End) => row + HALF,
        stroke: INK.text,
        strokeWidth: 3.5,
      }),
      ...[bars, ends].flatMap((marks: readonly (Bar | End)[]) =>
        // Words stand on the side that has room.
        (["start", "end"] as const).map((textAnchor) =>
          Plot.text(marks.filter((mark) => sideOf(mark, domain) === textAnchor), {
            fx: "panel",
            x: (mark: Bar | End) => edgeOf(mark, textAnchor),
            y: "row",
            text: wordOf,
            textAnchor,
            dx: textAnchor === "start" ? 6 : -6,
            fill: INK.text,
            fontWeight: marks === ends ? "bold" : "normal",
          })
        )
      ),
    ],
  });
}

const OCTAVES = [0.25, 0.5, 1, 2, 4, 8, 16];
/** Half a bar's height, in rows. */
const HALF = 0.27;

function wordOf(mark: Bar | End): string {
  return "value" in mark
    ? `${Number(mark.value.toFixed(2))}×`
    : `×${mark.factor.estimate.toFixed(2)}`;
}

/** The side on which a mark leaves more room in its panel. */
function sideOf(mark: Bar | End, [low, high]: readonly [number, number]): "start" | "end" {
  return high / edgeOf(mark, "start") > edgeOf(mark, "end") / low ? "start" : "end";
}

/** Where a mark ends on one side, its interval included. */
function edgeOf(mark: Bar | End, side: "start" | "end"): number {
  const body = "value" in mark ? [mark.value] : [mark.from, mark.to];
  const places = [...body, ...intervalOf(mark) ?? []];
  return side === "start" ? Math.max(...places) : Math.min(...places);
}

/** The interval of a factor lies about where its bar ends. */
function intervalOf(mark: Bar | End): [low: number, high: number] | null {
  const [scale, { low, high }] = "value" in mark ? [1, mark] : [mark.from, mark.factor];
  return low === null || high === null ? null : [scale * low, scale * high];
}

function nameOf(cell: Waterfall): string {
  return `${cell.precision}, ${draftName(cell)}, K=${cell.draftLength}`;
}
