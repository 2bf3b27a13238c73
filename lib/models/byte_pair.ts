/**
 * Byte-pair encoding by the kept library, of a vocabulary from a GGUF file.
 *
 * @module
 */

import { Tokenizer } from "@huggingface/tokenizers";
import { preTokenizerOf, preTokenizers } from "./pre_tokenizer.ts";
import type { TokenId } from "./token.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * Builds the library's encoder of plain text. It knows neither special nor user-defined tokens, as
 * text must not come to spell one by merging; and it leaves bytes without a token out.
 *
 * @param vocabulary The vocabulary.
 * @returns What turns text into tokens.
 * @throws {RangeError} If the vocabulary's pre-tokeniser is not known; the message is a reason.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const merge = mergerOf({
 *   model: "gpt2", tokens: ["h", "i", "hi", "<end>"], merges: ["h i"], scores: [],
 *   preTokenizer: "gpt-2", special: new Set([3]), userDefined: new Set(), bytes: new Set(),
 *   endOfText: new Set([3]), beginOfText: null, spacePrefix: false,
 * });
 * assertEquals(merge("hihi<end>"), [2, 2]);
 * ```
 */
export function mergerOf(
  { tokens, merges, special, userDefined, preTokenizer }: Vocabulary,
): (text: string) => TokenId[] {
  const pre = preTokenizerOf(preTokenizer);
  if (pre === undefined) {
    throw new RangeError(
      `tokenizer.ggml.pre is ${JSON.stringify(preTokenizer)}, none of ${preTokenizers.join(", ")}`,
    );
  }
  const words = tokens.map((token, id) => [token, id] as const)
    .filter(([, id]) => !special.has(id) && !userDefined.has(id));
  const tokenizer = new Tokenizer({
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        ...pre.patterns.map((Regex) => ({
          type: "Split",
          pattern: { Regex },
          behavior: "Isolated",
          invert: false,
        })),
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: "BPE",
      vocab: Object.fromEntries(words),
      merges,
      unk_token: null,
      ignore_merges: pre.ignoreMerges,
    },
  }, {});
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
}
