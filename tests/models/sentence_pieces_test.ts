import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TextStream } from "../../lib/models/text_stream.ts";
import { TokenizerError, tokenizerOf } from "../../lib/models/tokenizer.ts";
import fixture from "./fixtures/pieces.json" with { type: "json" };

const { tokens, strings } = fixture;
const metadata: Record<string, unknown> = {
  "tokenizer.ggml.model": "llama",
  "tokenizer.ggml.tokens": tokens,
  "tokenizer.ggml.scores": fixture.scores,
  "tokenizer.ggml.token_type": fixture.types,
};
const build = (change: Record<string, unknown> = {}) =>
  tokenizerOf({ path: "toy.gguf", metadata: { ...metadata, ...change } });
const tokenizer = build();
const bare = build({ "tokenizer.ggml.add_space_prefix": false });
const ids = (row: string) => row === "" ? [] : row.split(" ").map(Number);
/** Texts without what tokenisers of this kind cannot give back: ▁, which they write for a space. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(..." aabbc\né😀<", "<s>", "<turn>", "const ") }),
  fc.string({ unit: "grapheme" }),
).filter((text) => text.isWellFormed() && !/▁|<tool>/.test(text));

Deno.test("encode() of pieces gives llama.cpp's ids", () => {
  strings.forEach((string, i) => {
    assertEquals(tokenizer.encode(string), ids(fixture.ids[i]!), string);
    assertEquals(tokenizer.encode(string, { special: true }), ids(fixture.special[i]!), string);
    assertEquals(bare.encode(string), ids(fixture.bare[i]!), string);
  });
  assert(fixture.ids.some((row, i) => row !== fixture.special[i] && row !== fixture.bare[i]));
});

Deno.test("encode() of pieces gives SentencePiece's ids where no token is taken whole", () => {
  let compared = 0;
  strings.forEach((string, i) => {
    if (string.includes("<tool>")) return;
    assertEquals(tokenizer.encode(string), ids(fixture.sentencepiece[i]!), string);
    compared++;
  });
  assert(compared > 200);
});

Deno.test("decode(encode(text)) of pieces is text, with or without a space prefix", () => {
  fc.assert(fc.property(text, (text) => {
    for (const each of [tokenizer, bare]) assertEquals(each.decode(each.encode(text)), text);
  }));
});

Deno.test("decode() of pieces keeps the space before tokens that continue a text", () => {
  const [space, word] = [tokenizer.encode(" a"), tokenizer.encode("a")];
  assertEquals(tokenizer.decode(word), "a");
  assertEquals(tokenizer.decode(word, { continued: true }), " a");
  assertEquals(tokenizer.decode(space), " a");
  assertEquals(bare.decode(bare.encode(" a")), " a");
  assertEquals(tokenizer.decode([1, ...word]), "a"); // a hidden token is no text
});

Deno.test("TextStream of pieces gives together what decode() gives, whatever the tokens", () => {
  const any = fc.array(fc.nat({ max: tokens.length - 1 }));
  fc.assert(fc.property(any, fc.boolean(), fc.boolean(), (ids, special, continued) => {
    const stream = new TextStream(tokenizer, { special, continued });
    const parts = ids.map((id) => stream.push(id));
    assertEquals(parts.join("") + stream.end(), tokenizer.decode(ids, { special, continued }));
  }));
});

Deno.test("a tokeniser of pieces begins and ends texts as llama.cpp takes for granted", () => {
  assertEquals([tokenizer.beginOfText, tokenizer.endOfText], [1, new Set([2])]);
  assertEquals(build({ "tokenizer.ggml.add_bos_token": false }).beginOfText, null);
  assertEquals(build({ "tokenizer.ggml.bos_token_id": 7 }).beginOfText, 7);
});

Deno.test("fingerprint of pieces depends on pieces, scores and the space prefix", () => {
  assertEquals(build({ "tokenizer.ggml.bos_token_id": 7 }).fingerprint, tokenizer.fingerprint);
  assertNotEquals(bare.fingerprint, tokenizer.fingerprint);
  const scores = fixture.scores.with(400, -1e6);
  assertNotEquals(
    build({ "tokenizer.ggml.scores": scores }).fingerprint,
    tokenizer.fingerprint,
  );
});

Deno.test("tokenizerOf() rejects pieces that are damaged", () => {
  const newline = tokens.indexOf("<0x0A>");
  const cases: [Record<string, unknown>, string][] = [
    [{ "tokenizer.ggml.scores": undefined }, "tokenizer.ggml.scores is not as long"],
    [{ "tokenizer.ggml.scores": tokens }, "tokenizer.ggml.scores is no list of numbers"],
    [{ "tokenizer.ggml.token_type": undefined }, "tokenizer.ggml.token_type is not as long"],
    [{ "tokenizer.ggml.tokens": tokens.with(newline, "?") }, "has no byte token <0x0A>"],
    [{ "tokenizer.ggml.token_type": fixture.types.with(newline, 1) }, "no byte token <0x0A>"],
    [{ "tokenizer.ggml.add_space_prefix": 1 }, "add_space_prefix is neither true nor false"],
    [{ "tokenizer.ggml.bos_token_id": tokens.length }, "outside the vocabulary"],
  ];
  for (const [change, reason] of cases) {
    const error = assertThrows(() => build(change), TokenizerError, reason);
    assert(error.message.startsWith("Cannot build a tokeniser from toy.gguf as "));
  }
});
