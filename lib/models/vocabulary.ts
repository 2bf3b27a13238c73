/**
 * The vocabulary in a GGUF file's metadata, checked.
 *
 * @module
 */

import { preTokenizerOf } from "./pre_tokenizer.ts";
import type { TokenId } from "./token.ts";

/** What a tokeniser is built from. */
export interface Vocabulary {
  /** "gpt2": byte-level BPE by merges. "llama": SentencePiece's BPE by scores. */
  readonly model: "gpt2" | "llama";
  /** The entry of every token. */
  readonly tokens: readonly string[];
  /** Merges of "gpt2", the first to be done first: "h i". */
  readonly merges: readonly string[];
  /** Each token's score in "llama": pairs that make the best one are merged first. */
  readonly scores: readonly number[];
  /** The name of the pre-tokeniser of "gpt2". */
  readonly preTokenizer: string;
  /** Tokens that are no text: they control the model. */
  readonly special: ReadonlySet<TokenId>;
  /** Tokens that are text, taken whole before anything is merged. */
  readonly userDefined: ReadonlySet<TokenId>;
  /** Tokens that are single bytes in "llama". */
  readonly bytes: ReadonlySet<TokenId>;
  /** Tokens after which the model has nothing more to say. */
  readonly endOfText: ReadonlySet<TokenId>;
  /** The token that must start every text, if there must be one. */
  readonly beginOfText: TokenId | null;
  /** Whether "llama" puts a space before text. */
  readonly spacePrefix: boolean;
}

/** Numbers in `tokenizer.ggml.token_type`. */
const TYPES = { unknown: 2, control: 3, userDefined: 4, byte: 6 };

/** Tokens that end a turn or a text, in vocabularies whose metadata names only one of the two. */
const ENDS = [
  "<|im_end|>",
  "<|endoftext|>",
  "<|eot_id|>",
  "<|eom_id|>",
  "<|end_of_text|>",
  "<|end|>",
];

/**
 * Reads the vocabulary of a byte-level BPE or of SentencePiece's.
 *
 * @param metadata A GGUF file's metadata.
 * @returns The vocabulary.
 * @throws {RangeError} If it is of another kind or not sound; the message is a reason.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const metadata = { "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a", 7] };
 * assertThrows(() => readVocabulary(metadata), RangeError, "tokenizer.ggml.tokens");
 * ```
 */
export function readVocabulary(metadata: Readonly<Record<string, unknown>>): Vocabulary {
  const model = metadata["tokenizer.ggml.model"];
  if (model !== "gpt2" && model !== "llama") {
    const found = typeof model === "string" ? JSON.stringify(model) : typeof model;
    throw new RangeError(`tokenizer.ggml.model is ${found}, neither "gpt2" nor "llama"`);
  }
  const tokens = strings(metadata, "tokenizer.ggml.tokens");
  const pieces = model === "llama";
  const preTokenizer = metadata["tokenizer.ggml.pre"] ?? "default";
  if (typeof preTokenizer !== "string") throw new RangeError("tokenizer.ggml.pre is no name");
  const merges = pieces ? [] : strings(metadata, "tokenizer.ggml.merges");
  if (!merges.every((merge) => merge.indexOf(" ", 1) > 0)) {
    throw new RangeError("tokenizer.ggml.merges has an entry that is no pair");
  }
  const scores = pieces ? numbers(metadata, "tokenizer.ggml.scores", tokens.length) : [];
  const types = numbers(metadata, "tokenizer.ggml.token_type", tokens.length, pieces ? null : 1);
  const special = new Set<TokenId>();
  const userDefined = new Set<TokenId>();
  const bytes = new Set<TokenId>();
  types.forEach((type, id) => {
    if (type === TYPES.control || type === TYPES.unknown) special.add(id);
    if (type === TYPES.userDefined) userDefined.add(id);
    if (type === TYPES.byte) bytes.add(id);
  });

  const id = (name: string, fallback: TokenId | null = null): TokenId | null =>
    tokenId(metadata, `tokenizer.ggml.${name}_token_id`, tokens.length, fallback);
  const flag = (name: string, fallback: boolean): boolean => {
    const value = metadata[`tokenizer.ggml.${name}`] ?? fallback;
    if (typeof value === "boolean") return value;
    throw new RangeError(`tokenizer.ggml.${name} is neither true nor false`);
  };
  // What llama.cpp takes for granted where the metadata is silent.
  const begin = id("bos", pieces ? 1 : null);
  const addsBegin = pieces || preTokenizerOf(preTokenizer)?.beginOfText === true;
  const ends = ENDS.map((entry) => tokens.indexOf(entry)).filter((id) => special.has(id));
  for (const end of [id("eos", pieces ? 2 : null), id("eot"), id("eom")]) {
    if (end !== null) ends.push(end);
  }
  return {
    model,
    tokens,
    merges,
    scores,
    preTokenizer,
    special,
    userDefined,
    bytes,
    endOfText: new Set(ends),
    beginOfText: flag("add_bos_token", addsBegin) ? begin : null,
    spacePrefix: pieces && flag("add_space_prefix", true),
  };
}

function strings(metadata: Readonly<Record<string, unknown>>, key: string): string[] {
  const value = metadata[key];
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
  throw new RangeError(`${key} is no list of strings`);
}

/** A number for each token; `fallback`, if it is one, where there is no list. */
function numbers(
  metadata: Readonly<Record<string, unknown>>,
  key: string,
  size: number,
  fallback: number | null = null,
): number[] {
  const value = metadata[key] ?? (fallback === null ? [] : new Array(size).fill(fallback));
  if (!Array.isArray(value) || value.length !== size) {
    throw new RangeError(`${key} is not as long as tokenizer.ggml.tokens`);
  }
  if (value.every((entry) => typeof entry === "number")) return value;
  throw new RangeError(`${key} is no list of numbers`);
}

function tokenId(
  metadata: Readonly<Record<string, unknown>>,
  key: string,
  size: number,
  fallback: TokenId | null,
): TokenId | null {
  const id = metadata[key] ?? fallback;
  if (id === null || typeof id === "number" && Number.isInteger(id) && id >= 0 && id < size) {
    return id;
  }
  throw new RangeError(`${key} is ${id}, outside the vocabulary of ${size}`);
}
