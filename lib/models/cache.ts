/**
 * Where downloaded models and built graphs are kept.
 *
 * @module
 */

/**
 * No place for a cache: none of the environment variables that would name one is set.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => cacheDirectoryOf("linux", () => undefined), CacheError);
 * ```
 */
export class CacheError extends Error {
  /** The error's name, "CacheError". */
  override readonly name = "CacheError";
}

/**
 * This machine's cache directory, which need not exist yet.
 *
 * @returns The directory's path.
 * @throws {CacheError} If no environment variable names a place.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const directory = cacheDirectory();
 * assert(directory === Deno.env.get("SPECBOUND_CACHE") || directory.endsWith("specbound"));
 * ```
 */
export function cacheDirectory(): string {
  return cacheDirectoryOf(Deno.build.os, (name) => Deno.env.get(name));
}

/**
 * The cache directory of a machine: what SPECBOUND_CACHE says, else `specbound` where such a
 * system keeps caches. Asks for no variable after the first that is set, so where SPECBOUND_CACHE
 * is set no permission for another is needed.
 *
 * @param os The operating system.
 * @param env Looks up an environment variable; one that is empty counts as not set.
 * @returns The directory's path.
 * @throws {CacheError} If no environment variable names a place.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const env = (name: string) => ({ HOME: "/home/ada" })[name];
 * assertEquals(cacheDirectoryOf("linux", env), "/home/ada/.cache/specbound");
 * assertEquals(cacheDirectoryOf("darwin", env), "/home/ada/Library/Caches/specbound");
 * ```
 */
export function cacheDirectoryOf(
  os: typeof Deno.build.os,
  env: (name: string) => string | undefined,
): string {
  const chosen = env("SPECBOUND_CACHE");
  if (chosen) return chosen;
  const caches = cachesOf(os, env);
  if (caches) return `${caches}/specbound`;
  throw new CacheError(
    `Cannot find a cache directory as neither SPECBOUND_CACHE nor ${
      os === "windows" ? "LOCALAPPDATA" : "HOME"
    } is set: set SPECBOUND_CACHE to a directory`,
  );
}

function cachesOf(
  os: typeof Deno.build.os,
  env: (name: string) => string | undefined,
): string | undefined {
  if (os === "windows") return env("LOCALAPPDATA");
  const shared = os === "darwin" ? undefined : env("XDG_CACHE_HOME");
  if (shared) return shared;
  const home = env("HOME");
  return home && `${home}/${os === "darwin" ? "Library/Caches" : ".cache"}`;
}
