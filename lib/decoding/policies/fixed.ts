/**
 * The same draft length in every round.
 *
 * @module
 */

import { requireInteger } from "../../validate.ts";
import type { Policy } from "./policy.ts";

/**
 * Drafts `draftLength` tokens a round, as Leviathan et al. (2023) and Chen et al. (2023) do.
 *
 * @param draftLength K; 0 is plain decoding.
 * @returns The policy.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(fixed(4).limit({ position: 100, emitted: 0, last: null }), 4);
 * ```
 */
export function fixed(draftLength: number): Policy {
  requireInteger("draft", "draftLength", draftLength, 0);
  return { name: `fixed ${draftLength}`, limit: () => draftLength };
}
