/**
 * What a browser shows of a notebook, held against the file.
 *
 * @module
 */

import type { Notebook } from "./notebook.ts";

/** An image in the output of a cell, in CSS pixels but for its own size. */
export interface ShownFigure {
  /** Width on the page. */
  readonly width: number;
  /** Height on the page. */
  readonly height: number;
  /** Left edge, from the window's. */
  readonly left: number;
  /** Width of the image itself, in its own pixels; 0 if it could not be read. */
  readonly naturalWidth: number;
  /** Height of the image itself. */
  readonly naturalHeight: number;
}

/** An output as Jupyter keeps it, as much as is used. */
export interface ShownOutput {
  /** "display_data", "stream", "error" or "execute_result". */
  readonly output_type: string;
  /** Contents by MIME type, of what was displayed. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** What was printed. */
  readonly text?: string | readonly string[];
  /** What an error says. */
  readonly evalue?: string;
}

/** A code cell on the page. */
export interface ShownCell {
  /** Its id. */
  readonly id: string;
  /** Place in the order of runs, or null if it did not run. */
  readonly executionCount: number | null;
  /** Its outputs. */
  readonly outputs: readonly ShownOutput[];
}

/** A notebook on the page, after it was restarted and run. */
export interface Shown {
  /** Its code cells. */
  readonly cells: readonly ShownCell[];
  /** The figures of each cell. */
  readonly figures: readonly (readonly ShownFigure[])[];
  /** Width of the window in CSS pixels. */
  readonly width: number;
}

/** What a sweep said and kept that was stopped and resumed. */
export interface StoppedSweep {
  /** What its cell showed when it was stopped. */
  readonly stopped: string;
  /** The table of runs then. */
  readonly before: string;
  /** What the kernel answered to `console.log(typeof STUDY, 1 + 1)`. */
  readonly answer: string;
  /** What the cell showed when it had run again. */
  readonly resumed: string;
  /** The table of runs then. */
  readonly after: string;
}

/** Pixels of an image for each pixel on the page, at least: what a dense screen resolves. */
const DENSITY = 2;

/**
 * What is wrong with a notebook on the page.
 *
 * @param notebook The file: which cells there are, and which kinds of output each one shows.
 * @param shown What the page shows.
 * @returns A sentence for each fault; none if all is well.
 */
export function faultsOf(notebook: Notebook, { cells, figures, width }: Shown): string[] {
  const onFile = notebook.cells.filter((cell) => cell.cell_type === "code");
  return onFile.flatMap(({ id, outputs }, i) => {
    const cell = cells[i];
    if (cell?.id !== id) return [`cell ${id} is not on the page`];
    const error = cell.outputs.find((output) => output.output_type === "error");
    if (error) return [`cell ${id} fails: ${error.evalue}`];
    if (cell.executionCount !== i + 1) return [`cell ${id} did not run in its turn`];
    const [wanted, got] = [kindsOf(outputs), kindsOf(cell.outputs)];
    if (wanted !== got) return [`cell ${id} shows ${got} where the file has ${wanted}`];
    const [drawn, seen] = [got.split("image/png").length - 1, figures[i]?.length ?? 0];
    if (drawn !== seen) return [`cell ${id} has ${seen} of ${drawn} figures on the page`];
    return figures[i]!.flatMap((figure) => faultsOfFigure(figure, width))
      .map((fault) => `cell ${id} has a figure that ${fault}`);
  });
}

function faultsOfFigure(figure: ShownFigure, window: number): string[] {
  const { left, width, height, naturalWidth, naturalHeight } = figure;
  if (naturalWidth === 0 || width === 0 || height === 0) return ["cannot be seen"];
  const faults: string[] = [];
  if (naturalWidth < DENSITY * width) {
    faults.push(`is blurred: ${naturalWidth} pixels on ${width}`);
  }
  if (left < 0 || left + width > window) faults.push("leaves the window");
  if (Math.abs(naturalHeight * width / (naturalWidth * height) - 1) > 0.01) {
    faults.push("is distorted");
  }
  return faults;
}

/**
 * What is wrong with a sweep that was stopped and resumed.
 *
 * @param sweep What it said and kept.
 * @returns A sentence for each fault; none if all is well.
 */
export function faultsOfStop({ stopped, before, answer, resumed, after }: StoppedSweep): string[] {
  const left = /: stopped, (\d+) pairs left/.exec(stopped)?.[1];
  const ran = /: (\d+) pairs ran/.exec(resumed)?.[1];
  return [
    left ? [] : `the stopped cell says ${stopped}`,
    answer === "object 2\n" ? [] : `the kernel answers ${JSON.stringify(answer)} after the stop`,
    pairsOf(before) > 0 && after.startsWith(before) ? [] : "rows did not survive",
    left === ran ? [] : `${left} pairs were left, and the resumed cell says ${resumed}`,
    pairsOf(after) === pairsOf(before) + Number(ran) ? [] : "rows of some pairs are missing",
  ].flat();
}

/**
 * How many pairs of runs a table holds.
 *
 * @param runs CSV: a head, two lines a pair.
 * @returns The count.
 */
export function pairsOf(runs: string): number {
  return (runs.trimEnd().split("\n").length - 1) / 2;
}

/**
 * An output as text.
 *
 * @param output The output.
 * @returns What it printed, says, or shows where nothing else can be shown.
 */
export function textOf({ data, text, evalue }: ShownOutput): string {
  return [text ?? evalue ?? data?.["text/plain"] ?? ""].flat().join("");
}

/** Outputs by their kinds alone: "text/markdown, image/png". */
function kindsOf(outputs: readonly ShownOutput[]): string {
  const kinds = outputs.map(({ output_type, data }) =>
    Object.keys(data ?? {}).find((mime) => mime !== "text/plain") ?? output_type
  );
  return kinds.join(", ") || "nothing";
}
