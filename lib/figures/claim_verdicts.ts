/**
 * Figure: what the records say of each claim.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import {
  type ClaimVerdict,
  type Figure,
  type Finding,
  nameFigure,
  say,
  VERDICTS,
} from "../analysis/claims/finding.ts";
import { drawPlot } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK } from "./theme.ts";

/** Height of a claim's row, in pixels. */
const ROW = 23;
/** Where columns begin, in pixels from the left. */
const COLUMNS = { id: 14, claim: 46, mark: 272, verdict: 286, value: 404, name: 544 } as const;
const MARGIN = { top: 26, bottom: 4 } as const;
/** Space at the right. */
const RIGHT = 14;
/** Width of a letter, on the safe side. */
const LETTER = 6.4;

/** Colours that colour-blind readers tell apart (Okabe and Ito 2008), and shapes for those who print. */
const MARKS: Readonly<Record<ClaimVerdict, { readonly colour: string; readonly symbol: string }>> =
  {
    supported: { colour: "#0072b2", symbol: "circle" },
    conditional: { colour: "#b88600", symbol: "diamond2" },
    contradicted: { colour: "#d55e00", symbol: "times" },
    undecided: { colour: INK.quiet, symbol: "square" },
    "not measured here": { colour: "#9aa0a6", symbol: "circle" },
  };

/** Settings of the figure. */
export interface ClaimVerdictsOptions {
  /** Lines at the foot: where the findings come from. */
  readonly caption: readonly string[];
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/**
 * One row a claim: a mark and a word for the verdict, and the number that matters most, with its
 * interval where it has one. What was not measured here has a hollow mark and no number.
 *
 * @param findings The findings, in order.
 * @param options Caption, width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If there are no findings.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const finding = {
 *   id: "C1", claim: "pigs fly", brief: "pigs fly", verdict: "contradicted", statement: "None did.",
 *   numbers: [{ name: "flights", estimate: 0, low: 0, high: 0.1, n: 40, of: "pigs" }],
 * } as const;
 * assertStringIncludes(claimVerdicts([finding], { caption: [] }), "0.00 (0.00–0.10)");
 * ```
 */
export function claimVerdicts(
  findings: readonly Finding[],
  { caption, width = 880 }: ClaimVerdictsOptions,
): string {
  if (findings.length === 0) throw new RangeError("Cannot draw verdicts as there are no findings");
  const counts = VERDICTS.map((verdict) => {
    const { length } = findings.filter((finding) => finding.verdict === verdict);
    return `${length} ${verdict}`;
  });
  return frameSvg(drawRows(findings, width), {
    title: `What the records say of ${findings.length} claims`,
    subtitle: [
      `${counts.join(", ")}.`,
      "Conditional: it holds at some measured places and fails at others. Intervals are of 95 %.",
    ],
    caption,
    width,
  });
}

function drawRows(findings: readonly Finding[], width: number): SvgElement {
  const colour = ({ verdict }: Finding) => MARKS[verdict].colour;
  const isMeasured = ({ verdict }: Finding) => verdict !== "not measured here";
  const first = (finding: Finding) => isMeasured(finding) ? finding.numbers[0] : undefined;
  const column = (x: number, text: (finding: Finding) => string, options: Plot.TextOptions = {}) =>
    Plot.text(findings, { x: () => x, y: "id", text, textAnchor: "start", ...options });
  const head = (x: number, title: string, textAnchor: "start" | "end" = "start") =>
    Plot.text([title], {
      x: () => x,
      text: (word: string) => word,
      frameAnchor: "top",
      dy: -14,
      textAnchor,
      fill: INK.quiet,
    });
  return drawPlot({
    width,
    height: MARGIN.top + MARGIN.bottom + ROW * findings.length,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    marginLeft: 0,
    marginRight: 0,
    x: { domain: [0, width], range: [0, width], axis: null },
    y: { domain: findings.map(({ id }) => id), axis: null, padding: 0 },
    symbol: { type: "identity" },
    marks: [
      Plot.barX(findings.filter((_, i) => i % 2 === 0), {
        x1: 0,
        x2: width,
        y: "id",
        fill: INK.shade,
        fillOpacity: 0.6,
      }),
      head(COLUMNS.claim, "claim"),
      head(COLUMNS.verdict, "verdict"),
      head(COLUMNS.value, "key number"),
      head(COLUMNS.name, "what it is"),
      head(width - RIGHT, "n", "end"),
      column(COLUMNS.id, ({ id }) => id, { fill: INK.quiet }),
      column(COLUMNS.claim, ({ brief }) => brief),
      Plot.dot(findings, {
        x: () => COLUMNS.mark,
        y: "id",
        r: 5,
        symbol: ({ verdict }: Finding) => MARKS[verdict].symbol,
        fill: (finding: Finding) => isMeasured(finding) ? colour(finding) : INK.ground,
        stroke: colour,
        strokeWidth: 1.8,
      }),
      column(COLUMNS.verdict, ({ verdict }) => verdict, { fill: colour, fontWeight: "bold" }),
      column(COLUMNS.value, (finding) => {
        const number = first(finding);
        return number ? say(number) : "";
      }),
      column(COLUMNS.name, (finding) => {
        const number = first(finding);
        if (!number) return "";
        const room = width - RIGHT - COLUMNS.name - LETTER * (countOf(number).length + 1);
        return shorten(nameFigure(number), Math.floor(room / LETTER));
      }),
      column(width - RIGHT, (finding) => {
        const number = first(finding);
        return number ? countOf(number) : "";
      }, { textAnchor: "end", fill: INK.quiet }),
    ],
  });
}

function countOf({ n, of }: Pick<Figure, "n" | "of">): string {
  return `${n} ${of}`;
}

/** A name of so many letters at most; the page of findings has the rest. */
function shorten(name: string, most: number): string {
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}
