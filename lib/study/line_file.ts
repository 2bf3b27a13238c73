/**
 * Files of lines that a killed writer leaves torn at their end at most, one writer a folder.
 *
 * @module
 */

import { RecordError } from "./columns.ts";

/** The whole lines of a file. */
export interface Lines {
  /** Their text; empty if there is no file. */
  readonly text: string;
  /** Whether the file ends in the middle of a line. */
  readonly torn: boolean;
}

/**
 * Makes a folder and takes its lock. The operating system holds the lock and drops it with the
 * process, so it can never be stale.
 *
 * @param folder The folder.
 * @returns The lock; closing it lets others write.
 * @throws {RecordError} If another process writes there.
 */
export async function takeLock(folder: string): Promise<Deno.FsFile> {
  await Deno.mkdir(folder, { recursive: true });
  const lock = await Deno.open(`${folder}/.lock`, { create: true, write: true });
  if (await lock.tryLock(true)) return lock;
  lock.close();
  throw new RecordError(
    `Cannot open ${folder} as another process writes there: wait for it, or give another folder`,
  );
}

/**
 * Reads whole lines.
 *
 * @param path The file.
 * @returns The lines, none if there is no file.
 */
export async function readLines(path: string): Promise<Lines> {
  const bytes = await Deno.readFile(path).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  });
  const end = bytes.lastIndexOf(0x0a) + 1;
  return { text: new TextDecoder().decode(bytes.subarray(0, end)), torn: end < bytes.length };
}

/**
 * Puts another text in a file's place, all or nothing.
 *
 * @param path The file.
 * @param text The text.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await write(`${path}.partial`, text, { create: true, truncate: true });
  await Deno.rename(`${path}.partial`, path);
}

/**
 * Appends lines and writes them through to the disk.
 *
 * @param path The file, which exists.
 * @param text Whole lines.
 */
export function appendLines(path: string, text: string): Promise<void> {
  return write(path, text, { append: true });
}

async function write(path: string, text: string, options: Deno.OpenOptions): Promise<void> {
  using file = await Deno.open(path, { write: true, ...options });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.syncData();
}
