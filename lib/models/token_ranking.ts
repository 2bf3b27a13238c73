/**
 * Rankings of tokens by how often a target writes them, as `tools/distill/rank.py` makes them.
 *
 * @module
 */

import { requireInteger } from "../validate.ts";
import type { TokenId } from "./token.ts";
import { type Tokenizer, TokenizerError } from "./tokenizer.ts";

/**
 * The most frequent tokens of a ranking: JSON with the fingerprint of its `tokenizer`, and `tokens`,
 * the most frequent first.
 *
 * @param json The ranking.
 * @param count How many tokens.
 * @param tokenizer Whose tokens they must be.
 * @returns The tokens, the most frequent first.
 * @throws {TokenizerError} If the ranking is damaged or another tokenizer's.
 * @throws {RangeError} If it does not rank as many.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const json = `{"tokenizer":"af0c","tokens":[5,1,3]}`;
 * assertEquals(frequentTokens(json, 2, { fingerprint: "af0c" }), [5, 1]);
 * ```
 */
export function frequentTokens(
  json: string,
  count: number,
  { fingerprint }: Pick<Tokenizer, "fingerprint">,
): TokenId[] {
  const { tokenizer, tokens } = parse(json);
  if (tokenizer !== fingerprint) {
    throw new TokenizerError(
      `Cannot take tokens from a ranking as it is of tokenizer ${tokenizer}, not ${fingerprint}: make one with tools/distill/rank.py`,
    );
  }
  requireInteger("take tokens from a ranking", "the count", count, 1, tokens.length);
  return tokens.slice(0, count);
}

function parse(json: string): { readonly tokenizer: string; readonly tokens: TokenId[] } {
  try {
    const { tokenizer, tokens } = JSON.parse(json);
    if (typeof tokenizer === "string" && Array.isArray(tokens) && tokens.every(Number.isInteger)) {
      return { tokenizer, tokens };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new TokenizerError(
    "Cannot take tokens from a ranking as it is no JSON with tokenizer and tokens: make one with tools/distill/rank.py",
  );
}
