/**
 * Notebook files: read, written so that equal contents are equal bytes, and as one module to check.
 *
 * @module
 */

import { join } from "node:path";

/** What a cell showed. */
export type Output =
  | {
    readonly output_type: "display_data";
    readonly data: Readonly<Record<string, string | readonly string[]>>;
    readonly metadata: Readonly<Record<string, unknown>>;
  }
  | { readonly output_type: "stream"; readonly name: string; readonly text: readonly string[] };

/** What all cells have. */
interface AnyCell {
  /** Stable name, unique in its notebook. */
  readonly id: string;
  /** Tags and the like. */
  readonly metadata: { readonly tags?: readonly string[] };
  /** Lines, each with its line end but the last. */
  readonly source: readonly string[];
}

/** A cell of prose. */
export interface TextCell extends AnyCell {
  readonly cell_type: "markdown";
}

/** A cell of TypeScript. */
export interface CodeCell extends AnyCell {
  readonly cell_type: "code";
  /** Place among the code cells, from 1. */
  readonly execution_count: number | null;
  /** What it showed when it last ran. */
  readonly outputs: readonly Output[];
}

/** A notebook of format 4.5. */
export interface Notebook {
  readonly cells: readonly (TextCell | CodeCell)[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly nbformat: number;
  readonly nbformat_minor: number;
}

/** Raised when a notebook cannot be run or kept. */
export class NotebookError extends Error {
  /** "NotebookError". */
  override readonly name = "NotebookError";
}

/** Tags of the only code cells that need not show anything. */
const SILENT = ["imports", "parameters"];

/**
 * The notebooks of a folder.
 *
 * @param folder The folder.
 * @param part What their names must hold; "" for all.
 * @returns Their paths, in order of their names.
 * @throws {NotebookError} If there are none.
 */
export async function listNotebooks(folder: string, part: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
    .filter((name) => name.endsWith(".ipynb") && name.includes(part)).sort();
  if (names.length > 0) return names.map((name) => join(folder, name));
  throw new NotebookError(`Cannot run notebooks as ${folder} has none named *${part}*.ipynb`);
}

/**
 * Reads a notebook file.
 *
 * @param file Its path.
 * @returns The notebook.
 * @throws {NotebookError} If it is not a notebook of format 4.5 or later in 4.
 */
export async function readNotebook(file: string): Promise<Notebook> {
  const notebook = JSON.parse(await Deno.readTextFile(file)) as Notebook;
  if (notebook.nbformat === 4 && notebook.nbformat_minor >= 5) return notebook;
  throw new NotebookError(`Cannot read ${file} as it is no notebook of format 4.5: save it as one`);
}

/**
 * Formats the cells of a notebook: those of code and of prose. Deno formats notebooks, but its
 * `fmt --check` refuses them all.
 *
 * @param notebook The notebook.
 * @returns The notebook with other line breaks.
 * @throws {NotebookError} If a cell cannot be parsed.
 */
export async function formatNotebook(notebook: Notebook): Promise<Notebook> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext", "ipynb", "-"],
    cwd: new URL("../../", import.meta.url).pathname,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(writeNotebook(notebook)));
  await writer.close();
  const { success, stdout, stderr } = await process.output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  throw new NotebookError(`Cannot format the cells as ${new TextDecoder().decode(stderr).trim()}`);
}

/**
 * A notebook as the text of its file, in the form in which Jupyter itself saves.
 *
 * @param notebook The notebook.
 * @returns JSON with sorted keys, indented by one.
 */
export function writeNotebook(notebook: Notebook): string {
  return JSON.stringify(sorted(notebook), null, 1) + "\n";
}

/**
 * The code of a notebook as one module, with comments that name the cells.
 *
 * @param notebook The notebook.
 * @param folder URL of the folder that its relative imports start from.
 * @returns TypeScript.
 */
export function moduleOf(notebook: Notebook, folder: URL): string {
  return notebook.cells.filter((cell) => cell.cell_type === "code").map((cell) =>
    `// cell ${cell.id}\n${
      cell.source.join("").replace(
        /(\bfrom |\bimport )"(\.[^"]*)"/g,
        (_, before, specifier) => `${before}"${new URL(specifier, folder)}"`,
      )
    }\n`
  ).join("");
}

/**
 * A notebook with the outputs of a run, or an error if a run may not be kept.
 *
 * @param notebook The notebook.
 * @param outputs What each code cell showed, in order.
 * @param secrets Texts that no output may hold: paths of this machine.
 * @returns The notebook as it should be on file.
 * @throws {NotebookError} If a cell showed nothing, or one of the texts.
 */
export function withOutputs(
  notebook: Notebook,
  outputs: readonly (readonly Output[])[],
  secrets: readonly string[] = [],
): Notebook {
  let count = 0;
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== "code") return cell;
    const shown = outputs[count++] ?? [];
    if (shown.length === 0 && !cell.metadata.tags?.some((tag) => SILENT.includes(tag))) {
      throw new NotebookError(`Cannot keep cell ${cell.id} as it showed nothing: show a result`);
    }
    const text = JSON.stringify(shown);
    const leak = secrets.find((secret) => text.includes(secret));
    if (leak) {
      throw new NotebookError(
        `Cannot keep cell ${cell.id} as it shows ${leak}, a path of this machine`,
      );
    }
    return { ...cell, execution_count: count, outputs: shown };
  });
  return { ...notebook, cells };
}

/**
 * The cells that differ.
 *
 * @param before A notebook.
 * @param after The same, formatted and run.
 * @returns The ids of the cells.
 */
export function staleCells(before: Notebook, after: Notebook): string[] {
  return after.cells.filter((cell, i) => writeValue(cell) !== writeValue(before.cells[i])).map((
    { id },
  ) => id);
}

function writeValue(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map((
      [key, entry],
    ) => [key, sorted(entry)]),
  );
}
