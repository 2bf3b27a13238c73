/**
 * Figure: what the length of the context does to the speed-up.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { type ContextPoint, predictByContext } from "../analysis/context_curves.ts";
import { joinPairs, pairCounts, pairSpeedup } from "../analysis/pairs.ts";
import { bootstrapRatio, type Interval } from "../analysis/statistics.ts";
import type { Records } from "../study/records.ts";
import { captionOf } from "./caption.ts";
import { drawPlot, factorTicks, HEADING, margins, spread, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, SERIES } from "./theme.ts";

const HEIGHT = 360;
const MARGIN = { top: 40, right: 44, bottom: 40, left: 52 } as const;
const INNER = HEIGHT - MARGIN.top - MARGIN.bottom;
/** Height of a row of labels, in pixels. */
const ROW = 14;

/** What is held fast, and the size. */
export interface ContextFigureOptions {
  /** The acceptance of the replays that are shown. Default 0.7. */
  readonly acceptance?: number;
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

interface Place {
  readonly precision: string;
  readonly draftLength: number;
  readonly context: number;
}

interface Spot extends Place {
  readonly speedup: number;
}

interface Measured extends Place, Interval {}

/**
 * Measured S against the context at which decoding starts, at one set acceptance, a panel for each
 * precision and a colour for each K; beside it what the rounds timed at each context predict.
 *
 * @param records Rows of whole pairs from one machine.
 * @param options The acceptance; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If no replay at that acceptance counts.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(speedupByContext({ runs, rounds }, { acceptance: 0.9 }), "α set to 0.9");
 * ```
 */
export function speedupByContext(
  records: Records,
  { acceptance = 0.7, width = 880 }: ContextFigureOptions = {},
): string {
  const measured = measure(records, acceptance);
  if (measured.length === 0) {
    throw new RangeError(
      `Cannot draw speed-ups by context as no replay with an acceptance of ${acceptance} counts: choose one of the sweep's`,
    );
  }
  const shown = new Set(
    records.runs.filter((run) => run.acceptance === acceptance).map(({ pair }) => pair),
  );
  return frameSvg(drawPanels(measured, predictByContext(records, { acceptance }), width), {
    title: `What context does to the speed-up, α set to ${acceptance}`,
    subtitle: [
      "Dots: measured, drafts of K tokens that cost nothing; each is a prompt, or several with their 95 % interval.",
      "Lines: predicted for that α from the times of all rounds around a context, octave by octave; bands: 95 %.",
    ],
    caption: captionOf(records.runs.filter(({ pair }) => shown.has(pair))),
    width,
  });
}

/** S of the replays, pooled over prompts of the same length. */
function measure(records: Records, acceptance: number): Measured[] {
  const pairs = joinPairs(records).filter((pair) =>
    pair.speculative.acceptance === acceptance && pairCounts(pair)
  );
  const groups = Map.groupBy(
    pairs,
    ({ speculative: { precision, draftLength, context } }) =>
      [precision, draftLength, context].join(),
  );
  return [...groups.values()].map((group) => {
    const { precision, draftLength, context } = group[0]!.speculative;
    const ratios = group.map((pair) => {
      const { prompt, process } = pair.speculative;
      return { ratio: pairSpeedup(pair)!, prompt, process };
    });
    return { precision, draftLength, context, ...bootstrapRatio(ratios, { seed: 1 }) };
  });
}

function drawPanels(
  measured: readonly Measured[],
  predicted: readonly ContextPoint[],
  width: number,
): SvgElement {
  const precisions = [...new Set(measured.map(({ precision }) => precision))];
  const lengths = [...new Set(measured.map(({ draftLength }) => draftLength))]
    .sort((a, b) => a - b);
  const contexts = [...measured, ...predicted].map(({ context }) => context);
  const across = [Math.min(...contexts) / 1.1, Math.max(...contexts) * 1.1] as const;
  const values = [...measured.map(({ estimate }) => estimate), ...predicted.map((p) => p.speedup)];
  const domain = [Math.min(0.8, ...values) / 1.1, Math.max(1.5, ...values) * 1.1] as const;
  const colour = ({ draftLength }: Place) => SERIES[lengths.indexOf(draftLength)] ?? INK.text;
  const lines = predicted.filter((point) => predicted.some((other) => onOneLine(point, other)));
  const dots = measured.map((dot) => ({ ...dot, speedup: dot.estimate }))
    .sort((a, b) => a.context - b.context);
  const at = { fx: "precision", x: "context" } as const;
  const panel = (name: string) => name;
  const region = { fx: panel, x: across[0], y: 1, dx: 4, ...REGION };
  return drawPlot({
    width,
    height: HEIGHT,
    ...margins(MARGIN),
    fx: { domain: precisions, padding: precisions.length > 1 ? 0.17 : 0, axis: null },
    x: { type: "log", base: 2, domain: across, axis: null },
    y: { type: "log", domain, axis: null },
    marks: [
      Plot.rect(precisions, {
        fx: panel,
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
      Plot.text(precisions, { fx: panel, text: panel, frameAnchor: "top", dy: -18, ...HEADING }),
      yLabel("speed-up S (log)", { marginLeft: MARGIN.left, fx: precisions[0]! }),
      Plot.text(precisions, { text: () => "helps", ...region, dy: -9 }),
      Plot.text(precisions, { text: () => "hurts", ...region, dy: 10 }),
      Plot.ruleY([1], { stroke: INK.text, strokeWidth: 1.2 }),
      Plot.areaY(lines.filter(({ low }) => low !== null), {
        ...at,
        y1: "low",
        y2: "high",
        z: "draftLength",
        fill: colour,
        fillOpacity: 0.14,
        clip: true,
      }),
      Plot.line(lines, {
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
      Plot.dot(measured, { ...at, y: "estimate", fill: colour, r: 3.8 }),
      Plot.text(endLabels([...dots, ...lines], domain), {
        fx: "precision",
        x: across[1],
        y: "labelAt",
        text: (end: Spot) => `K=${end.draftLength}`,
        textAnchor: "start",
        dx: 5,
        fill: colour,
        fontWeight: "bold",
      }),
    ],
  });
}

function onOneLine(a: Place, b: Place): boolean {
  return a !== b && a.precision === b.precision && a.draftLength === b.draftLength;
}

const REGION = { textAnchor: "start", fill: INK.quiet } as const;

/** A name beside the last of each K: of its line, or of its dots if it has none. */
function endLabels(
  places: readonly Spot[],
  [low, high]: readonly [number, number],
): (Spot & { readonly labelAt: number })[] {
  const octaves = ROW * Math.log2(high / low) / INNER;
  return [...Map.groupBy(places, ({ precision }) => precision).values()].flatMap((panel) => {
    const ends = [...Map.groupBy(panel, ({ draftLength }) => draftLength).values()]
      .map((line) => line.at(-1)!);
    const labels = spread(ends.map(({ speedup }) => Math.log2(speedup)), octaves);
    return ends.map((end, i) => ({ ...end, labelAt: 2 ** labels[i]! }));
  });
}

function octavesIn([low, high]: readonly [number, number]): number[] {
  return Array.from({ length: 20 }, (_, i) => 2 ** i).filter((n) => low <= n && n <= high);
}
