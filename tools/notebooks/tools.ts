/**
 * What working the notebooks in a browser needs beside Deno. Nobody else has to have it.
 *
 * @module
 */

import { delimiter, resolve } from "node:path";
import type { Driver } from "./browser.ts";

/** What there is. */
export interface Tools {
  /** Path of the command that starts JupyterLab. */
  readonly lab: string;
  /** Path of a browser of the Chromium family. */
  readonly browser: string;
  /** What drives the browser. */
  readonly driver: Driver;
}

/** Raised when a tool is not there. It says how to get it. */
export class MissingToolError extends Error {
  /** "MissingToolError". */
  override readonly name = "MissingToolError";
}

/** Not imported by its name: every task would fetch it. */
const DRIVER = "npm:playwright-core@1.65.1";
/** Browsers that will do. */
const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "Google Chrome"];
/** Where macOS has the last one. */
const APPLICATION = "/Applications/Google Chrome.app/Contents/MacOS";

/**
 * Looks for the tools. The driver is fetched, if the others are there.
 *
 * @param folders Folders of commands; by default those of the environment.
 * @returns What there is.
 * @throws {MissingToolError} If something is missing.
 */
export async function findTools(folders: readonly string[] = commandFolders()): Promise<Tools> {
  const lab = await findFile(["jupyter-lab"], folders);
  const browser = await findFile(BROWSERS, folders);
  if (lab && browser) return { lab, browser, driver: await fetchDriver() };
  const missing = [
    lab ? [] : "JupyterLab (pip install jupyterlab)",
    browser ? [] : "Chromium (apt-get install chromium, or Google Chrome)",
  ].flat();
  throw new MissingToolError(`Cannot open notebooks as there is no ${missing.join(" and no ")}`);
}

async function fetchDriver(): Promise<Driver> {
  try {
    return (await import(DRIVER)).chromium;
  } catch (error) {
    throw new MissingToolError(
      `Cannot open notebooks as ${DRIVER} does not load: ${(error as Error).message}`,
    );
  }
}

function commandFolders(): string[] {
  return [...(Deno.env.get("PATH") ?? "").split(delimiter), APPLICATION];
}

async function findFile(
  names: readonly string[],
  folders: readonly string[],
): Promise<string | null> {
  for (const file of names.flatMap((name) => folders.map((folder) => resolve(folder, name)))) {
    if (await Deno.stat(file).then(({ isFile }) => isFile, () => false)) return file;
  }
  return null;
}
