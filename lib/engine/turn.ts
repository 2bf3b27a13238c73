/**
 * The event loop's turn between passes.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Milliseconds between turns: below what a hand at the keyboard notices. */
const BETWEEN = 10;

let latest = 0;

/**
 * Lets signals, timers and other tasks have their turn if they have waited for long. A turn takes 20
 * microseconds right after a pass, when nothing of it is left in the processor's caches: a fifteenth
 * of a small draft's pass.
 *
 * @returns At once, or after the turn.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * let hadTurn = false;
 * setTimeout(() => hadTurn = true, 0);
 * for (const end = performance.now() + 1_000; !hadTurn && performance.now() < end;) await giveTurn();
 * assert(hadTurn);
 * ```
 */
export async function giveTurn(): Promise<void> {
  if (performance.now() - latest < BETWEEN) return;
  await new Promise((resolve) => setImmediate(resolve));
  latest = performance.now();
}
