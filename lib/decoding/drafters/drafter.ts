/**
 * The seam for anything that proposes: a model, an n-gram table, a recorded trace, a tree.
 *
 * @module
 */

import type { TokenId } from "../../models/token.ts";
import type { Random } from "../../random.ts";
import type { Round } from "../round.ts";
import type { Distribution, Sampling } from "../sampling.ts";

/** Tokens that may come next. */
export interface Proposal {
  /** The tokens, parents before children; none if the drafter has nothing to offer. */
  readonly tokens: readonly TokenId[];
  /** For a tree, each token's parent index or −1. Default: a chain. */
  readonly parents?: readonly number[];
  /** The distribution each token was drawn from; absent if the tokens were chosen, not drawn. */
  readonly distributions?: readonly Distribution[];
  /** Name of the drafter that it is from, if not the one that was asked. */
  readonly drafter?: string;
}

/** What the loop asks of a drafter. */
export interface ProposalRequest {
  /** The deepest chain worth drafting: at least 1. */
  readonly limit: number;
  /** How the target samples; a drafter that draws must draw alike. */
  readonly sampling: Sampling;
  /** The stream for the drafter's own draws. */
  readonly random: Random;
  /**
   * Asked after each token with the drafter's probability of it and the count so far (in a tree:
   * the token's depth); false ends the draft there. If absent, or the drafter knows no
   * probabilities, nobody is asked.
   */
  readonly proceed?: ((confidence: number, drafted: number) => boolean) | undefined;
}

/** Proposes continuations of a growing text. */
export interface Drafter extends AsyncDisposable {
  /** Short name for records. */
  readonly name: string;
  /** Reads a prompt before decoding starts, so that prefill is not counted as drafting. */
  begin?(prompt: readonly TokenId[]): Promise<void>;
  /** Proposes what follows `text`. */
  propose(text: readonly TokenId[], request: ProposalRequest): Promise<Proposal>;
  /** Learns what became of the proposal; `text` now holds the emitted tokens. */
  observe?(round: Round, text: readonly TokenId[]): void;
}

/**
 * Whose proposal it is.
 *
 * @param proposal What was proposed.
 * @param asked The drafter that was asked.
 * @returns A drafter's name, or null if nothing was proposed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(proposerOf({ tokens: [7] }, { name: "model" }), "model");
 * assertEquals(proposerOf({ tokens: [] }, { name: "model" }), null);
 * ```
 */
export function proposerOf(proposal: Proposal, asked: Pick<Drafter, "name">): string | null {
  return proposal.tokens.length > 0 ? proposal.drafter ?? asked.name : null;
}
