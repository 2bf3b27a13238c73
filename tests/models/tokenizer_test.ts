import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BYTE_SYMBOLS } from "../../lib/models/byte_level.ts";
import { TextStream } from "../../lib/models/text_stream.ts";
import { TokenizerError, tokenizerOf } from "../../lib/models/tokenizer.ts";

// The 256 bytes, a few merges of them, a token of the user's, and one that controls.
const merges = ["h e", "l l", "he ll", "hell o", "Ġ hello", "1 2", "< |"];
const merged = merges.map((merge) => merge.replace(" ", ""));
const tokens = [...BYTE_SYMBOLS, ...merged, "<tool call>", "<|end|>"];
const [tool, end] = [tokens.length - 2, tokens.length - 1];
const metadata: Record<string, unknown> = {
  "tokenizer.ggml.model": "gpt2",
  "tokenizer.ggml.pre": "smollm",
  "tokenizer.ggml.tokens": tokens,
  "tokenizer.ggml.token_type": tokens.map((_, id) => id === end ? 3 : id === tool ? 4 : 1),
  "tokenizer.ggml.merges": merges,
  "tokenizer.ggml.bos_token_id": end,
  "tokenizer.ggml.eos_token_id": end,
};
const build = (change: Record<string, unknown> = {}) =>
  tokenizerOf({ path: "toy.gguf", metadata: { ...metadata, ...change } });
const tokenizer = build();
const idOf = (entry: string) => tokens.indexOf(entry);
const text = fc.string({ unit: fc.constantFrom(..."helo 12<|>é😀\n\t", "<|end|>", "<tool call>") });

Deno.test("encode() merges within words, the first merge first", () => {
  assertEquals(tokenizer.encode("hello hello"), [idOf("hello"), idOf("Ġhello")]);
  assertEquals(tokenizer.encode("hell"), [idOf("hell")]);
  assertEquals(tokenizer.encode("12"), [idOf("1"), idOf("2")]); // smollm has a digit a word
  assertEquals(build({ "tokenizer.ggml.pre": "gpt-2" }).encode("12"), [idOf("12")]);
});

Deno.test("encode() of nothing is nothing", () => {
  assertEquals(tokenizer.encode(""), []);
  assertEquals(tokenizer.encode("", { special: true }), []);
  assertEquals(tokenizer.decode([]), "");
});

Deno.test("decode(encode(text)) is text, with and without special tokens", () => {
  const any = fc.oneof(text, fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
  fc.assert(fc.property(any, fc.boolean(), (text, special) => {
    if (!text.isWellFormed()) return;
    assertEquals(tokenizer.decode(tokenizer.encode(text, { special }), { special }), text);
  }));
});

Deno.test("encode() finds special tokens only where it is told to", () => {
  fc.assert(fc.property(text, (text) => {
    assert(!tokenizer.encode(text).includes(end));
    const ends = tokenizer.encode(text, { special: true }).filter((id) => id === end);
    assertEquals(ends.length, text.split("<|end|>").length - 1);
  }));
});

Deno.test("encode() takes a user-defined token whole, special or not", () => {
  for (const special of [false, true]) {
    assertEquals(tokenizer.encode("h<tool call>h", { special }), [idOf("h"), tool, idOf("h")]);
  }
});

Deno.test("encode() of a text is that of its lines, as no merge crosses words", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom("hello", "h2l", "é")), (words) => {
    const joined = words.map((word) => ` ${word}`).join("");
    assertEquals(
      tokenizer.encode(joined),
      words.flatMap((word) => tokenizer.encode(` ${word}`)),
    );
  }));
});

Deno.test("encode() rejects a lone surrogate", () => {
  assertThrows(() => tokenizer.encode("a\ud800b"), TokenizerError, "lone surrogate");
});

