/**
 * Text as its tokens arrive.
 *
 * @module
 */

import type { GgufTokenizer, TextOptions } from "./tokenizer.ts";
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
  readonly #options: TextOptions;
  /** Whether the next text is the first, and a space before it was put there by the tokeniser. */
  #prefixed: boolean;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /**
   * Starts a text.
   *
   * @param tokenizer The tokens' tokeniser.
   * @param options Whether special tokens show, and whether the tokens continue a text.
   */
  constructor(
    tokenizer: Pick<GgufTokenizer, "bytes"> & Partial<Pick<GgufTokenizer, "spacePrefix">>,
    options: TextOptions = {},
  ) {
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#prefixed = tokenizer.spacePrefix === true && options.continued !== true;
  }

  /**
   * Takes a token.
   *
   * @param token The token.
   * @returns The text that it completes: often a word, sometimes nothing.
   * @throws {TokenizerError} If the vocabulary has no such token.
   */
  push(token: TokenId): string {
    let bytes = this.#tokenizer.bytes(token, this.#options);
    if (this.#prefixed && bytes.length > 0) {
      this.#prefixed = false;
      if (bytes[0] === 0x20) bytes = bytes.subarray(1);
    }
    return this.#decoder.decode(bytes, { stream: true });
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
