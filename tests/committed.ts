/** The project with the data that git knows: a sweep adds rows of its own to what lies in `data`. */

import { join } from "node:path";

const ROOT = new URL("../", import.meta.url).pathname;

/** A folder that is the project, but its `data` is as it was committed or staged. */
export interface CommittedProject extends AsyncDisposable {
  /** Its path. */
  readonly folder: string;
}

/** Whether git can tell what is committed; a copy without it has only what lies there. */
export const HAS_GIT = await git(["rev-parse", "--is-inside-work-tree"]) === "true";

/** Makes such a folder: links to all that is code, a copy of the notebooks, git's copy of `data`. */
export async function committedProject(): Promise<CommittedProject> {
  const folder = await Deno.makeTempDir();
  for await (const { name } of Deno.readDir(ROOT)) {
    if (name === "data" || name === ".git") continue;
    // A kernel's working directory is what links lead to, so it must not run in one.
    if (name === "notebooks") await copyNotebooks(folder);
    else await Deno.symlink(join(ROOT, name), join(folder, name));
  }
  if (HAS_GIT) {
    const files = await git(["ls-files", "data"]);
    await git(["checkout-index", `--prefix=${folder}/`, "--", ...files.split("\n")]);
  } else await Deno.symlink(join(ROOT, "data"), join(folder, "data"));
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function copyNotebooks(folder: string): Promise<void> {
  await Deno.mkdir(join(folder, "notebooks"));
  for await (const { name } of Deno.readDir(join(ROOT, "notebooks"))) {
    if (!name.endsWith(".ipynb")) continue;
    await Deno.copyFile(join(ROOT, "notebooks", name), join(folder, "notebooks", name));
  }
}

async function git(args: readonly string[]): Promise<string> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("git", {
      args: ["-C", ROOT, ...args],
    }).output();
    if (!success) console.error(new TextDecoder().decode(stderr));
    return success ? new TextDecoder().decode(stdout).trim() : "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
