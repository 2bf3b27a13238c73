import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Architecture,
  ArchitectureError,
  architectureOf,
  expectedShapes,
} from "../../lib/models/architecture.ts";
import type { GgufTensor } from "../../lib/models/gguf.ts";

const toy: Architecture = {
  name: "llama",
  layers: 2,
  hidden: 12,
  heads: 6,
  keyValueHeads: 2,
  headSize: 2,
  feedForward: 20,
  vocabularySize: 50,
  contextLength: 64,
  ropeBase: 100_000,
  epsilon: 1e-5,
  tiedHead: true,
};

const metadata: Record<string, unknown> = {
  "general.architecture": "llama",
  "llama.block_count": 2,
  "llama.embedding_length": 12,
  "llama.attention.head_count": 6,
  "llama.attention.head_count_kv": 2,
  "llama.feed_forward_length": 20,
  "llama.vocab_size": 50,
  "llama.context_length": 64,
  "llama.rope.freq_base": 100_000,
  "llama.attention.layer_norm_rms_epsilon": 1e-5,
};

function tensorsOf(architecture: Architecture): Map<string, GgufTensor> {
  return new Map(
    [...expectedShapes(architecture)].map(([name, shape]) =>
      [name, { name, kind: "F32", shape, offset: 0, byteLength: 0 }] as const
    ),
  );
}

const gguf = (change: Record<string, unknown> = {}, tensors = tensorsOf(toy)) => ({
  path: "toy.gguf",
  metadata: { ...metadata, ...change },
  tensors,
});

const rejects = (given: ReturnType<typeof gguf>, reason: string) => {
  const error = assertThrows(() => architectureOf(given), ArchitectureError);
  assert(error.message.startsWith("Cannot use toy.gguf as "), error.message);
  assert(error.message.includes(reason), `${error.message} lacks ${reason}`);
};

Deno.test("architectureOf() reads every figure", () => {
  assertEquals(architectureOf(gguf()), toy);
});

Deno.test("architectureOf() sees an output head of its own", () => {
  const untied = { ...toy, tiedHead: false };
  assertEquals(architectureOf(gguf({}, tensorsOf(untied))), untied);
});

Deno.test("architectureOf() takes what may be left out from the rest", () => {
  const heads = { ...toy, keyValueHeads: 6, ropeBase: 10_000 };
  const change = {
    "llama.attention.head_count_kv": undefined,
    "llama.rope.freq_base": undefined,
    "llama.vocab_size": undefined,
  };
  assertEquals(architectureOf(gguf(change, tensorsOf(heads))), heads);
});

Deno.test("architectureOf() takes 64-bit figures", () => {
  assertEquals(architectureOf(gguf({ "llama.context_length": 64n })), toy);
});

Deno.test("architectureOf() rejects other families by name", () => {
  rejects(gguf({ "general.architecture": "qwen2" }), "its architecture is qwen2");
  rejects(gguf({ "general.architecture": undefined }), "lacks general.architecture");
});

Deno.test("architectureOf() names the key that is missing or no positive number", () => {
  for (const key of Object.keys(metadata).filter((key) => !/arch|_kv|vocab|freq/.test(key))) {
    rejects(gguf({ [key]: undefined }), `its metadata lacks ${key}`);
    for (const value of [0, -1, NaN, "2", [2], true]) {
      rejects(gguf({ [key]: value }), `${key} is ${value}, not a positive number`);
    }
  }
  rejects(gguf({ "llama.block_count": 2.5 }), "llama.block_count is 2.5, not an integer");
});

Deno.test("architectureOf() rejects heads that do not divide", () => {
  rejects(gguf({ "llama.attention.head_count": 5 }), "not an integer");
  rejects(gguf({ "llama.attention.head_count_kv": 4 }), "6 heads cannot share 4 key heads");
});

Deno.test("architectureOf() rejects rotary embeddings that it would get wrong", () => {
  rejects(gguf({ "llama.rope.dimension_count": 1 }), "llama.rope.dimension_count");
  rejects(gguf({ "llama.rope.scaling.type": "linear" }), "scales its rotary embedding (linear)");
  assertEquals(architectureOf(gguf({ "llama.rope.scaling.type": "none" })), toy);
});

Deno.test("architectureOf() rejects a tensor that is missing, misshapen or unknown", () => {
  for (const name of expectedShapes(toy).keys()) {
    const missing = tensorsOf(toy);
    const tensor = missing.get(name)!;
    missing.delete(name);
    missing.set("spare", tensor);
    rejects(gguf({}, missing), `tensor ${name} is missing`);
    const misshapen = tensorsOf(toy);
    misshapen.set(name, { ...tensor, shape: tensor.shape.map((dimension) => dimension + 1) });
    rejects(gguf({}, misshapen), `tensor ${name} has shape`);
  }
  for (const name of ["rope_freqs.weight", "blk.0.attn_q.bias", "blk.2.attn_q.weight"]) {
    const unknown = tensorsOf(toy);
    unknown.set(name, { name, kind: "F32", shape: [2], offset: 0, byteLength: 8 });
    rejects(gguf({}, unknown), `a plain llama has no tensor "${name}"`);
  }
});

Deno.test("architectureOf() does not list the tensors of a billion layers", () => {
  rejects(gguf({ "llama.block_count": 1e9 }), "its 20 tensors are too few for 1000000000 layers");
});
