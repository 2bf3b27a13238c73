/**
 * The n-grams of the newest text, counted as it is written.
 *
 * @module
 */

import type { TokenId } from "../../models/token.ts";
import { requireInteger } from "../../validate.ts";

/** Settings of an n-gram table. */
export interface NgramTableOptions {
  /** The most tokens of context that count: n − 1. Default 8. */
  readonly order?: number;
  /**
   * Tokens that the table holds: the newest. What is older is forgotten. Fixes its memory, at 20
   * bytes a token. Default 65,536.
   */
  readonly capacity?: number;
}

/** What an n-gram table expects next. */
export interface Prediction {
  /** The token. */
  readonly token: TokenId;
  /** An estimate of its probability, from counts. */
  readonly confidence: number;
}

/** The place of no token: what stands before a text, and after it. */
export const NOWHERE: number = -1;

/** The shortest context that counts: of one token, what follows is anyone's guess. */
const SHORTEST = 2;

/** Occurrences of a context that are counted at most, newest first: bounds the time of a prediction. */
const EXAMINED = 256;

/** The largest place, as places are kept in 32 bits. */
const LAST = 2 ** 31 - 1;

/**
 * Counts what followed each context of up to `order` tokens in the newest `capacity` tokens of one
 * text or many, learnt in any order. Nothing is stored a context: tokens stand in a ring, those
 * that end the same pair are chained, and a prediction compares the newest of them with its
 * context, as a sliding-window compressor finds matches (LZ77 with hash chains, RFC 1951 §4). A
 * token costs the same however long the text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const table = new NgramTable();
 * let place = NOWHERE;
 * for (const token of [7, 8, 9, 7, 8, 9, 7, 8]) place = table.learn(token, place);
 * assertEquals(table.predict([7, 8])!.token, 9);
 * ```
 */
export class NgramTable {
  /** The most tokens of context that count. */
  readonly order: number;
  /** Tokens that the table holds. */
  readonly capacity: number;
  readonly #tokens: Int32Array;
  readonly #before: Int32Array;
  readonly #after: Int32Array;
  /** The place before each that ends with a pair of the same hash. */
  readonly #older: Int32Array;
  readonly #newest: Int32Array;
  readonly #successors = new Int32Array(EXAMINED);
  readonly #matched = new Int32Array(EXAMINED);
  /** Places are numbered as they are learnt; those below this are forgotten. */
  #first = 0;
  #next = 0;

  /**
   * An empty table.
   *
   * @param options Order and capacity.
   * @throws {RangeError} If a value is out of range.
   */
  constructor(options: NgramTableOptions = {}) {
    const { order = 8, capacity = 65_536 } = options;
    requireInteger("count n-grams", "order", order, SHORTEST);
    requireInteger("count n-grams", "capacity", capacity, 1, 2 ** 24);
    this.order = order;
    this.capacity = capacity;
    this.#tokens = new Int32Array(capacity);
    this.#before = new Int32Array(capacity);
    this.#after = new Int32Array(capacity);
    this.#older = new Int32Array(capacity);
    this.#newest = new Int32Array(capacity).fill(NOWHERE);
  }

  /**
   * Learns a token of a text.
   *
   * @param token The token.
   * @param before The place of the token before it, or `NOWHERE` at the beginning.
   * @returns Its place.
   */
  learn(token: TokenId, before: number): number {
    if (this.#next === LAST) this.#restart();
    const place = this.#next++;
    this.#first = Math.max(this.#first, this.#next - this.capacity);
    const slot = place % this.capacity;
    this.#tokens[slot] = token;
    this.#before[slot] = this.#after[slot] = this.#older[slot] = NOWHERE;
    if (!this.#holds(before)) return place;
    const bucket = this.#bucketOf(this.#tokens[before % this.capacity]!, token);
    this.#after[before % this.capacity] = place;
    this.#before[slot] = before;
    this.#older[slot] = this.#newest[bucket]!;
    this.#newest[bucket] = place;
    return place;
  }

  /**
   * Unlearns the last token of a text.
   *
   * @param place Where it is.
   * @returns The place of the token before it, which is the last one then, or `NOWHERE`.
   */
  forget(place: number): number {
    if (!this.#holds(place)) return NOWHERE;
    const before = this.#before[place % this.capacity]!;
    if (this.#holds(before)) this.#after[before % this.capacity] = NOWHERE;
    return before;
  }

  /** Forgets everything. */
  clear(): void {
    this.#first = this.#next;
  }

  /**
   * The token that most often followed the longest context that is known; of equals the newest.
   *
   * Its probability is estimated by blending the counts of all contexts up to that one:
   * P_n = (count + P_{n−1}) / (total + 1), method A of PPM (Cleary and Witten 1984). What was seen
   * once after a long context is surer than what was seen once after a short one.
   *
   * @param context The newest tokens, oldest first; more than `order` are of no use.
   * @returns The token, or null if the context's last two tokens are not known.
   */
  predict(context: readonly TokenId[]): Prediction | null {
    const found = this.#examine(context);
    let longest = 0;
    for (let i = 0; i < found; i++) longest = Math.max(longest, this.#matched[i]!);
    if (longest === 0) return null;
    const token = this.#favourite(found, longest);
    let confidence = 0;
    for (let length = SHORTEST; length <= longest; length++) {
      let [count, total] = [0, 0];
      for (let i = 0; i < found; i++) {
        if (this.#matched[i]! < length) continue;
        total++;
        if (this.#successors[i] === token) count++;
      }
      confidence = (count + confidence) / (total + 1);
    }
    return { token, confidence };
  }

  /** Finds what followed the context's last pair, and how many tokens match there. Newest first. */
  #examine(context: readonly TokenId[]): number {
    if (context.length < SHORTEST) return 0;
    let found = 0;
    let place = this.#newest[this.#bucketOf(context.at(-2)!, context.at(-1)!)]!;
    for (let i = 0; i < EXAMINED && this.#holds(place); i++) {
      const slot = place % this.capacity;
      const after = this.#after[slot]!;
      const matched = after === NOWHERE ? 0 : this.#match(place, context);
      if (matched >= SHORTEST) {
        this.#successors[found] = this.#tokens[after % this.capacity]!;
        this.#matched[found++] = matched;
      }
      place = this.#older[slot]!;
    }
    return found;
  }

  /** How many tokens up to a place are those that the context ends with. */
  #match(place: number, context: readonly TokenId[]): number {
    const most = Math.min(this.order, context.length);
    let length = 0;
    while (length < most && this.#holds(place)) {
      const slot = place % this.capacity;
      if (this.#tokens[slot] !== context[context.length - 1 - length]) break;
      place = this.#before[slot]!;
      length++;
    }
    return length;
  }

  /** The most frequent successor of the longest matches. */
  #favourite(found: number, longest: number): TokenId {
    const votes = new Map<TokenId, number>();
    for (let i = 0; i < found; i++) {
      if (this.#matched[i] !== longest) continue;
      const token = this.#successors[i]!;
      votes.set(token, (votes.get(token) ?? 0) + 1);
    }
    let [favourite, most] = [NOWHERE, 0];
    for (const [token, count] of votes) if (count > most) [favourite, most] = [token, count];
    return favourite;
  }

  #holds(place: number): boolean {
    return place >= this.#first && place < this.#next;
  }

  #bucketOf(first: TokenId, second: TokenId): number {
    return (Math.imul(Math.imul(first, 0x9e3779b1) ^ second, 0x85ebca6b) >>> 8) % this.capacity;
  }

  #restart(): void {
    this.#first = this.#next = 0;
    this.#newest.fill(NOWHERE);
  }
}
