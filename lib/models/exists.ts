/**
 * Whether there is a file.
 *
 * @module
 */

/**
 * Whether a path leads to anything.
 *
 * @param path The path.
 * @returns Whether it does; what may not be looked at is an error.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([exists("deno.json"), exists("no/such/file")], [true, false]);
 * ```
 */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
