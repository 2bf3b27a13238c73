import { assertEquals, assertThrows } from "@std/assert";
import { frequentTokens } from "../../lib/models/token_ranking.ts";
import { TokenizerError } from "../../lib/models/tokenizer.ts";

const RANKING = JSON.stringify({ tokenizer: "a", tokens: [3, 1, 2] });

Deno.test("a ranking gives its first tokens, in its order", () => {
  assertEquals(frequentTokens(RANKING, 3, { fingerprint: "a" }), [3, 1, 2]);
  assertEquals(frequentTokens(RANKING, 1, { fingerprint: "a" }), [3]);
});

Deno.test("a ranking of another tokenizer, a damaged or a short one is refused", () => {
  const take = (json: string, count = 1, fingerprint = "a") => () =>
    frequentTokens(json, count, { fingerprint });
  assertThrows(take(RANKING, 1, "b"), TokenizerError, "of tokenizer a, not b");
  for (const json of ["", "null", "{}", '{"tokenizer":"a","tokens":[0.5]}']) {
    assertThrows(take(json), TokenizerError, "no JSON with tokenizer and tokens");
  }
  for (const count of [0, 4]) assertThrows(take(RANKING, count), RangeError, "from 1 to 3");
});
