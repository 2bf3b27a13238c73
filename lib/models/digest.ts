/**
 * SHA-256 of files.
 *
 * @module
 */

import { createHash } from "node:crypto";

/**
 * Hashes a file, a piece at a time.
 *
 * @param path The file.
 * @param options A signal that stops it.
 * @returns The SHA-256 as 64 lower-case hexadecimal digits.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const path = await Deno.makeTempFile();
 * assertEquals((await sha256File(path)).slice(0, 16), "e3b0c44298fc1c14");
 * ```
 */
export async function sha256File(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 20);
  for (let count = await file.read(piece); count !== null; count = await file.read(piece)) {
    options.signal?.throwIfAborted();
    hash.update(piece.subarray(0, count));
  }
  return hash.digest("hex");
}
