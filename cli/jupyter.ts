/**
 * `deno task jupyter`: works the notebooks as a reader does, in JupyterLab in a browser.
 *
 * @module
 */

import { basename, join } from "node:path";
import { openBrowser } from "../tools/notebooks/browser.ts";
import { startLab } from "../tools/notebooks/lab.ts";
import { listNotebooks, NotebookError } from "../tools/notebooks/notebook.ts";
import { findTools, MissingToolError, type Tools } from "../tools/notebooks/tools.ts";
import { type Outcome, tryFigures, tryStop } from "../tools/notebooks/trials.ts";
import { requireInteger } from "../lib/validate.ts";
import { parseArguments } from "./arguments.ts";
import { report } from "./report.ts";

const ROOT = new URL("../", import.meta.url).pathname;

const specification = {
  command: "deno task jupyter",
  summary:
    "Restarts and runs every notebook in JupyterLab in a browser, on copies, looks at what " +
    "it shows, and stops a sweep halfway. Skipped where JupyterLab or Chromium is missing.",
  flags: {
    pictures: { type: "string", description: "folder for pictures of figures; default temporary" },
    timeout: { type: "number", default: 300, description: "seconds that a notebook may take" },
  },
  positionals: [
    { name: "notebook", description: "part of a file's name; default all", optional: true },
  ],
} as const;

/** The notebook that is stopped while it measures. */
const MEASURING = "02_acceptance.ipynb";

if (import.meta.main) {
  const { flags, positionals } = parseArguments(specification, Deno.args);
  await report(async (signal) => {
    requireInteger("try notebooks", "timeout", flags.timeout, 1);
    const files = await listNotebooks(join(ROOT, "notebooks"), positionals[0] ?? "");
    try {
      await tryAll(files, await findTools(), { ...flags, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MissingToolError)) throw error;
      console.log(`skipped: ${error.message}`);
    }
  });
}

/** Where pictures go, and what ends the trials. */
interface TrialOptions {
  readonly pictures: string | undefined;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Tries one notebook after the other, a line each. */
async function tryAll(
  files: readonly string[],
  { lab: command, browser, driver }: Tools,
  { pictures, timeout, signal }: TrialOptions,
): Promise<void> {
  const folder = pictures ?? await Deno.makeTempDir();
  await using lab = await startLab(command, ROOT);
  await using page = await openBrowser(driver, browser, timeout);
  signal.throwIfAborted();
  signal.addEventListener("abort", () => page[Symbol.asyncDispose]()); // what waits for it fails
  const place = { lab, page };
  let faults = 0;
  const tell = (file: string, outcome: Outcome) => {
    const word = outcome.faults.length === 0 ? "ok  " : "FAIL";
    console.log([`${word} ${basename(file)}: ${outcome.seen}`, ...outcome.faults].join("\n     "));
    faults += outcome.faults.length;
  };
  for (const file of files) tell(file, await tryFigures(file, folder, place));
  const measuring = files.find((file) => basename(file) === MEASURING);
  if (measuring) tell(measuring, await tryStop(measuring, place));
  console.log(`Pictures of the figures are in ${folder}`);
  if (faults > 0) {
    throw new NotebookError(`Cannot accept the notebooks as there are ${faults} faults: see above`);
  }
}
