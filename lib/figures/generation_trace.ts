/**
 * Figure: one generation, round by round.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Pair } from "../analysis/pairs.ts";
import { pairSpeedup } from "../analysis/pairs.ts";
import { draftName } from "../analysis/table.ts";
import type { RoundRecord } from "../study/records.ts";
import { drawPlot, yLabel } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK } from "./theme.ts";

const DRAFT = {
  height: 190,
  marginTop: 26,
  marginRight: 116,
  marginBottom: 8,
  marginLeft: 52,
} as const;
const TEXT = { ...DRAFT, height: 240, marginTop: 36, marginBottom: 36 } as const;

/** What became of a token. */
const FATES = {
  accepted: { colour: "#0072b2", label: "accepted" },
  rejected: { colour: "#d55e00", label: "rejected" },
  untested: { colour: "#c9cdd2", label: "never tested" },
} as const;

/** A proposed token in the column of its round. */
interface Cell {
  readonly start: number;
  readonly end: number;
  /** Place in the draft, from 1. */
  readonly place: number;
  readonly fate: keyof typeof FATES;
}

/** Text on the page at a time. */
interface Written {
  readonly ms: number;
  readonly tokens: number;
}

/**
 * A run told over time: above, each round as a column as wide as it lasted, with a square for each
 * drafted token and its fate; below, the tokens on the page, beside plain decoding of the same prompt.
 *
 * @param pair The pair, with its rounds.
 * @param options Width in pixels, default 880.
 * @returns The text of an SVG file.
 * @throws {RangeError} If a run of the pair failed.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { joinPairs, readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const runs = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`));
 * assertStringIncludes(generationTrace(joinPairs({ runs, rounds })[0]!), "never tested");
 * ```
 */
export function generationTrace(
  pair: Pair,
  { width = 880 }: { readonly width?: number } = {},
): string {
  const speedup = pairSpeedup(pair);
  const { speculative: run } = pair;
  if (speedup === null) {
    throw new RangeError(`Cannot trace ${run.pair} as a run of it failed: choose another pair`);
  }
  const until = Math.max(endOf(pair.plainRounds), endOf(pair.speculativeRounds));
  const cells = cellsOf(pair.speculativeRounds);
  const count = (fate: Cell["fate"]) => cells.filter((cell) => cell.fate === fate).length;
  return frameSvg([drawDraft(cells, until, width), drawText(pair, until, width)], {
    title: `${run.prompt}: ${speedup.toFixed(2)}× with ${draftName(run)}, K = ${run.draftLength}`,
    subtitle: [
      `One run: ${cells.length} tokens drafted in ${run.rounds} rounds, ${
        count("accepted")
      } accepted, ${count("rejected")} rejected, ${
        count("untested")
      } never tested as they stood after a rejection.`,
      "A column is a round, as wide as it lasted; a gap is a round without a draft.",
    ],
    caption: [
      `${run.model}, ${run.precision}, on ${run.cpu}, ${run.threads} threads; ${run.emitted} tokens; pair ${run.pair}; n = 1.`,
    ],
    width,
  });
}

/** Where each round begins and ends in time. */
function timesOf(
  rounds: readonly RoundRecord[],
): { readonly start: number; readonly end: number }[] {
  let now = 0;
  return rounds.map(({ draftMs, verifyMs, sampleMs, hostMs }) => {
    const start = now;
    now += draftMs + verifyMs + sampleMs + hostMs;
    return { start, end: now };
  });
}

function endOf(rounds: readonly RoundRecord[]): number {
  return timesOf(rounds).at(-1)?.end ?? 0;
}

function cellsOf(rounds: readonly RoundRecord[]): Cell[] {
  const times = timesOf(rounds);
  return rounds.flatMap(({ drafted, tested, accepted }, i) =>
    Array.from({ length: drafted }, (_, index): Cell => {
      const fate = index < accepted ? "accepted" : index < tested ? "rejected" : "untested";
      return { ...times[i]!, place: index + 1, fate };
    })
  );
}

function writtenOf(rounds: readonly RoundRecord[]): Written[] {
  const times = timesOf(rounds);
  let tokens = 0;
  return [
    { ms: 0, tokens: 0 },
    ...rounds.map(({ emitted }, i) => ({ ms: times[i]!.end, tokens: tokens += emitted })),
  ];
}

function drawDraft(cells: readonly Cell[], until: number, width: number): SvgElement {
  const highest = Math.max(1, ...cells.map(({ place }) => place));
  return drawPlot({
    ...DRAFT,
    width,
    x: { domain: [0, until], axis: null },
    y: { domain: [0.4, highest + 0.6], axis: null },
    marks: [
      Plot.axisY(Array.from({ length: highest }, (_, i) => i + 1), {
        label: null,
        tickSize: 0,
        tickFormat: String,
      }),
      yLabel("place in the draft", { marginLeft: DRAFT.marginLeft }),
      Plot.rect(cells, {
        x1: "start",
        x2: "end",
        y1: (cell: Cell) => cell.place - 0.5,
        y2: (cell: Cell) => cell.place + 0.5,
        fill: (cell: Cell) => FATES[cell.fate].colour,
        inset: 0.7,
      }),
      ...Object.values(FATES).flatMap(({ colour, label }, row) => {
        const place = { frameAnchor: "top-right", textAnchor: "start", dy: 8 + 17 * row } as const;
        return [
          Plot.text([label], { ...place, text: ["■"], dx: 8, fill: colour, fontSize: 15 }),
          Plot.text([label], { ...place, text: [label], dx: 24, fill: INK.text }),
        ];
      }),
    ],
  });
}

function drawText(pair: Pair, until: number, width: number): SvgElement {
  const lines = [
    { name: "plain", colour: INK.quiet, steps: writtenOf(pair.plainRounds) },
    {
      name: "speculative",
      colour: FATES.accepted.colour,
      steps: writtenOf(pair.speculativeRounds),
    },
  ];
  const most = Math.max(...lines.map(({ steps }) => steps.at(-1)!.tokens));
  const endsLast = (steps: readonly Written[]) => steps.at(-1)!.ms === until;
  return drawPlot({
    ...TEXT,
    width,
    x: { domain: [0, until], axis: null },
    y: { domain: [0, most * 1.2], axis: null },
    marks: [
      Plot.gridY({ stroke: INK.rule, strokeOpacity: 1, ticks: 4 }),
      Plot.axisY({ label: null, tickSize: 0, ticks: 4 }),
      Plot.axisX({
        label: "time, ms",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: String,
      }),
      yLabel("tokens on the page", { marginLeft: DRAFT.marginLeft, dy: -18 }),
      ...lines.flatMap(({ name, colour, steps }) => [
        Plot.line(steps, {
          x: "ms",
          y: "tokens",
          curve: "step-after",
          stroke: colour,
          strokeWidth: 1.8,
        }),
        Plot.dot(steps.slice(-1), { x: "ms", y: "tokens", fill: colour, r: 3.6 }),
        Plot.text(steps.slice(-1), {
          x: "ms",
          y: "tokens",
          text: (end: Written) => `${name}\n${end.ms.toFixed(0)} ms`,
          // The run that ends first has the other's line to its right, and nothing to its upper left.
          ...(endsLast(steps) ? { textAnchor: "start", dx: 8 } : { textAnchor: "end", dx: -8 }),
          lineAnchor: "bottom",
          dy: endsLast(steps) ? 12 : -4,
          fill: colour,
          fontWeight: "bold",
        }),
      ]),
    ],
  });
}
