/**
 * Figure: whether drafts stand less as the answer goes on.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { type LocatedRound, locateRounds } from "../analysis/located_rounds.ts";
import { poolAcceptance } from "../analysis/pooled_acceptance.ts";
import { draftName } from "../analysis/table.ts";
import type { Records } from "../study/records.ts";
import { captionOf } from "./caption.ts";
import { drawPlot, HEADING, margins, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, SERIES } from "./theme.ts";

const HEIGHT = 320;
const MARGIN = { top: 40, right: 20, bottom: 40, left: 52 } as const;

/** α of a drafter in a stretch of the output. */
interface Stretch {
  readonly drafter: string;
  /** Tokens of new text before it, and its end. */
  readonly from: number;
  readonly to: number;
  readonly alpha: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly tested: number;
}

/** How long a stretch is, and the size. */
export interface PositionFigureOptions {
  /** Tokens of output in a stretch. Default 8. */
  readonly stretch?: number;
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/**
 * α of real drafters along the output, a panel for each, in stretches of equal length. A round counts
 * where it begins. Bars are two standard errors over prompts.
 *
 * @param records Rows of whole pairs.
 * @param options Length of a stretch; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If no real drafter had a token tested.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(acceptanceByPosition({ runs, rounds }), "position in the output");
 * ```
 */
export function acceptanceByPosition(
  records: Records,
  { stretch = 8, width = 880 }: PositionFigureOptions = {},
): string {
  const rounds = locateRounds(records)
    .filter(({ run }) => run.draft !== "replay" && run.draft !== "none");
  const stretches = stretchesOf(rounds, stretch);
  if (stretches.length === 0) {
    throw new RangeError(
      "Cannot draw acceptance by position as no real drafter had a token tested",
    );
  }
  const shown = new Set(rounds.map(({ run }) => run.pair));
  return frameSvg(drawPanels(stretches, stretch, width), {
    title: "Acceptance along the answer",
    subtitle: [
      `Dots: α of the rounds that begin in a stretch of ${stretch} tokens, all prompts together; numbers: tokens tested.`,
      "Bars: two standard errors, leaving out a prompt at a time. Line: all positions.",
    ],
    caption: captionOf(records.runs.filter(({ pair }) => shown.has(pair))),
    width,
  });
}

function stretchesOf(rounds: readonly LocatedRound[], length: number): Stretch[] {
  const groups = Map.groupBy(
    rounds,
    ({ run, position }) =>
      `${draftName(run)}, K=${run.draftLength}\t${Math.floor(position / length) * length}`,
  );
  return [...groups].flatMap(([key, group]) => {
    const pooled = poolAcceptance(
      group.map(({ run, round }) => ({ prompt: run.prompt, ...round })),
    );
    if (!pooled) return [];
    const [drafter, start] = key.split("\t") as [string, string];
    const { alpha, error, tested } = pooled;
    return [{
      drafter,
      from: Number(start),
      to: Number(start) + length,
      alpha,
      low: error === null ? null : Math.max(0, alpha - 2 * error),
      high: error === null ? null : Math.min(1, alpha + 2 * error),
      tested,
    }];
  }).sort((a, b) => a.from - b.from);
}

function drawPanels(stretches: readonly Stretch[], length: number, width: number): SvgElement {
  const drafters = [...new Set(stretches.map(({ drafter }) => drafter))].sort();
  const end = Math.max(...stretches.map(({ to }) => to));
  const edges = Array.from({ length: end / length + 1 }, (_, i) => i * length);
  const all = drafters.map((drafter) => {
    const own = stretches.filter((stretch) => stretch.drafter === drafter);
    const tested = own.reduce((sum, stretch) => sum + stretch.tested, 0);
    const alpha = own.reduce((sum, stretch) => sum + stretch.alpha * stretch.tested, 0) / tested;
    return { drafter, alpha };
  });
  const at = {
    fx: "drafter",
    x: ({ from, to }: Stretch) => (from + to) / 2,
  };
  const colour = ({ drafter }: { drafter: string }) =>
    SERIES[drafters.indexOf(drafter)] ?? INK.text;
  return drawPlot({
    width,
    height: HEIGHT,
    ...margins(MARGIN),
    fx: { domain: drafters, padding: drafters.length > 1 ? 0.12 : 0, axis: null },
    x: { domain: [0, end], axis: null },
    y: { domain: [-0.09, 1], axis: null },
    marks: [
      Plot.gridY([0, 0.25, 0.5, 0.75, 1], { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY([0, 0.25, 0.5, 0.75, 1], { label: null, tickSize: 0, tickFormat: String }),
      Plot.axisX(edges, {
        label: "position in the output, tokens",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: String,
      }),
      Plot.text(drafters, { fx: String, text: String, frameAnchor: "top", dy: -18, ...HEADING }),
      yLabel("acceptance α", { marginLeft: MARGIN.left, fx: drafters[0]! }),
      Plot.ruleY(all, {
        fx: "drafter",
        y: "alpha",
        stroke: colour,
        strokeDasharray: "4 3",
        strokeOpacity: 0.8,
      }),
      Plot.ruleX(stretches.filter(({ low }) => low !== null), {
        ...at,
        y1: "low",
        y2: "high",
        stroke: colour,
        strokeOpacity: 0.55,
      }),
      Plot.dot(stretches, { ...at, y: "alpha", fill: colour, r: 4.4 }),
      Plot.text(stretches, {
        ...at,
        y: -0.05,
        text: ({ tested }: Stretch) => String(tested),
        fill: INK.quiet,
      }),
    ],
  });
}
