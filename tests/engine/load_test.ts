import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { type LoadedModel, loadModel, type LoadOptions } from "../../lib/engine/load.ts";
import { BYTE_SYMBOLS } from "../../lib/models/byte_level.ts";
import { UnknownModelError } from "../../lib/models/catalog.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import { ShapeOnlyError } from "../../lib/models/shapes.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { toyGguf, type ToyTensor, type Value } from "../models/fixtures/toy_gguf.ts";
import reference from "./fixtures/architectures.json" with { type: "json" };

const KINDS: Readonly<Record<string, number>> = { F32: 0, F16: 1 };
const TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";

/** SentencePiece's vocabulary, as Llama 2 and Mistral have it. */
const PIECES = ["▁", "▁th", "th", ..."abcdefghijklmnopqrstuvwxyz:"];
const BYTES = BYTE_SYMBOLS.map((_, byte) =>
  `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`
);
const pieces: Readonly<Record<string, Value>> = {
  "tokenizer.ggml.model": { string: "llama" },
  "tokenizer.ggml.tokens": { strings: ["<unk>", "<s>", "</s>", ...BYTES, ...PIECES] },
  "tokenizer.ggml.scores": {
    f32s: [0, 0, 0, ...BYTES.map(() => 0), ...PIECES.map((piece) => -1 / piece.length)],
  },
  "tokenizer.ggml.token_type": { i32s: [2, 3, 3, ...BYTES.map(() => 6), ...PIECES.map(() => 1)] },
  "tokenizer.ggml.bos_token_id": { u32: 1 },
};
/** A byte-level vocabulary with a token that begins every text, as Llama 3 has it. */
const MERGED = ["th", "Ġth"];
const bytes: Readonly<Record<string, Value>> = {
  "tokenizer.ggml.model": { string: "gpt2" },
  "tokenizer.ggml.pre": { string: "llama-bpe" },
  "tokenizer.ggml.tokens": { strings: [...BYTE_SYMBOLS, ...MERGED, "<|begin|>", "<|end|>"] },
  "tokenizer.ggml.merges": { strings: ["t h", "Ġ th"] },
  "tokenizer.ggml.token_type": { i32s: [...BYTE_SYMBOLS.map(() => 1), 1, 1, 3, 3] },
  "tokenizer.ggml.bos_token_id": { u32: 258 },
  "tokenizer.ggml.eos_token_id": { u32: 259 },
};

