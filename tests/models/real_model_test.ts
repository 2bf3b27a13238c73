import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { architectureOf } from "../../lib/models/architecture.ts";
import { renderChat } from "../../lib/models/chat.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import { TokenizerError, tokenizerOf } from "../../lib/models/tokenizer.ts";
import { realModel } from "./fixtures/real_model.ts";
import fixture from "./fixtures/tokenizer.json" with { type: "json" };

const ignore = realModel === null;
// With no model every test is ignored, and nothing reads these.
const gguf = realModel === null ? null! : await openGguf(realModel);
const tokenizer = ignore ? null! : tokenizerOf(gguf);
const ids = (row: string) => row === "" ? [] : row.split(" ").map(Number);

Deno.test({
  name: "architectureOf() of the default model is SmolLM2's",
  ignore,
  fn() {
    const { epsilon, ...rest } = architectureOf(gguf);
    assertEquals(epsilon, Math.fround(1e-5));
    assertEquals(rest, {
      name: "llama",
      layers: 30,
      hidden: 576,
      heads: 9,
      keyValueHeads: 3,
      headSize: 64,
      feedForward: 1536,
      vocabularySize: 49_152,
      trainedLength: 8192,
      contextLength: 8192,
      ropeBase: 100_000,
      ropeStyle: "adjacent",
      ropeScale: 1,
      ropeFactors: false,
      attentionBias: false,
      queryKeyNorm: false,
      tiedHead: true,
    });
  },
});

Deno.test({
  name: "readFloats() of every tensor of the default model is finite",
  ignore,
  fn() {
    let count = 0;
    for (const name of gguf.tensors.keys()) {
      const floats = gguf.readFloats(name);
      count += floats.length;
      assert(floats.every(Number.isFinite), name);
    }
    assertEquals(count, 134_515_008);
  },
});

for (const [pre, rows] of Object.entries(fixture.ids)) {
  Deno.test({
    name: `encode() with pre-tokeniser ${pre} gives llama.cpp's ids`,
    ignore,
    fn() {
      const { path, metadata } = gguf;
      const tokenizer = tokenizerOf({ path, metadata: { ...metadata, "tokenizer.ggml.pre": pre } });
      fixture.strings.forEach((string, i) => {
        assertEquals(tokenizer.encode(string), ids(rows[i]!), string);
        assertEquals(tokenizer.decode(ids(rows[i]!)), string);
      });
    },
  });
}

Deno.test({
  name: "encode() with special tokens gives llama.cpp's ids",
  ignore,
  fn() {
    fixture.strings.forEach((string, i) => {
      const expected = ids(fixture.special[i]!);
      assertEquals(tokenizer.encode(string, { special: true }), expected, string);
      assertEquals(tokenizer.decode(expected, { special: true }), string);
    });
  },
});

Deno.test({
  name: "decode(encode(text)) is text, or the vocabulary lacks one of its bytes",
  ignore,
  fn() {
    const lacking = [0x04, 0x06, 0x13, 0x14, 0x16, 0x1d, 0xf1, 0xf2];
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(text, fc.boolean(), (text, special) => {
        if (!text.isWellFormed()) return;
        if (new TextEncoder().encode(text).some((byte) => lacking.includes(byte))) {
          assertThrows(() => tokenizer.encode(text), TokenizerError, "no token for byte 0x");
        } else {
          assertEquals(tokenizer.decode(tokenizer.encode(text, { special }), { special }), text);
        }
      }),
      { numRuns: 1000 },
    );
  },
});

Deno.test({
  name: "a chat of the default model starts with its control tokens and can be ended by one",
  ignore,
  fn() {
    const text = renderChat(gguf.metadata, [{ role: "user", content: "Hi" }]);
    const tokens = tokenizer.encode(text, { special: true });
    assertEquals(tokens.slice(0, 3), tokenizer.encode("<|im_start|>system\n", { special: true }));
    assertEquals(
      tokenizer.endOfText,
      new Set(tokenizer.encode("<|im_end|><|endoftext|>", {
        special: true,
      })),
    );
  },
});
