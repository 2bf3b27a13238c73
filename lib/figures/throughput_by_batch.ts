/**
 * Figure: what a batch does to throughput, with and without speculation.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { whereMeasured } from "../analysis/claims/priced.ts";
import { isUsableCost } from "../analysis/measured_times.ts";
import { type BatchThroughput, batchThroughputs } from "../analysis/throughput.ts";
import { costsOfRuns } from "../analysis/validation_prediction.ts";
import type { CostRecord } from "../study/cost_records.ts";
import { drawPlot, HEADING, margins, spread, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, PRECISIONS, SERIES } from "./theme.ts";

const HEIGHT = 380;
const MARGIN = { top: 58, right: 84, bottom: 40, left: 52 } as const;
/** Height of a row of labels, in pixels. */
const ROW = 14;

/** Which of the rows are drawn, and where. */
export interface ThroughputFigureOptions {
  /** The target's catalog id. */
  readonly model: string;
  /** A draft model. Default: drafts that cost nothing. */
  readonly draft?: { readonly model: string; readonly precision: string };
  /** α of the lines. Default 0.5, 0.7 and 0.9. */
  readonly alphas?: readonly number[];
  /** n. Default 1,024. */
  readonly context?: number;
  /** The longest K. Default 16. */
  readonly longest?: number;
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/** A point of a panel's line. */
interface Point extends BatchThroughput {
  readonly precision: string;
}

/**
 * Tokens per second against the batch, plain and at a few acceptances with the best draft length,
 * predicted by the cost layer; a panel for each precision of the target, with the batches that were
 * measured at that context, drafts of the longest K too.
 *
 * @param costs Rows of the cost layer, of one machine.
 * @param options The models, acceptances, context; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If no precision of the target was measured so at two batches.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => throughputByBatch([], { model: "smollm2-135m-instruct" }), RangeError);
 * ```
 */
export function throughputByBatch(
  costs: readonly CostRecord[],
  options: ThroughputFigureOptions,
): string {
  const { model, draft, alphas = [0.5, 0.7, 0.9], context = 1024, longest = 16, width = 880 } =
    options;
  const rows = costs.filter((row) =>
    !row.exact && row.kind === "pass" && row.model === model && isUsableCost(row)
  );
  const threads = Math.max(...rows.map((row) => row.threads));
  const costsOf = costsOfRuns(costs);
  const points = Object.keys(PRECISIONS).flatMap((precision): Point[] => {
    const batches = batchesOf(rows.filter((row) => row.precision === precision));
    const pair = costsOf({
      ...{ model, precision, threads, exact: false },
      draft: draft ? "model" : "prompt-lookup",
      draftModel: draft?.model ?? null,
      draftPrecision: draft?.precision ?? null,
    });
    if (!pair) return [];
    const measured = batches.flatMap((batch) =>
      whereMeasured(() => batchThroughputs(pair, { batches: [batch], alphas, context, longest }))
    );
    if (measured.length < 2) return [];
    return measured.flat().map((point) => ({ ...point, precision }))
      .toSorted((a, b) => (a.alpha ?? -1) - (b.alpha ?? -1));
  });
  if (points.length === 0) {
    throw new RangeError(
      `Cannot draw throughput of ${model} as no precision was measured at two batches: run deno task sweep costs --preset study`,
    );
  }
  return frameSvg(drawPanels(points, width), {
    title: "What batches do to throughput, and to the gain of speculation",
    subtitle: [
      `Predicted from measured passes at ${context} tokens of context, ${
        draft ? `drafts by ${draft.model}` : "drafts that cost nothing"
      }; bars: 95 % intervals.`,
      "Colours: acceptance α, each at its best draft length K. At the right: the gain over plain decoding at the largest batch.",
    ],
    caption: [
      `${model} on ${list(rows, (row) => `${row.cpu}, ${row.threads} threads`)}; ONNX Runtime ${
        list(rows, ({ onnxruntime }) => onnxruntime ?? "not used")
      }. Predicted, not decoded: every row drafts K tokens and none ends early.`,
      `n = ${rows.length} passes of the cost layer.`,
    ],
    width,
  });
}

function drawPanels(points: readonly Point[], width: number): SvgElement {
  const precisions = [...new Set(points.map(({ precision }) => precision))];
  const alphas = [...new Set(points.map(({ alpha }) => alpha))].filter((alpha) => alpha !== null);
  const batches = [...new Set(points.map(({ batch }) => batch))].sort((a, b) => a - b);
  const rates = points.map(({ rate }) => rate.estimate);
  const domain = [Math.min(...rates) / 1.3, Math.max(...rates) * 1.3] as const;
  const colour = ({ alpha }: Point) => alpha === null ? INK.text : SERIES[alphas.indexOf(alpha)]!;
  const ticks = RATES.filter((rate) => domain[0] <= rate && rate <= domain[1]);
  const panel = (name: string) => name;
  const place = { fx: "precision", x: "batch" } as const;
  return drawPlot({
    width,
    height: HEIGHT,
    ...margins(MARGIN),
    fx: { domain: precisions, padding: precisions.length > 1 ? 0.34 : 0, axis: null },
    x: { type: "log", base: 2, domain: [batches[0]! / 1.1, batches.at(-1)! * 1.1], axis: null },
    y: { type: "log", domain, axis: null },
    marks: [
      Plot.gridY(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY(ticks, { label: null, tickSize: 0, tickFormat: String }),
      Plot.axisX(batches, {
        label: "batch B (log)",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: String,
      }),
      Plot.text(precisions, { fx: panel, text: panel, frameAnchor: "top", dy: -18, ...HEADING }),
      yLabel("tokens per second (log)", { marginLeft: MARGIN.left, fx: precisions[0]!, dy: -36 }),
      Plot.line(points, {
        ...place,
        y: ({ rate }: Point) => rate.estimate,
        z: "alpha",
        stroke: colour,
        strokeWidth: 1.8,
      }),
      Plot.ruleX(points, {
        ...place,
        y1: ({ rate }: Point) => rate.low,
        y2: ({ rate }: Point) => rate.high,
        stroke: colour,
        strokeOpacity: 0.55,
        clip: true,
      }),
      Plot.dot(points, { ...place, y: ({ rate }: Point) => rate.estimate, fill: colour, r: 3.4 }),
      Plot.text(endsOf(points, domain), {
        ...place,
        y: "labelAt",
        text: "name",
        textAnchor: "start",
        dx: 8,
        fill: colour,
        fontWeight: "bold",
      }),
    ],
  });
}

const RATES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** The last point of each line with its gain over plain decoding, labels moved off each other. */
function endsOf(points: readonly Point[], [low, high]: readonly [number, number]) {
  const row = ROW * Math.log(high / low) / (HEIGHT - MARGIN.top - MARGIN.bottom);
  return [...Map.groupBy(points, ({ precision }) => precision).values()].flatMap((inPanel) => {
    const ends = [...Map.groupBy(inPanel, ({ alpha }) => alpha).values()]
      .map((line) => line.at(-1)!);
    const plain = ends.find(({ alpha }) => alpha === null)!.rate.estimate;
    const places = spread(ends.map(({ rate }) => Math.log(rate.estimate)), row);
    return ends.map((end, i) => ({
      ...end,
      labelAt: Math.exp(places[i]!),
      name: end.alpha === null
        ? "plain"
        : `α ${end.alpha}: ${(end.rate.estimate / plain).toFixed(2)}×`,
    }));
  });
}

function batchesOf(rows: readonly CostRecord[]): number[] {
  return [...new Set(rows.map(({ batch }) => batch))].sort((a, b) => a - b);
}

function list(rows: readonly CostRecord[], valueOf: (row: CostRecord) => unknown): string {
  return [...new Set(rows.map(valueOf))].join(", ");
}
