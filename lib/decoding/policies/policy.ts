/**
 * The seam for deciding how far to draft.
 *
 * @module
 */

import type { Round } from "../round.ts";

/** What a policy may know when it decides. */
export interface PolicyState {
  /** Tokens in the text so far, prompt included. */
  readonly position: number;
  /** Tokens emitted so far. */
  readonly emitted: number;
  /** The round before, or null at the first. */
  readonly last: Round | null;
}

/** Decides how far to draft. */
export interface Policy {
  /** Short name for records: "fixed 4". */
  readonly name: string;
  /** The most tokens to draft in the coming round; 0 decodes it plainly. */
  limit(state: PolicyState): number;
  /** Whether to draft on past a token of this probability, the `drafted`-th. Default: yes. */
  proceed?(confidence: number, drafted: number): boolean;
}
