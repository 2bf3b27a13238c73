/**
 * SentencePiece's byte-pair encoding, as Llama 2, TinyLlama and the first Mistrals use it: pieces are
 * merged by score over the whole text, spaces are written `▁`, and what no piece covers becomes bytes.
 *
 * @module
 */

import { Tokenizer } from "@huggingface/tokenizers";
import type { TokenId } from "./token.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What stands for a space in a piece. */
const SPACE = "▁";

/**
 * Builds the library's encoder of plain text. It knows neither special nor user-defined tokens, as
 * text must not come to spell one by merging.
 *
 * @param vocabulary The vocabulary.
 * @returns What turns text into tokens.
 * @throws {RangeError} If a byte has no token; the message is a reason.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).padStart(2, "0")}>`);
 * const tokens = [...bytes.map((byte) => byte.toUpperCase().replace("X", "x")), "▁", "h", "▁h"];
 * const merge = pieceMergerOf({
 *   model: "llama", tokens, merges: [], scores: tokens.map((_, id) => -id), preTokenizer: "",
 *   special: new Set(), userDefined: new Set(), bytes: new Set(bytes.keys()),
 *   endOfText: new Set(), beginOfText: null, spacePrefix: true,
 * });
 * assertEquals(merge("hh!"), [258, 257, 0x21]);
 * ```
 */
export function pieceMergerOf(vocabulary: Vocabulary): (text: string) => TokenId[] {
  const { tokens, special, userDefined, bytes, spacePrefix } = vocabulary;
  for (let byte = 0; byte < 256; byte++) {
    const name = byteName(byte);
    if (!bytes.has(tokens.indexOf(name))) {
      throw new RangeError(`tokenizer.ggml.tokens has no byte token ${name}`);
    }
  }
  const usable = tokens.map((piece, id) => [piece, id] as const)
    .filter(([, id]) => !special.has(id) && !userDefined.has(id));
  const tokenizer = new Tokenizer({
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: {
      type: "BPE",
      vocab: Object.fromEntries(usable),
      merges: mergesOf(vocabulary, usable.filter(([, id]) => !bytes.has(id))),
      unk_token: null,
      byte_fallback: true,
    },
  }, {});
  const prefix = spacePrefix ? SPACE : "";
  return (text) => {
    const escaped = prefix + text.replaceAll(" ", SPACE);
    return tokenizer.encode(escaped, { add_special_tokens: false }).ids;
  };
}

/**
 * The bytes that a piece stands for.
 *
 * @param piece A vocabulary entry.
 * @param isByte Whether it is a byte token.
 * @returns Its bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(pieceBytes("▁é", false), Uint8Array.of(0x20, 0xc3, 0xa9));
 * assertEquals(pieceBytes("<0x0A>", true), Uint8Array.of(0x0a));
 * ```
 */
export function pieceBytes(piece: string, isByte: boolean): Uint8Array {
  if (isByte) return Uint8Array.of(parseInt(piece.slice(3, 5), 16));
  return new TextEncoder().encode(piece.replaceAll(SPACE, " "));
}

/** Every way to make a piece of two others, the best piece first. */
function mergesOf(
  { scores }: Vocabulary,
  pieces: readonly (readonly [string, TokenId])[],
): [string, string][] {
  const known = new Set(pieces.map(([piece]) => piece));
  return pieces.toSorted(([, a], [, b]) => scores[b]! - scores[a]!).flatMap(([piece]) => {
    const ways: [string, string][] = [];
    for (let cut = 1; cut < piece.length; cut++) {
      const [left, right] = [piece.slice(0, cut), piece.slice(cut)];
      if (known.has(left) && known.has(right)) ways.push([left, right]);
    }
    return ways;
  });
}

function byteName(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
