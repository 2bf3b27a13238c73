/**
 * The vocabulary in a GGUF file's metadata, checked.
 *
 * @module
 */

import type { TokenId } from "./token.ts";

/** What a tokeniser is built from. */
export interface Vocabulary {
  /** The entry of every token. */
  readonly tokens: readonly string[];
  /** BPE's merges, the first to be done first: "h i". */
  readonly merges: readonly string[];
  /** The name of the pre-tokeniser. */
  readonly preTokenizer: string;
  /** Tokens that are no text: they control the model. */
  readonly special: ReadonlySet<TokenId>;
  /** Tokens that are text, taken whole before anything is merged. */
  readonly userDefined: ReadonlySet<TokenId>;
  /** Tokens after which the model has nothing more to say. */
  readonly endOfText: ReadonlySet<TokenId>;
  /** The token that must start every text, if there must be one. */
  readonly beginOfText: TokenId | null;
}

/** Numbers in `tokenizer.ggml.token_type`. */
const TYPES = { unknown: 2, control: 3, userDefined: 4 };

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
 * Reads a byte-level BPE vocabulary.
 *
 * @param metadata A GGUF file's metadata.
 * @returns The vocabulary.
 * @throws {RangeError} If it is of another kind or not sound; the message is a reason.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const metadata = { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ["a", 7] };
 * assertThrows(() => readVocabulary(metadata), RangeError, "tokenizer.ggml.tokens");
 * ```
 */
export function readVocabulary(metadata: Readonly<Record<string, unknown>>): Vocabulary {
  const model = metadata["tokenizer.ggml.model"];
  if (model !== "gpt2") {
    const found = typeof model === "string" ? JSON.stringify(model) : typeof model;
    throw new RangeError(`tokenizer.ggml.model is ${found}, not "gpt2"`);
  }
  const preTokenizer = metadata["tokenizer.ggml.pre"] ?? "default";
  if (typeof preTokenizer !== "string") throw new RangeError("tokenizer.ggml.pre is no name");
  const tokens = strings(metadata, "tokenizer.ggml.tokens");
  const merges = strings(metadata, "tokenizer.ggml.merges");
  if (!merges.every((merge) => merge.indexOf(" ", 1) > 0)) {
    throw new RangeError("tokenizer.ggml.merges has an entry that is no pair");
  }
  const types = metadata["tokenizer.ggml.token_type"] ?? tokens.map(() => 1);
  if (!Array.isArray(types) || types.length !== tokens.length) {
    throw new RangeError("tokenizer.ggml.token_type is not as long as tokenizer.ggml.tokens");
  }
  const special = new Set<TokenId>();
  const userDefined = new Set<TokenId>();
  types.forEach((type, id) => {
    if (type === TYPES.control || type === TYPES.unknown) special.add(id);
    if (type === TYPES.userDefined) userDefined.add(id);
  });

  const begin = tokenId(metadata, "tokenizer.ggml.bos_token_id", tokens.length);
  const ends = ENDS.map((entry) => tokens.indexOf(entry)).filter((id) => special.has(id));
  for (const name of ["eos", "eot", "eom"]) {
    const id = tokenId(metadata, `tokenizer.ggml.${name}_token_id`, tokens.length);
    if (id !== null) ends.push(id);
  }
  return {
    tokens,
    merges,
    preTokenizer,
    special,
    userDefined,
    endOfText: new Set(ends),
    beginOfText: metadata["tokenizer.ggml.add_bos_token"] === true ? begin : null,
  };
}

function strings(metadata: Readonly<Record<string, unknown>>, key: string): string[] {
  const value = metadata[key];
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
  throw new RangeError(`${key} is no list of strings`);
}

function tokenId(
  metadata: Readonly<Record<string, unknown>>,
  key: string,
  size: number,
): TokenId | null {
  const id = metadata[key] ?? null;
  if (id === null || typeof id === "number" && Number.isInteger(id) && id >= 0 && id < size) {
    return id;
  }
  throw new RangeError(`${key} is ${id}, outside the vocabulary of ${size}`);
}
