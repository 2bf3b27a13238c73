import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { renderChat } from "../../lib/models/chat.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import { tokenizerOf } from "../../lib/models/tokenizer.ts";
import { DOCUMENTS, excerptMessage, writeDocument } from "../../lib/study/documents/document.ts";
import { LONG_CONTEXTS, longPrompts } from "../../lib/study/documents/long_prompts.ts";
import { parseWorkload } from "../../lib/study/workload.ts";
import { realModel } from "../models/fixtures/real_model.ts";

/** A tokenizer of words and marks. */
const pieces = (text: string) => text.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}\s]/gu) ?? [];
const count = (message: string) => pieces(message).length;

const LENGTHS = [512, 1024, 4096];

function eachDocument(
  use: (kind: typeof DOCUMENTS[number], seed: number, tokens: number) => void,
): void {
  for (const kind of DOCUMENTS) {
    for (const seed of [1, 2, 3, 4, 5]) for (const tokens of LENGTHS) use(kind, seed, tokens);
  }
}

/** The share of a text's runs of eight words that occurred before in it. */
function repetition(text: string): number {
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const runs = words.slice(7).map((_, i) => words.slice(i, i + 8).join(" "));
  return 1 - new Set(runs).size / runs.length;
}

Deno.test("a document has the tokens asked for, and its answer in it exactly once", () => {
  eachDocument((kind, seed, tokens) => {
    const excerpt = writeDocument(kind, { seed, tokens, count });
    assertEquals(count(excerptMessage(excerpt)), tokens);
    assertEquals(excerpt.text.split(excerpt.answer).length, 2, `${kind} ${seed} ${tokens}`);
    assert(!excerpt.question.includes(excerpt.answer));
  });
});

Deno.test("the same seed writes the same document, another seed another", () => {
  eachDocument((kind, seed, tokens) => {
    const options = { tokens, count };
    const excerpt = writeDocument(kind, { seed, ...options });
    assertEquals(writeDocument(kind, { seed, ...options }), excerpt);
    assertNotEquals(writeDocument(kind, { seed: seed + 1, ...options }).text, excerpt.text);
  });
});

Deno.test("a longer document begins with the text of a shorter one", () => {
  for (const kind of DOCUMENTS) {
    const [short, long] = [700, 3000].map((tokens) =>
      writeDocument(kind, { seed: 7, tokens, count })
    );
    assert(long!.text.startsWith(short!.text), kind);
  }
});

Deno.test("what is asked about lies at many depths", () => {
  for (const kind of DOCUMENTS) {
    const depths = Array.from({ length: 10 }, (_, seed) => {
      const { text, answer } = writeDocument(kind, { seed, tokens: 4096, count });
      return text.indexOf(answer) / text.length;
    });
    assert(Math.min(...depths) < 0.15 && Math.max(...depths) > 0.5, `${kind}: ${depths}`);
  }
});

Deno.test("documents repeat few runs of eight words: reports 2 %, logs and tables too, code 12 %", () => {
  eachDocument((kind, seed, tokens) => {
    const { text } = writeDocument(kind, { seed, tokens, count });
    const share = repetition(text);
    assert(share <= (kind === "code" ? 0.12 : 0.02), `${kind} ${seed} ${tokens}: ${share}`);
  });
});

Deno.test("no slot of a template is left open, and no name of a function is there twice", () => {
  eachDocument((kind, seed, tokens) => {
    const { text } = writeDocument(kind, { seed, tokens, count });
    assert(!/\$|undefined|NaN/.test(text), `${kind} ${seed}`);
    const names = [...text.matchAll(/^def (\w+)/gm)].map(([, name]) => name);
    assertEquals(new Set(names).size, names.length);
  });
});

Deno.test("a length that holds no question is refused", () => {
  for (const kind of DOCUMENTS) {
    assertThrows(
      () => writeDocument(kind, { seed: 1, tokens: 20, count }),
      RangeError,
      "Cannot write a document to ask about as tokens is 20",
    );
  }
  assertThrows(() => writeDocument("log", { seed: 1.5, tokens: 512, count }), RangeError, "seed");
});

Deno.test("long prompts are a workload: every kind at every length for every seed", () => {
  const prompts = longPrompts(count, { tokens: [512, 1024], seeds: [1, 2, 3] });
  assertEquals(prompts.length, 4 * 2 * 3);
  assertEquals(parseWorkload(prompts), prompts);
  prompts.slice(1).forEach(({ domain }, i) => assertNotEquals(domain, prompts[i]!.domain));
});

Deno.test({
  name: "long prompts have the tokens asked for in the default model's chat",
  ignore: realModel === null,
  async fn() {
    const { metadata, path } = await openGguf(realModel!);
    const tokenizer = tokenizerOf({ metadata, path });
    const tokens = (content: string) =>
      tokenizer.encode(renderChat(metadata, [{ role: "user", content }]), { special: true }).length;
    const [shortest, , , , longest] = LONG_CONTEXTS;
    for (const length of [shortest, longest]) {
      for (const { id, text } of longPrompts(tokens, { tokens: [length], seeds: [1] })) {
        const found = tokens(text);
        assert(found <= length && found >= length - 2, `${id}: ${found}`);
      }
    }
  },
});
