/**
 * Text to tokens and back, by the model's own vocabulary.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { BYTE_SYMBOLS, bytesOf } from "./byte_level.ts";
import { mergerOf } from "./byte_pair.ts";
import type { Gguf } from "./gguf.ts";
import { pieceBytes, pieceMergerOf } from "./sentence_pieces.ts";
import { TextStream } from "./text_stream.ts";
import type { TokenId } from "./token.ts";
import { readVocabulary, type Vocabulary } from "./vocabulary.ts";

/** Whether special tokens take part. */
export interface SpecialOptions {
  /** By default false. */
  readonly special?: boolean;
}

/** How tokens become text. */
export interface TextOptions extends SpecialOptions {
  /**
   * Whether the tokens continue a text, so that a space before the first is one; else it goes if the
   * tokeniser puts one there (`spacePrefix`). By default false.
   */
  readonly continued?: boolean;
}

/** Turns text into tokens and back. */
export interface Tokenizer {
  /** Tokens in the vocabulary. */
  readonly vocabularySize: number;
  /** The tokens that end a text or a turn of a conversation, as `<|im_end|>`. */
  readonly endOfText: ReadonlySet<TokenId>;
  /** A hash of vocabulary and merges: equal where two models share them. */
  readonly fingerprint: string;
  /**
   * The text's tokens. Special tokens written out in it (`<|im_end|>`) are text like any other,
   * unless `special` is true. Throws a {@linkcode TokenizerError} if the text has a lone surrogate,
   * or a byte that the vocabulary has no token for.
   */
  encode(text: string, options?: SpecialOptions): TokenId[];
  /**
   * The tokens' text, without the special ones unless `special` is true. Bytes that are not UTF-8
   * become U+FFFD. Throws a {@linkcode TokenizerError} if an id is not in the vocabulary.
   */
  decode(tokens: readonly TokenId[], options?: TextOptions): string;
}

/** A tokeniser that was built from a GGUF file. */
export interface GgufTokenizer extends Tokenizer {
  /** The token that must start every text, if the model wants one; `encode` does not add it. */
  readonly beginOfText: TokenId | null;
  /** Whether `encode` puts a space before a text, and before text that follows a special token. */
  readonly spacePrefix: boolean;
  /**
   * A token's bytes, which may end inside a character. A special token has none, unless `special`
   * is true. Throws a {@linkcode TokenizerError} if the id is not in the vocabulary.
   */
  bytes(token: TokenId, options?: SpecialOptions): Uint8Array;
}

/**
 * A text or a token that a tokeniser cannot take, or a file without a tokeniser that is known.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const gguf = { path: "m.gguf", metadata: { "tokenizer.ggml.model": "bert" } };
 * assertThrows(() => tokenizerOf(gguf), TokenizerError, 'tokenizer.ggml.model is "bert"');
 * ```
 */
export class TokenizerError extends Error {
  /** The error's name, "TokenizerError". */
  override readonly name = "TokenizerError";
}

/**
 * Builds the tokeniser that a GGUF file describes: byte-level BPE ("gpt2") with one of the
 * pre-tokenisers of {@linkcode preTokenizers}, or SentencePiece's BPE ("llama").
 *
 * @param gguf The open file; only `path` and `metadata` are looked at.
 * @returns The tokeniser.
 * @throws {TokenizerError} If the file has none, a damaged one, or one of another kind.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const tokenizer = tokenizerOf({
 *   path: "toy.gguf",
 *   metadata: {
 *     "tokenizer.ggml.model": "gpt2",
 *     "tokenizer.ggml.pre": "gpt-2",
 *     "tokenizer.ggml.tokens": ["<end>", "h", "i", "Ġ", "hi", "Ġhi"],
 *     "tokenizer.ggml.token_type": [3, 1, 1, 1, 1, 1],
 *     "tokenizer.ggml.merges": ["h i", "Ġ hi"],
 *     "tokenizer.ggml.eos_token_id": 0,
 *   },
 * });
 * assertEquals(tokenizer.encode("hi hi"), [4, 5]);
 * assertEquals(tokenizer.encode("hi<end>", { special: true }), [4, 0]);
 * assertEquals(tokenizer.decode([4, 5, 0]), "hi hi");
 * assertEquals(tokenizer.endOfText, new Set([0]));
 * ```
 */
export function tokenizerOf(gguf: Pick<Gguf, "path" | "metadata">): GgufTokenizer {
  try {
    return new PairTokenizer(readVocabulary(gguf.metadata));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TokenizerError(
      `Cannot build a tokeniser from ${gguf.path} as ${error.message}: use another model`,
      { cause: error },
    );
  }
}

