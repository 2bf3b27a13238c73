/**
 * Lets one process at a time do something.
 *
 * @module
 */

/** How to wait for a lock. */
export interface LockOptions {
  /** Stops the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Called each time another was found to hold the lock. */
  readonly onWait?: () => void;
}

/**
 * Runs `action` while this process holds the lock on a file, which is created if need be and left
 * lying. The operating system releases the lock of a process that dies, so none is ever stale.
 *
 * @param path The lock's file.
 * @param action What to do.
 * @param options How to wait.
 * @returns What the action returns.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const path = await Deno.makeTempFile();
 * const done: number[] = [];
 * await Promise.all([1, 2].map((n) => withLock(path, async () => {
 *   done.push(n);
 *   await Promise.resolve();
 *   done.push(n);
 * })));
 * assertEquals(done[0], done[1]);
 * ```
 */
export async function withLock<T>(
  path: string,
  action: () => Promise<T>,
  { signal, onWait }: LockOptions = {},
): Promise<T> {
  using file = await Deno.open(path, { create: true, write: true });
  while (!await file.tryLock(true)) {
    signal?.throwIfAborted();
    onWait?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return await action();
}
