/**
 * What a disk refuses, as an error that says what to do.
 *
 * @module
 */

/**
 * A disk that is full, or a directory that cannot be written: "Cannot ACTION as REASON: WAY OUT".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(new StorageError("Cannot fetch m as the disk is full").name, "StorageError");
 * ```
 */
export class StorageError extends Error {
  /** The error's name, "StorageError". */
  override readonly name = "StorageError";
}

/** What is to be stored, and where. */
export interface Storing {
  /** What cannot be done if it fails: "fetch smollm2". */
  readonly action: string;
  /** The directory. */
  readonly directory: string;
  /** The bytes that are still to be written, asked for when the disk is full. */
  readonly missing: () => number;
}

/**
 * Stores something in a cache.
 *
 * @param storing What, and where.
 * @param store Does it.
 * @returns What `store` returns.
 * @throws {StorageError} If the disk is full or the directory cannot be written. Any other error
 *   of `store` is thrown as it is.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * const directory = await Deno.makeTempFile();
 * await assertRejects(
 *   () => storing({ action: "fetch m", directory, missing: () => 3e6 }, async () => {
 *     await Deno.mkdir(`${directory}/models`);
 *   }),
 *   StorageError,
 *   "cannot be written",
 * );
 * ```
 */
export async function storing<T>(
  { action, directory, missing }: Storing,
  store: () => Promise<T>,
): Promise<T> {
  try {
    return await store();
  } catch (cause) {
    if (isDiskFull(cause)) {
      const megabytes = (Math.ceil(missing() / 1e5) / 10).toFixed(1);
      throw new StorageError(
        `Cannot ${action} as the disk of ${directory} is full: free ${megabytes} MB there, or set SPECBOUND_CACHE to a directory on another disk`,
        { cause },
      );
    }
    if (!isUnwritable(cause)) throw cause;
    throw new StorageError(
      `Cannot ${action} as ${directory} cannot be written (${cause.message}): make it writable, or set SPECBOUND_CACHE to another directory`,
      { cause },
    );
  }
}

/**
 * Whether an error says that the disk, or the user's share of it, is full. Python, which writes
 * wheels here, says so in words.
 *
 * @param error The error.
 * @returns Whether it does.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(isDiskFull(new Error("OSError: [Errno 28] No space left on device")));
 * assert(!isDiskFull(new Error("no answer within 10 s")));
 * ```
 */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ["ENOSPC", "EDQUOT"].includes(codeOf(error)) || /\[Errno (28|122)\]/.test(error.message);
}

/**
 * Whether an error says that a place cannot be written, however much room there is: permissions, a
 * read-only disk, a file where a directory is wanted.
 *
 * @param error The error.
 * @returns Whether it does.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(isUnwritable(new Deno.errors.PermissionDenied("Permission denied")));
 * assert(!isUnwritable(new Error("no answer within 10 s")));
 * ```
 */
export function isUnwritable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { PermissionDenied, NotCapable, NotADirectory, AlreadyExists } = Deno.errors;
  return [PermissionDenied, NotCapable, NotADirectory, AlreadyExists]
    .some((type) => error instanceof type) ||
    codeOf(error) === "EROFS" ||
    /\[Errno 30\]/.test(error.message);
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}