class PairTokenizer implements GgufTokenizer {
  readonly vocabularySize: number;
  readonly endOfText: ReadonlySet<TokenId>;
  readonly beginOfText: TokenId | null;
  readonly spacePrefix: boolean;
  readonly fingerprint: string;
  readonly #tokens: readonly string[];
  readonly #special: ReadonlySet<TokenId>;
  readonly #bytesOf: (entry: string, token: TokenId) => Uint8Array;
  readonly #mergeWords: (text: string) => TokenId[];
  /** Ids of tokens that are found in text before it is cut into words. */
  readonly #ids: ReadonlyMap<string, TokenId>;
  /** Finds these in text, with and without the special ones. */
  readonly #atoms: { readonly all: RegExp; readonly plain: RegExp };
  /** The bytes that have no token of their own. */
  readonly #missing: ReadonlySet<number>;

  constructor(vocabulary: Vocabulary) {
    const { tokens, special, userDefined } = vocabulary;
    this.vocabularySize = tokens.length;
    this.endOfText = vocabulary.endOfText;
    this.beginOfText = vocabulary.beginOfText;
    this.spacePrefix = vocabulary.spacePrefix;
    this.fingerprint = fingerprintOf(vocabulary);
    this.#tokens = tokens;
    this.#special = special;
    if (vocabulary.model === "llama") {
      this.#mergeWords = pieceMergerOf(vocabulary);
      this.#bytesOf = (entry, token) => pieceBytes(entry, vocabulary.bytes.has(token));
      this.#missing = new Set();
    } else {
      const known = new Set(tokens);
      const missing = BYTE_SYMBOLS.keys().filter((byte) => !known.has(BYTE_SYMBOLS[byte]!));
      this.#mergeWords = mergerOf(vocabulary);
      this.#bytesOf = bytesOf;
      this.#missing = new Set(missing);
    }
    this.#ids = new Map([...special, ...userDefined].map((id) => [tokens[id]!, id]));
    this.#atoms = {
      all: anyOf(this.#ids.keys()),
      plain: anyOf(userDefined.values().map((id) => tokens[id]!)),
    };
  }

  encode(text: string, { special = false }: SpecialOptions = {}): TokenId[] {
    if (!text.isWellFormed()) {
      throw new TokenizerError(
        "Cannot encode a text as it has a lone surrogate: replace it, as with toWellFormed()",
      );
    }
    const pieces = text.split(special ? this.#atoms.all : this.#atoms.plain);
    // The pattern captures, so that every second piece is what it found.
    return pieces.flatMap((piece, i) => i % 2 === 1 ? this.#ids.get(piece)! : this.#merge(piece));
  }

  decode(tokens: readonly TokenId[], options: TextOptions = {}): string {
    const stream = new TextStream(this, options);
    return tokens.map((token) => stream.push(token)).join("") + stream.end();
  }

  bytes(token: TokenId, { special = false }: SpecialOptions = {}): Uint8Array {
    const entry = this.#tokens[token];
    if (entry === undefined) {
      throw new TokenizerError(
        `Cannot decode token ${token} as the vocabulary has ids from 0 to ${
          this.vocabularySize - 1
        }: use the tokeniser that encoded it`,
      );
    }
    if (!this.#special.has(token)) return this.#bytesOf(entry, token);
    return special ? new TextEncoder().encode(entry) : new Uint8Array(0);
  }

  #merge(text: string): TokenId[] {
    if (text === "") return [];
    if (this.#missing.size > 0) {
      // The library would leave such bytes out without a word.
      const missing = new TextEncoder().encode(text).find((byte) => this.#missing.has(byte));
      if (missing !== undefined) {
        throw new TokenizerError(
          `Cannot encode a text as the vocabulary has no token for byte 0x${
            missing.toString(16).padStart(2, "0")
          }: remove the character that has it`,
        );
      }
    }
    return this.#mergeWords(text);
  }
}

/** Matches, and captures, the longest of these texts; nothing at all if there are none. */
function anyOf(texts: Iterable<string>): RegExp {
  const longestFirst = [...texts].filter((text) => text !== "")
    .sort((a, b) => b.length - a.length).map(RegExp.escape);
  return longestFirst.length === 0 ? /((?!))/ : new RegExp(`(${longestFirst.join("|")})`);
}

function fingerprintOf({ model, tokens, merges, scores, spacePrefix }: Vocabulary): string {
  const facts = model === "gpt2" ? [tokens, merges] : [tokens, scores, spacePrefix];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}
