/**
 * Text as its tokens arrive.
 *
 * @module
 */

import type { GgufTokenizer, SpecialOptions } from "./tokenizer.ts";
import type { TokenId } from "./token.ts";

/**
 * Decodes tokens one at a time, and holds back the bytes of a character until it is complete. All
 * that it gives together is what `decode` gives for all the tokens.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const bytes = (token: number) => Uint8Array.of(token); // a vocabulary of the 256 bytes
 * const stream = new TextStream({ bytes });
 * assertEquals([0x68, 0xc3, 0xa9].map((token) => stream.push(token)), ["h", "", "é"]);
 * assertEquals(stream.end(), "");
 * ```
 */
export class TextStream {
  readonly #tokenizer: Pick<GgufTokenizer, "bytes">;
  readonly #options: SpecialOptions;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /**
   * Starts a text.
   *
   * @param tokenizer The tokens' tokeniser.
   * @param options Whether special tokens show.
   */
  constructor(tokenizer: Pick<GgufTokenizer, "bytes">, options: SpecialOptions = {}) {
    this.#tokenizer = tokenizer;
    this.#options = options;
  }

  /**
   * Takes a token.
   *
   * @param token The token.
   * @returns The text that it completes: often a word, sometimes nothing.
   * @throws {TokenizerError} If the vocabulary has no such token.
   */
  push(token: TokenId): string {
    return this.#decoder.decode(this.#tokenizer.bytes(token, this.#options), { stream: true });
  }

  /**
   * Ends the text.
   *
   * @returns U+FFFD if a character was left incomplete, else nothing.
   */
  end(): string {
    return this.#decoder.decode();
  }
}
