/**
 * Figure: which kinds of work let drafts stand.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { joinPairs, pairCounts } from "../analysis/pairs.ts";
import { poolAcceptance } from "../analysis/pooled_acceptance.ts";
import { draftName } from "../analysis/table.ts";
import type { Records } from "../study/records.ts";
import { captionOf } from "./caption.ts";
import { drawPlot, HEADING, margins } from "./plot.ts";
import { frameSvg, type SvgElement } from "./render.ts";
import { INK, PRECISIONS } from "./theme.ts";

/** Height of a task's row, in pixels. */
const ROW = 40;
const MARGIN = { top: 30, right: 20, bottom: 40, left: 96 } as const;

/** A run of a real drafter that had something tested. */
interface Run {
  readonly drafter: string;
  readonly task: string;
  readonly precision: string;
  readonly prompt: string;
  readonly tested: number;
  readonly accepted: number;
}

/** α of all runs of a drafter on a task. */
interface Pooled {
  readonly drafter: string;
  readonly task: string;
  readonly alpha: number;
  readonly tested: number;
}

/**
 * α of real drafters by kind of task: a dot for each run, as large as it had tokens tested, and a bar
 * for all of them together. Tasks stand in the order of α, all drafters pooled.
 *
 * @param records Rows of whole pairs.
 * @param options Width in pixels, default 880.
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
 * assertStringIncludes(acceptanceByTask({ runs, rounds }), "own int4, K=4");
 * ```
 */
export function acceptanceByTask(
  records: Records,
  { width = 880 }: { readonly width?: number } = {},
): string {
  const pairs = joinPairs(records).filter((pair) =>
    pairCounts(pair) && pair.speculative.draft !== "replay" && pair.speculative.tested! > 0
  );
  if (pairs.length === 0) {
    throw new RangeError("Cannot draw acceptance by task as no real drafter had a token tested");
  }
  const runs = pairs.map(({ speculative: run }): Run => ({
    drafter: `${draftName(run)}, K=${run.draftLength}`,
    task: run.task,
    precision: run.precision,
    prompt: run.prompt,
    tested: run.tested!,
    accepted: run.accepted!,
  }));
  return frameSvg(drawRows(runs, width), {
    title: "Acceptance by kind of task",
    subtitle: [
      "Dots: single runs, their area the number of tokens tested. Bars: all runs of the task together.",
      "α = accepted / tested tokens; n: tested tokens.",
    ],
    caption: captionOf(pairs.flatMap(({ plain, speculative }) => [plain, speculative])),
    width,
  });
}

function drawRows(runs: readonly Run[], width: number): SvgElement {
  const drafters = [...new Set(runs.map(({ drafter }) => drafter))];
  const alphaOf = (counts: readonly Run[]) => poolAcceptance(counts)!.alpha;
  const tasks = [...Map.groupBy(runs, ({ task }) => task)]
    .sort(([, a], [, b]) => alphaOf(b) - alphaOf(a)).map(([task]) => task);
  const pooled = [...Map.groupBy(runs, ({ drafter, task }) => `${drafter} ${task}`).values()]
    .map((group): Pooled => {
      const { drafter, task } = group[0]!;
      return { drafter, task, ...poolAcceptance(group)! };
    });
  const precisions = [...new Set(runs.map(({ precision }) => precision))];
  const panel = (name: string) => name;
  return drawPlot({
    width,
    height: MARGIN.top + MARGIN.bottom + ROW * tasks.length,
    ...margins(MARGIN),
    fx: { domain: drafters, padding: drafters.length > 1 ? 0.12 : 0, axis: null },
    x: { domain: [0, 1], axis: null, insetRight: 66, insetLeft: 8 },
    y: { domain: tasks, axis: null, padding: 0.2 },
    r: { range: [0, 11], domain: [0, Math.max(...runs.map(({ tested }) => tested))] },
    marks: [
      Plot.gridX([0, 0.25, 0.5, 0.75, 1], { stroke: INK.rule, strokeOpacity: 1 }),
      Plot.axisY({ label: null, tickSize: 0 }),
      Plot.axisX([0, 0.25, 0.5, 0.75, 1], {
        label: "acceptance α, per tested token",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: String,
      }),
      Plot.text(drafters, { fx: panel, text: panel, frameAnchor: "top", dy: -16, ...HEADING }),
      Plot.dot(runs, {
        fx: "drafter",
        x: (run: Run) => run.accepted / run.tested,
        y: "task",
        r: "tested",
        fill: (run: Run) => PRECISIONS[run.precision] ?? INK.text,
        fillOpacity: 0.45,
        stroke: INK.ground,
        strokeWidth: 0.7,
      }),
      Plot.tickX(pooled, {
        fx: "drafter",
        x: "alpha",
        y: "task",
        stroke: INK.text,
        strokeWidth: 3,
      }),
      Plot.text(pooled, {
        fx: "drafter",
        y: "task",
        frameAnchor: "right",
        textAnchor: "end",
        text: (all: Pooled) => `${all.alpha.toFixed(2)}\nn = ${all.tested}`,
      }),
      ...precisions.map((precision, i) =>
        Plot.text([precision], {
          fx: [drafters[0]!],
          text: (name: string) => `● ${name}`,
          frameAnchor: "top-left",
          dx: -MARGIN.left + 14 + 52 * i,
          dy: -16,
          fill: PRECISIONS[precision] ?? INK.text,
          fontWeight: "bold",
        })
      ),
    ],
  });
}
