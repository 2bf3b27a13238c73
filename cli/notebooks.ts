/**
 * `deno task notebooks`: runs the notebooks from top to bottom and keeps what they show.
 *
 * @module
 */

import { join } from "node:path";
import { startKernel } from "../tools/notebooks/kernel.ts";
import {
  formatNotebook,
  listNotebooks,
  moduleOf,
  type Notebook,
  NotebookError,
  type Output,
  readNotebook,
  staleCells,
  withOutputs,
  writeNotebook,
} from "../tools/notebooks/notebook.ts";
import { requireInteger } from "../lib/validate.ts";
import { parseArguments } from "./arguments.ts";
import { report } from "./report.ts";

const ROOT = new URL("../", import.meta.url);

const specification = {
  command: "deno task notebooks",
  summary: "Formats every notebook, runs it on the Deno kernel and writes what it shows into it.",
  flags: {
    check: { type: "boolean", description: "write nothing, and fail if a notebook is stale" },
    types: { type: "boolean", description: "run nothing, and check types and lint of all cells" },
    timeout: { type: "number", default: 600, description: "seconds that a cell may take" },
    folder: { type: "string", default: "notebooks", description: "folder of the notebooks" },
  },
  positionals: [
    { name: "notebook", description: "part of a file's name; default all", optional: true },
  ],
} as const;

if (import.meta.main) {
  const { flags, positionals } = parseArguments(specification, Deno.args);
  await report(async () => {
    requireInteger("run notebooks", "timeout", flags.timeout, 1);
    const files = await listNotebooks(flags.folder, positionals[0] ?? "");
    if (flags.types) return await checkTypes(files);
    for (const file of files) await refresh(file, flags);
  });
}

/** Runs a notebook, and keeps the outcome or compares it with what is on file. */
async function refresh(
  file: string,
  { check, timeout, folder }: { check: boolean; timeout: number; folder: string },
): Promise<void> {
  const started = performance.now();
  const before = await readNotebook(file);
  const notebook = await formatNotebook(before);
  const outputs = await runCells(file, notebook, { folder, timeout });
  const secrets = [ROOT.pathname, Deno.env.get("HOME") ?? ""].filter((path) => path.length > 1);
  const after = withOutputs(notebook, outputs, secrets);
  const stale = staleCells(before, after);
  if (check && stale.length > 0) {
    throw new NotebookError(
      `Cannot accept ${file} as cells are stale or not formatted: ${
        stale.join(", ")
      }; run deno task notebooks`,
    );
  }
  if (!check) await Deno.writeTextFile(file, writeNotebook(after));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const outcome = stale.length === 0 ? "as on file" : `changed ${stale.join(", ")}`;
  console.log(`${file}: ${outputs.length} cells, ${outcome} (${seconds} s)`);
}

async function runCells(
  file: string,
  { cells }: Notebook,
  options: { readonly folder: string; readonly timeout: number },
): Promise<Output[][]> {
  await using kernel = await startKernel(options);
  const outputs: Output[][] = [];
  for (const cell of cells.filter((cell) => cell.cell_type === "code")) {
    try {
      outputs.push(await kernel.run(cell.source.join("")));
    } catch (error) {
      if (!(error instanceof NotebookError)) throw error;
      throw new NotebookError(`Cannot run ${file}, cell ${cell.id}: ${error.message}`);
    }
  }
  return outputs;
}

/** The kernel checks no types and Deno reads no notebooks, so the cells are checked as modules. */
async function checkTypes(files: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const modules = await Promise.all(files.map(async (file) => {
      const module = join(folder, `${file.replace(/\W+/g, "_")}.ts`);
      const notebook = await readNotebook(file);
      await Deno.writeTextFile(module, moduleOf(notebook, new URL(file, ROOT)));
      return module;
    }));
    for (const command of ["check", "lint"]) {
      const args = [
        command,
        "--quiet",
        "--config",
        new URL("deno.json", ROOT).pathname,
        ...modules,
      ];
      const { success } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
      if (!success) {
        throw new NotebookError(`Cannot accept the notebooks as deno ${command} failed: see above`);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
