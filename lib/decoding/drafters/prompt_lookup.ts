/**
 * Prompt lookup: text that occurred before goes on as it did before.
 *
 * @module
 */

import type { TokenId } from "../../models/token.ts";
import { requireInteger } from "../../validate.ts";
import type { Drafter } from "./drafter.ts";

/** Settings of prompt lookup. */
export interface PromptLookupOptions {
  /** The longest suffix to look for. Default 3. */
  readonly longest?: number;
  /** The shortest suffix that counts as a match. Default 2. */
  readonly shortest?: number;
}

/**
 * Finds the newest earlier occurrence of the text's last n tokens, longest n first, and proposes
 * what followed it (Saxena 2023, "Prompt Lookup Decoding"). It costs next to nothing, and offers
 * nothing where the text repeats nothing.
 *
 * @param options Suffix lengths.
 * @returns The drafter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stream } from "@specbound/specbound";
 * const request = { limit: 2, sampling: {}, random: stream(1, "draft") };
 * const { tokens } = await promptLookup().propose([7, 8, 9, 4, 7, 8], request);
 * assertEquals(tokens, [9, 4]);
 * ```
 */
export function promptLookup(options: PromptLookupOptions = {}): Drafter {
  const { longest = 3, shortest = 2 } = options;
  requireInteger("look up", "shortest", shortest, 1);
  requireInteger("look up", "longest", longest, shortest);
  const index = new SuffixIndex(shortest, longest);
  return {
    name: `prompt lookup ${longest}-${shortest}`,
    propose(text, { limit }) {
      const at = index.find(text);
      return Promise.resolve({ tokens: at === undefined ? [] : text.slice(at, at + limit) });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Where each n-gram was last followed by something. Only new tokens are indexed in a round. */
class SuffixIndex {
  readonly #shortest: number;
  readonly #longest: number;
  readonly #ends = new Map<string, number>();
  #text: TokenId[] = [];

  constructor(shortest: number, longest: number) {
    this.#shortest = shortest;
    this.#longest = longest;
  }

  /** The position after the newest earlier occurrence of the longest indexed suffix. */
  find(text: readonly TokenId[]): number | undefined {
    this.#read(text);
    for (let n = Math.min(this.#longest, text.length - 1); n >= this.#shortest; n--) {
      const at = this.#ends.get(key(text, text.length - n, text.length));
      if (at !== undefined) return at;
    }
    return undefined;
  }

  /** Indexes what is new, up to but without the last token: its successor is not known. */
  #read(text: readonly TokenId[]): void {
    if (!startsWith(text, this.#text)) {
      this.#text = [];
      this.#ends.clear();
    }
    for (let end = this.#text.length; end < text.length; end++) {
      for (let n = this.#shortest; n <= Math.min(this.#longest, end); n++) {
        this.#ends.set(key(text, end - n, end), end);
      }
      this.#text.push(text[end]!);
    }
  }
}

function key(text: readonly TokenId[], from: number, to: number): string {
  return text.slice(from, to).join(" ");
}

function startsWith(text: readonly TokenId[], prefix: readonly TokenId[]): boolean {
  return prefix.length <= text.length && prefix.every((token, i) => token === text[i]);
}