/** Gives a tiny model a tokeniser and a chat template, loads it, and leaves nothing behind. */
async function withTiny(
  name: string,
  text: Readonly<Record<string, Value>>,
  options: Omit<LoadOptions, "runtime" | "cache">,
  use: (model: LoadedModel) => Promise<void>,
): Promise<void> {
  const fixture = new URL(`./fixtures/architectures/${name}.gguf`, import.meta.url);
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/tiny.gguf`;
    {
      using gguf = await openGguf(fileURLToPath(fixture));
      const tensors = [...gguf.tensors.values()].map(({ name, kind, shape }) => {
        const tensor = { name, kind: KINDS[kind]!, shape, bytes: gguf.read(name) };
        return name === "token_embd.weight" ? grow(tensor, sizeOf(text)) : tensor;
      });
      const copied = Object.entries(gguf.metadata).filter(([key]) =>
        /^(?!tokenizer|general\.(?!arch)).*\.(?!vocab_size$)/.test(key)
      );
      const metadata = { ...Object.fromEntries(copied.map(copy)), ...text };
      await Deno.writeFile(path, toyGguf(metadata, tensors));
    }
    using runtime = new Runtime({ threads: 1 });
    await using model = await loadModel(path, { runtime, cache: folder, ...options });
    await use(model);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Tokens of a vocabulary. */
function sizeOf(text: Readonly<Record<string, Value>>): number {
  return (text["tokenizer.ggml.tokens"] as { strings: readonly string[] }).strings.length;
}

/** A tied embedding with rows of zeros for more tokens: other tokens' logits stay what they were. */
function grow(tensor: ToyTensor, rows: number): ToyTensor {
  const [known, columns] = tensor.shape as [number, number];
  const bytes = new Uint8Array(tensor.bytes.length / known * rows);
  bytes.set(tensor.bytes);
  return { ...tensor, shape: [rows, columns], bytes };
}

/** A metadata value in the type that it is most likely to have had. */
function copy([key, value]: [string, unknown]): [string, Value] {
  if (typeof value === "string") return [key, { string: value }];
  if (typeof value === "boolean") return [key, { bool: value }];
  return [key, Number.isInteger(value) ? { u32: value as number } : { f32: value as number }];
}

const MODELS = [
  ["llama", pieces],
  ["mistral", pieces],
  ["llama3", bytes],
  ["qwen2", bytes],
  ["qwen3", bytes],
] as const;

for (const [name, text] of MODELS) {
  for (const exact of [false, true]) {
    const mode = exact ? "exact" : "fast";
    Deno.test(`a ${name} file loads with its tokeniser, ${mode}, and scores as transformers does`, async () => {
      await withTiny(name, text, { exact }, async (model) => {
        assertEquals(model.vocabularySize, model.tokenizer.vocabularySize);
        const { beginOfText } = model.tokenizer;
        const tokens = model.encodeText("then the tree");
        assertEquals(tokens.filter((token) => token === beginOfText).length, 1);
        assertEquals(tokens[0], beginOfText);
        assertEquals(model.tokenizer.decode(tokens), "then the tree");

        await using context = model.open();
        const row = reference.find((row) => row.model === name)!;
        const evaluation = await context.evaluate([row.tokens]);
        row.top.forEach((top, position) => {
          const scores = evaluation.logits(position);
          top.forEach((token, rank) => {
            assertLess(Math.abs(scores[token]! - row.logits[position]![rank]!), 1e-4);
          });
        });
      });
    });
  }
}

Deno.test("a chat begins as a text does, once, whether or not its template says so", async () => {
  const messages = [{ role: "user", content: "hi" }];
  for (const vocabulary of [pieces, bytes]) {
    const spelt: number[][] = [];
    for (const string of [TEMPLATE, `{{ bos_token }}${TEMPLATE}`]) {
      const text = {
        ...vocabulary,
        "tokenizer.chat_template": { string },
      };
      await withTiny("llama", text, { exact: true }, (model) => {
        const tokens = model.encodeChat(messages);
        assertEquals(tokens[0], model.tokenizer.beginOfText);
        assert(tokens.lastIndexOf(tokens[0]!) === 0);
        spelt.push(tokens);
        return Promise.resolve();
      });
    }
    if (vocabulary === bytes) assertEquals(spelt[0], spelt[1]);
  }
});

Deno.test("a shape loads and can be timed, and has no tokeniser", async () => {
  const cache = await Deno.makeTempDir();
  try {
    using runtime = new Runtime({ threads: 2 });
    const options = { runtime, cache, precision: "int4", exact: true } as const;
    await using model = await loadModel("shape:smollm2-135m", options);
    assertEquals(model.details.id, "shape:smollm2-135m");
    await using context = model.open();
    context.pretend(1000);
    const evaluation = await context.evaluate([[1, 2, 3]]);
    const logits = evaluation.logits(2);
    assert(logits.every(Number.isFinite));
    assert(new Set(logits).size > logits.length / 2);
    for (
      const read of [
        () => model.tokenizer,
        () => model.encodeText("hello"),
        () => model.encodeChat([{ role: "user", content: "hello" }]),
      ]
    ) assertThrows(read, ShapeOnlyError, "Cannot read or write text with shape:smollm2-135m");
    await assertRejects(
      () => loadModel("shape:gpt-5", options),
      UnknownModelError,
      "shape:qwen3-4b",
    );
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