Deno.test("encode() rejects a byte that has no token rather than leave it out", () => {
  const without = tokens.map((token) => token === BYTE_SYMBOLS[4] ? "?" : token);
  const lacking = build({ "tokenizer.ggml.tokens": without });
  assertThrows(() => lacking.encode("a\x04"), TokenizerError, "no token for byte 0x04");
  assertEquals(lacking.decode(lacking.encode("a\x05")), "a\x05");
});

Deno.test("decode() leaves special tokens out unless told otherwise", () => {
  assertEquals(tokenizer.decode([idOf("h"), end]), "h");
  assertEquals(tokenizer.decode([idOf("h"), end], { special: true }), "h<|end|>");
});

Deno.test("decode() rejects ids outside the vocabulary", () => {
  for (const id of [-1, tokens.length, 1.5, NaN]) {
    assertThrows(() => tokenizer.decode([id]), TokenizerError, `Cannot decode token ${id}`);
  }
});

Deno.test("TextStream gives together what decode() gives, whatever the tokens", () => {
  const ids = fc.array(fc.nat({ max: tokens.length - 1 }));
  fc.assert(fc.property(ids, fc.boolean(), (ids, special) => {
    const stream = new TextStream(tokenizer, { special });
    const parts = ids.map((id) => stream.push(id));
    assertEquals(parts.join("") + stream.end(), tokenizer.decode(ids, { special }));
  }));
});

Deno.test("TextStream never gives part of a character", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const stream = new TextStream(tokenizer);
    let given = "";
    for (const id of tokenizer.encode(text)) {
      given += stream.push(id);
      assert(text.startsWith(given));
    }
    assertEquals(stream.end(), "");
  }));
});

Deno.test("fingerprint depends on vocabulary and merges alone", () => {
  assertEquals(build({ "tokenizer.ggml.eos_token_id": 0 }).fingerprint, tokenizer.fingerprint);
  const swapped = [...merges.slice(1), merges[0]!];
  assertNotEquals(build({ "tokenizer.ggml.merges": swapped }).fingerprint, tokenizer.fingerprint);
  const renamed = tokens.with(end, "<|END|>");
  assertNotEquals(build({ "tokenizer.ggml.tokens": renamed }).fingerprint, tokenizer.fingerprint);
});

Deno.test("endOfText has the ids that the metadata names and well-known special tokens", () => {
  assertEquals(tokenizer.endOfText, new Set([end]));
  assertEquals(build({ "tokenizer.ggml.eot_token_id": 7 }).endOfText, new Set([end, 7]));
  assertEquals(build({ "tokenizer.ggml.eos_token_id": undefined }).endOfText, new Set([end]));
});

Deno.test("beginOfText is there only where the model wants it", () => {
  assertEquals(tokenizer.beginOfText, null);
  assertEquals(build({ "tokenizer.ggml.add_bos_token": true }).beginOfText, end);
});

Deno.test("tokenizerOf() rejects metadata that is missing, damaged or of another kind", () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ "tokenizer.ggml.model": "bert" }, 'tokenizer.ggml.model is "bert", neither "gpt2"'],
    [{ "tokenizer.ggml.pre": "toString" }, 'tokenizer.ggml.pre is "toString", none of default'],
    [{ "tokenizer.ggml.pre": 3 }, "tokenizer.ggml.pre"],
    [{ "tokenizer.ggml.tokens": undefined }, "tokenizer.ggml.tokens is no list of strings"],
    [{ "tokenizer.ggml.merges": [1] }, "tokenizer.ggml.merges is no list of strings"],
    [{ "tokenizer.ggml.merges": ["ab"] }, "no pair"],
    [{ "tokenizer.ggml.token_type": [1] }, "tokenizer.ggml.token_type"],
    [{ "tokenizer.ggml.eos_token_id": tokens.length }, "outside the vocabulary"],
    [{ "tokenizer.ggml.bos_token_id": -1 }, "outside the vocabulary"],
  ];
  for (const [change, reason] of cases) {
    const error = assertThrows(() => build(change), TokenizerError, reason);
    assert(error.message.startsWith("Cannot build a tokeniser from toy.gguf as "));
  }
});
