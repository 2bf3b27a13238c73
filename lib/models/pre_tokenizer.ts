/**
 * How text is cut into words before BPE merges within each, by the name in
 * `tokenizer.ggml.pre`. The patterns are those of llama.cpp, which GGUF files are made for.
 *
 * @module
 */

/** A pre-tokeniser. */
export interface PreTokenizer {
  /** Patterns, each of which cuts what the one before left whole; a match is a word. */
  readonly patterns: readonly string[];
  /** Whether a word that is a vocabulary entry is taken as it is, without merging. */
  readonly ignoreMerges: boolean;
  /** Whether a text starts with the begin-of-text token where the metadata does not say. */
  readonly beginOfText: boolean;
}

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";

/** Llama 3's pattern, with at most `digits` digits a word. */
const llama3 = (digits: string) =>
  "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
  `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** Patterns of a model that merges all words and adds no token. */
const plain = (...patterns: string[]): PreTokenizer => ({
  patterns,
  ignoreMerges: false,
  beginOfText: false,
});

const LLAMA3: PreTokenizer = {
  patterns: [llama3("\\p{N}{1,3}")],
  ignoreMerges: true,
  beginOfText: true,
};

const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  "default": plain("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"),
  "gpt-2": plain(GPT2),
  "smollm": plain("\\p{N}", GPT2),
  "llama-bpe": LLAMA3,
  "llama3": LLAMA3,
  "llama-v3": LLAMA3,
  "qwen2": plain(llama3("\\p{N}")),
  "deepseek-r1-qwen": plain(llama3("\\p{N}")),
};

/** The names of the pre-tokenisers that are known. */
export const preTokenizers: readonly string[] = Object.keys(PRE_TOKENIZERS);

/**
 * Finds a pre-tokeniser.
 *
 * @param name Its name in `tokenizer.ggml.pre`.
 * @returns It, or undefined if the name is not known.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(preTokenizerOf("smollm")?.patterns[0], "\\p{N}");
 * assertEquals(preTokenizerOf("no-such"), undefined);
 * ```
 */
export function preTokenizerOf(name: string): PreTokenizer | undefined {
  return Object.hasOwn(PRE_TOKENIZERS, name) ? PRE_TOKENIZERS[name] : undefined;
}
