/**
 * What a reader does with a notebook: run it all and look; measure, stop, go on.
 *
 * @module
 */

import { basename, join } from "node:path";
import { type NotebookPage, SCREEN } from "./browser.ts";
import type { Lab } from "./lab.ts";
import { NotebookError, readNotebook } from "./notebook.ts";
import { faultsOf, faultsOfStop, pairsOf, textOf } from "./shown.ts";

/** Where a trial takes place. */
export interface Place {
  /** The server. */
  readonly lab: Lab;
  /** The browser. */
  readonly page: NotebookPage;
}

/** What came of a trial. */
export interface Outcome {
  /** What was done, in a line. */
  readonly seen: string;
  /** What was wrong, in a sentence each. */
  readonly faults: readonly string[];
}

/** Rows of a target of a few MB, so that a sweep takes a minute. */
const ROWS = {
  study: "quick",
  model: "../data/models/draft-1x32.gguf",
  threads: 2,
  exact: false,
  temperature: 0,
};
/** Milliseconds between two looks at a cell that runs. */
const GLANCE = 500;

/**
 * Restarts the kernel, runs all cells and looks at every figure.
 *
 * @param file The notebook; its copy is run.
 * @param folder Where a picture of each figure goes, under the notebook's name.
 * @param place Server and browser.
 * @returns What was seen.
 */
export async function tryFigures(
  file: string,
  folder: string,
  { lab, page }: Place,
): Promise<Outcome> {
  const notebook = await readNotebook(file);
  await page.open(lab.address(basename(file)));
  await page.restartAndRunAll();
  const cells = await page.cells();
  const figures = await page.figures(join(folder, basename(file, ".ipynb")));
  return {
    seen: `restarted and run, ${cells.length} cells, ${figures.flat().length} figures`,
    faults: faultsOf(notebook, { cells, figures, width: SCREEN.width }),
  };
}

/**
 * Measures, stops halfway, asks the kernel for a sum, runs the cell again.
 *
 * @param file A notebook with a cell that measures the rows that its parameter `ROWS` selects.
 * @param place Server and browser.
 * @returns What was seen.
 * @throws {NotebookError} If no cell measures.
 */
export async function tryStop(file: string, { lab, page }: Place): Promise<Outcome> {
  const cell = await measuringCell(file);
  await lab.setParameters({ MEASURE: true, RECORDS: lab.records, ROWS });
  await page.open(lab.address(basename(file)));
  for (let i = 0; i < cell; i++) await page.runCell(i);
  const textAt = async (index: number) =>
    (await page.cells()).at(index)!.outputs.map(textOf).join("\n");

  let running = true;
  const stopHalfway = async () => {
    while (running && !/ \d{2,}\/\d+ pairs/.test(await textAt(cell))) {
      await new Promise((resolve) => setTimeout(resolve, GLANCE));
    }
    await page.stop();
  };
  await Promise.all([page.runCell(cell).finally(() => running = false), stopHalfway()]);
  await page.stop(); // when nothing runs, as a hand that presses twice does
  const [stopped, before] = [await textAt(cell), await readRuns(lab.records)];

  await page.append("console.log(typeof STUDY, 1 + 1);");
  await page.runCell(-1);
  const answer = await textAt(-1);

  await page.runCell(cell);
  const [resumed, after] = [await textAt(cell), await readRuns(lab.records)];
  return {
    seen: `stopped and resumed, ${pairsOf(before)} pairs of ${pairsOf(after)} before`,
    faults: faultsOfStop({ stopped, before, answer, resumed, after }),
  };
}

/** The place of the cell that measures, among the code cells. */
async function measuringCell(file: string): Promise<number> {
  const code = (await readNotebook(file)).cells.filter((cell) => cell.cell_type === "code");
  const index = code.findIndex(({ source }) => source.join("").includes("await measure("));
  if (index >= 0) return index;
  throw new NotebookError(`Cannot stop ${file} as none of its cells measures`);
}

/** The table of runs of the one machine that there are records of, as text. */
async function readRuns(records: string): Promise<string> {
  const [machine] = await Array.fromAsync(Deno.readDir(records));
  return await Deno.readTextFile(join(records, machine!.name, "runs.csv"));
}
