/**
 * Figure: which factor moves the speed-up most.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { type BoundaryPoint, roundCosts, speedupAt } from "../analysis/boundary.ts";
import { elasticities, type FactorSpan, factorSpans } from "../analysis/sensitivity.ts";
import { costsOfRuns } from "../analysis/validation_prediction.ts";
import type { CostRecord } from "../study/cost_records.ts";
import { drawPlot, factorTicks, margins } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, SERIES } from "./theme.ts";

const MARGIN = { top: 24, right: 70, bottom: 40, left: 150 } as const;
/** Height of a row, in pixels. */
const ROW = 38;

/** All that is varied, one at a time. */
export interface SensitivitySetting extends Required<BoundaryPoint> {
  /** The target's precision. */
  readonly precision: string;
  /** What drafts: "none" at no cost, or a draft model as id@precision. */
  readonly draft: string;
}

/** Levels of the factors. */
export type SensitivityLevels = {
  readonly [Factor in keyof SensitivitySetting]?: readonly SensitivitySetting[Factor][];
};

/** Which of the rows are used, where the centre is, and what is varied. */
export interface SensitivityOptions {
  /** The target's catalog id. */
  readonly model: string;
  /** The setting in the middle. */
  readonly centre: SensitivitySetting;
  /** Observed levels of each factor that is to be varied, the centre's among them. */
  readonly levels: SensitivityLevels;
  /** Width in pixels. Default 760. */
  readonly width?: number;
}

/**
 * The span of predicted S over the observed levels of each factor, the others at their centre, the
 * widest first.
 *
 * @param costs Rows of the cost layer, of one machine.
 * @param options Model, centre, levels; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If the costs of a level were not measured.
 * @throws {CostModelError} If a level lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const place = { alpha: 0.5, draftLength: 4, context: 64, batch: 1 };
 * const centre = { ...place, precision: "int4", draft: "none" };
 * assertThrows(() => sensitivity([], { model: "m", centre, levels: {} }), RangeError, "int4");
 * ```
 */
export function sensitivity(
  costs: readonly CostRecord[],
  { model, centre, levels, width = 760 }: SensitivityOptions,
): string {
  const rows = costs.filter((row) => !row.exact && row.model === model);
  const threads = Math.max(...rows.map((row) => row.threads));
  const costsOf = costsOfRuns(costs);
  const pairOf = ({ precision, draft }: SensitivitySetting) => {
    const [draftModel, draftPrecision] = draft === "none" ? [null, null] : draft.split("@");
    const pair = costsOf({
      ...{ model, precision, threads, exact: false },
      draft: draft === "none" ? "prompt-lookup" : "model",
      draftModel: draftModel ?? null,
      draftPrecision: draftPrecision ?? null,
    });
    if (pair) return pair;
    throw new RangeError(
      `Cannot vary ${model} in ${precision} with draft ${draft} as its costs were not measured`,
    );
  };
  const speedup = (setting: SensitivitySetting) =>
    speedupAt(pairOf(setting), setting, WITHOUT_INTERVAL).estimate;
  const middle = speedup(centre);
  const spans = factorSpans(centre, levels, speedup);
  const slopes = elasticities(centre, roundCosts(pairOf(centre), centre));
  const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)} %`;
  return frameSvg(drawRows(spans, middle, width), {
    title: "What moves the speed-up most",
    subtitle: [
      "Predicted S over each factor's levels, the others at their centre (the vertical line).",
      `At the centre, 1 % more moves S by: α ${signed(slopes.alpha)}, v ${signed(slopes.v)}, c ${
        signed(slopes.c)
      }, h ${signed(slopes.h)}.`,
    ],
    caption: [
      `Centre: ${model} in ${centre.precision}, ${
        nameOf("draft", centre.draft)
      }, α = ${centre.alpha}, K = ${centre.draftLength}, n = ${centre.context}, B = ${centre.batch}.`,
      `On ${
        [...new Set(rows.map((row) => `${row.cpu}, ${row.threads} threads`))].join("; ")
      }; n = ${costs.length} cells of the cost layer.`,
    ],
    width,
  });
}

/** Only estimates are shown. */
const WITHOUT_INTERVAL = { draws: 2 };

type Span = FactorSpan<SensitivitySetting>;

const NAMES: Readonly<Record<keyof SensitivitySetting, string>> = {
  alpha: "acceptance α",
  draftLength: "draft length K",
  context: "context n",
  batch: "batch B",
  precision: "precision",
  draft: "draft's cost",
};

function drawRows(spans: readonly Span[], middle: number, width: number): SvgElement {
  const values = spans.flatMap(({ least, most }) => [least.speedup, most.speedup]);
  const domain = [Math.min(0.85, ...values) / 1.15, Math.max(1.2, ...values) * 1.15] as const;
  const ticks = factorTicks(domain);
  const y = ({ factor }: Span) => NAMES[factor];
  return drawPlot({
    width,
    height: MARGIN.top + MARGIN.bottom + ROW * spans.length,
    ...margins(MARGIN),
    x: { type: "log", domain, axis: null },
    y: { domain: spans.map(y), axis: null, padding: 0.45 },
    marks: [
      Plot.rect([0], { x1: domain[0], x2: 1, fill: INK.shade }),
      Plot.gridX(ticks, { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisX(ticks, {
        label: "speed-up S (log)",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: (tick: number) => `${tick}×`,
      }),
      Plot.axisY({ label: null, tickSize: 0 }),
      Plot.text(["hurts"], {
        x: 1,
        frameAnchor: "top",
        textAnchor: "end",
        dx: -5,
        dy: -8,
        fill: INK.quiet,
      }),
      Plot.text(["helps"], {
        x: 1,
        frameAnchor: "top",
        textAnchor: "start",
        dx: 5,
        dy: -8,
        fill: INK.quiet,
      }),
      Plot.barX(spans, {
        y,
        x1: ({ least }: Span) => least.speedup,
        x2: () => middle,
        fill: SERIES[1],
      }),
      Plot.barX(spans, {
        y,
        x1: () => middle,
        x2: ({ most }: Span) => most.speedup,
        fill: SERIES[0],
      }),
      Plot.ruleX([1], { stroke: INK.text, strokeWidth: 1.2 }),
      Plot.ruleX([middle], { stroke: INK.text, strokeDasharray: "4 3" }),
      ...(["least", "most"] as const).map((end) =>
        Plot.text(spans, {
          y,
          x: (span: Span) => span[end].speedup,
          text: (span: Span) => nameOf(span.factor, span[end].level),
          textAnchor: end === "least" ? "end" : "start",
          dx: end === "least" ? -6 : 6,
          fill: INK.text,
        })
      ),
    ],
  });
}

function nameOf(factor: keyof SensitivitySetting, level: string | number): string {
  if (factor === "draft") {
    return level === "none" ? "free drafts" : String(level).replace(/^.*\/|\.gguf|@.*$/g, "");
  }
  return String(level);
}
