/**
 * Whether memory is there. A system that promises more than it has does not refuse it: it ends the
 * process later, without a word.
 *
 * @module
 */

import { ContextError } from "./language_model.ts";

/**
 * Throws if memory is certainly not there. Where the system may not be asked (without
 * `--allow-sys=systemMemoryInfo`), it is left to the library to refuse.
 *
 * @param bytes How much is wanted.
 * @param what What for: "keys and values of 1 × 8192 tokens".
 * @throws {ContextError} If less is available.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { ContextError } from "@specbound/specbound";
 * requireMemory(1e6, "a little");
 * assertThrows(() => requireMemory(1e15, "far too much"), ContextError, "1000000.0 GB");
 * ```
 */
export function requireMemory(bytes: number, what: string): void {
  const available = availableMemory();
  if (bytes <= available) return;
  throw new ContextError(
    `Cannot take memory for ${what} as that is ${gigabytes(bytes)} and ${
      gigabytes(available)
    } is available: shorten the text, decode fewer rows, or end other programs`,
  );
}

function availableMemory(): number {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  return state === "granted" ? Deno.systemMemoryInfo().available : Infinity;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
