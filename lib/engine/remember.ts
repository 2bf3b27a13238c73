/**
 * Answers about this machine that take seconds to find, kept between runs.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { cpus, hostname } from "node:os";
import { join } from "node:path";
import { isDiskFull, isUnwritable } from "../models/storage.ts";
import { VERSION } from "../onnx/mod.ts";

/**
 * Finds an answer once for each machine, release of ONNX Runtime and key.
 *
 * @param cache The cache directory.
 * @param key What the answer depends on beside the machine.
 * @param find Finds the answer.
 * @param stands Whether an answer that was kept still stands; by default every one does.
 * @returns The answer, which must survive JSON.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const cache = await Deno.makeTempDir();
 * assertEquals(await remember(cache, ["widths"], () => Promise.resolve([1, 2])), [1, 2]);
 * assertEquals(await remember(cache, ["widths"], () => Promise.resolve([3])), [1, 2]);
 * ```
 */
export async function remember<T>(
  cache: string,
  key: readonly unknown[],
  find: () => Promise<T>,
  stands: (answer: T) => boolean = () => true,
): Promise<T> {
  // Machines that share a home directory are told apart by name.
  const all = JSON.stringify([...key, hostname(), cpus()[0]?.model, VERSION]);
  const name = createHash("sha256").update(all).digest("hex").slice(0, 32);
  const file = join(cache, "probes", `${name}.json`);
  try {
    const kept: T = JSON.parse(Deno.readTextFileSync(file));
    if (stands(kept)) return kept;
  } catch (error) {
    // A torn file is as good as none.
    if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
  }
  const found = await find();
  const aside = `${file}.${Deno.pid}`;
  try {
    Deno.mkdirSync(join(cache, "probes"), { recursive: true });
    Deno.writeTextFileSync(aside, JSON.stringify(found));
    Deno.renameSync(aside, file);
  } catch (error) {
    // A cache that is full or cannot be written costs a search each time, no more.
    if (!isDiskFull(error) && !isUnwritable(error)) throw error;
  }
  return found;
}
