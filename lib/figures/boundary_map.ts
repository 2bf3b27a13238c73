/**
 * Figure: the map of context and acceptance, and where on it real drafts lie.
 *
 * @module
 */

import { contour, type DraftPoint, draftPoints, speedupMap } from "../analysis/map.ts";
import { isUsableCost } from "../analysis/measured_times.ts";
import { costsOfRuns } from "../analysis/validation_prediction.ts";
import type { CostRecord } from "../study/cost_records.ts";
import type { TraceRecord } from "../study/trace_records.ts";
import { drawMaps, type MapPanel, shortName } from "./map_row.ts";
import { frameSvg } from "./render.ts";
import { PRECISIONS } from "./theme.ts";

/** Contexts from the shortest that was measured to the longest. */
const COLUMNS = 33;

/** A draft model, as rows name it. */
export interface MapDraft {
  /** Catalog id. */
  readonly model: string;
  /** Precision of its weights. */
  readonly precision: string;
}

/** Which of the rows are mapped, and how. */
export interface BoundaryMapOptions {
  /** The target's catalog id. */
  readonly model: string;
  /** A draft model, for a second row of maps at its cost. Default: drafts that cost nothing alone. */
  readonly draft?: MapDraft;
  /** The longest K. Default 16. */
  readonly longest?: number;
  /** B. Default 1. */
  readonly batch?: number;
  /** Width in pixels. Default 880. */
  readonly width?: number;
}

/**
 * Predicted S at the best draft length for each context and acceptance, a map for each precision of
 * the target: for drafts that cost nothing and, in a second row, for one draft model. Real drafts are
 * points on it.
 *
 * @param costs Rows of the cost layer, of one machine.
 * @param traces Rows of the behaviour layer, of any machine.
 * @param options The models, the longest K; width.
 * @returns The text of an SVG file.
 * @throws {RangeError} If the costs of no such target were measured.
 * @throws {CostModelError} If passes over so many tokens were not measured.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => boundaryMap([], [], { model: "smollm2-135m-instruct" }), RangeError);
 * ```
 */
export function boundaryMap(
  costs: readonly CostRecord[],
  traces: readonly TraceRecord[],
  { model, draft, longest = 16, batch = 1, width = 880 }: BoundaryMapOptions,
): string {
  const own = traces.filter((row) => row.model === model);
  const panels = panelsOf(costs, draftPoints(own), { model, draft, longest, batch });
  if (panels.length === 0) {
    throw new RangeError(
      `Cannot map ${model} as its costs were not measured: run a sweep of costs`,
    );
  }
  const rows = [...Map.groupBy(panels, ({ drafting }) => drafting).values()];
  return frameSvg(rows.map((row, i) => drawMaps(row, { width, last: i === rows.length - 1 })), {
    title: "Where speculation pays: the map of context and acceptance",
    subtitle: [
      "Colour: predicted S at the best draft length. Black line: S = 1, with its 95 % band; below it plain decoding is faster.",
      "Dotted: where the best K passes 2, 4, 8. Dots: what real drafts reached (±1 standard error; hollow: fewer than three prompts).",
    ],
    caption: sourcesOf(costs, own, { model, batch }),
    width,
  });
}

/** The maps of all precisions, without and with a draft model's cost. */
function panelsOf(
  costs: readonly CostRecord[],
  points: readonly DraftPoint[],
  { model, draft, longest, batch }: {
    readonly model: string;
    readonly draft: MapDraft | undefined;
    readonly longest: number;
    readonly batch: number;
  },
): MapPanel[] {
  const rows = costs.filter((row) =>
    !row.exact && row.kind === "pass" && row.batch === batch && row.width === 1 &&
    isUsableCost(row)
  );
  const targets = rows.filter((row) => row.model === model);
  const threads = Math.max(...targets.map((row) => row.threads));
  const precisions = Object.keys(PRECISIONS)
    .filter((name) => targets.some(({ precision }) => precision === name));
  const costsOf = costsOfRuns(costs);
  return [undefined, ...draft ? [draft] : []].flatMap((drafter) => {
    const drafts = rows.filter((row) =>
      row.model === drafter?.model && row.precision === drafter.precision
    );
    // All panels span what was measured of each precision.
    const layers = Map.groupBy([...targets, ...drafts], (row) => `${row.model} ${row.precision}`);
    const reaches = [...layers.values()].map((layer) => layer.map(({ context }) => context));
    const contexts = logSpaced(
      Math.max(...reaches.map((places) => Math.min(...places))),
      Math.min(...reaches.map((places) => Math.max(...places))),
      COLUMNS,
    );
    return precisions.flatMap((precision): MapPanel[] => {
      const pair = costsOf({
        ...{ model, precision, threads, exact: false },
        draft: drafter ? "model" : "prompt-lookup",
        draftModel: drafter?.model ?? null,
        draftPrecision: drafter?.precision ?? null,
      });
      if (!pair) return [];
      return [{
        precision,
        drafting: drafter ? `drafts by ${nameOf(drafter, model)}` : "drafts that cost nothing",
        cells: speedupMap(pair, { contexts, longest, batch }),
        contour: contour(pair, {
          contexts: contexts.filter((_, i) => i % 2 === 0),
          longest,
          batch,
          draws: 100,
        }),
        points: points.filter((point) =>
          point.precision === precision && point.draftModel === (drafter?.model ?? null) &&
          contexts[0]! <= point.context && point.context <= contexts.at(-1)!
        ),
      }];
    });
  });
}

function nameOf({ model, precision }: MapDraft, target: string): string {
  return model === target ? `its own ${precision}` : shortName(model);
}

function logSpaced(low: number, high: number, count: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => Math.round(low * (high / low) ** (i / (count - 1))),
  );
}

function sourcesOf(
  costs: readonly CostRecord[],
  traces: readonly TraceRecord[],
  { model, batch }: { readonly model: string; readonly batch: number },
): string[] {
  const list = <Row>(rows: readonly Row[], valueOf: (row: Row) => unknown) =>
    [...new Set(rows.map(valueOf))].join(", ");
  const greedy = traces.filter(({ temperature }) => temperature === 0);
  const prompts = new Set(greedy.map(({ promptHash }) => promptHash)).size;
  return [
    `${model} on ${
      list(costs, (row) => `${row.cpu}, ${row.threads} threads`)
    }; B = ${batch}; ONNX Runtime ${
      list(costs, ({ onnxruntime }) => onnxruntime ?? "not used")
    }. Dots: traces replayed at K = 4; a table's α is that of what it offers.`,
    `n = ${costs.length} cells of the cost layer, ${greedy.length} greedy traces of ${prompts} prompts.`,
  ];
}
