/**
 * Whose text a cache holds: one context leads, others may follow it, and all take turns.
 *
 * @module
 */

import type { KeyValueCache } from "./key_value_cache.ts";
import { type Context, type Evaluation, outdated } from "./language_model.ts";

/** The newest evaluation, and what committing it needs. */
export interface Newest {
  /** The evaluation. */
  readonly evaluation: Evaluation;
  /** Each row's tree. */
  readonly parents: readonly (readonly number[])[];
}

/** A cache, and the state of all contexts in it. */
export interface SharedCache {
  /** The cache. */
  cache: KeyValueCache;
  /** Committed tokens of each row of the leader. */
  readonly lengths: number[];
  /** Who used the cache last. */
  user?: CacheText;
  /** The newest evaluation, which is the user's. */
  newest?: Newest | null;
  /** Whether the leader was closed. */
  closed?: boolean;
}

/** The text that one context has in a cache. */
export class CacheText {
  /** The cache, and who else is there. */
  readonly shared: SharedCache;
  /** Whether the text goes on from the leader's. */
  readonly follows: boolean;
  readonly #own: number[];

  /**
   * Takes part in a cache.
   *
   * @param shared The cache.
   * @param follows Whether the text goes on from the leader's; else it is the leader's.
   */
  constructor(shared: SharedCache, follows: boolean) {
    this.shared = shared;
    this.follows = follows;
    this.#own = follows ? [] : shared.lengths;
  }

  /** Committed tokens of each row. A follower's are the leader's if another used the cache since. */
  get lengths(): readonly number[] {
    return this.#lengths();
  }

  /** Takes over the cache: no evaluation stands any longer. Gives the lengths, to be changed. */
  take(): number[] {
    const lengths = this.#lengths();
    this.shared.user = this;
    this.shared.newest = null;
    return lengths;
  }

  /** What an evaluation needs to be read or committed. Throws unless it is the newest of all. */
  newest(evaluation: Evaluation, action: string): Newest {
    const { user, newest } = this.shared;
    if (user === this && newest?.evaluation === evaluation) return newest;
    throw outdated(action);
  }

  /** The shortest text that a row can have: slots of the leader's are not a follower's to write. */
  least(row: number): number {
    return this.follows ? this.shared.lengths[row]! : 0;
  }

  #lengths(): number[] {
    if (this.follows && this.shared.user !== this) {
      this.#own.splice(0, Infinity, ...this.shared.lengths);
    }
    return this.#own;
  }
}

/**
 * Keeps a text that was read from another context's hidden states in step with that context. What
 * was read past its text came of states that were only foretold; it is forgotten when the context
 * moves on, to be read anew from the true ones.
 *
 * @param leader The context that the states are from.
 * @param lengths Committed tokens of each row of the text. They are cut in place.
 * @returns To be called before the lengths are looked at.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const leader = tableModel({ vocabularySize: 5, seed: 1 }).open();
 * const lengths = [0];
 * const keepStep = stepWith(leader, lengths);
 * await leader.append([[0, 1]]);
 * keepStep();
 * lengths[0] = 5; // two of the leader's text, the newest token after it, and two drafted
 * await leader.append([[2]]);
 * keepStep();
 * assertEquals(lengths, [3]);
 * ```
 */
export function stepWith(leader: Pick<Context, "length">, lengths: number[]): () => void {
  const seen = lengths.map((_, row) => leader.length(row));
  return () => {
    for (const [row, length] of lengths.entries()) {
      const known = leader.length(row);
      if (known === seen[row]) continue;
      // The state before a token is what it is read with, so one token more than the leader's counts.
      lengths[row] = Math.min(length, known < seen[row]! ? known : seen[row]! + 1);
      seen[row] = known;
    }
  };
}
