import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Architecture,
  ArchitectureError,
  architectureOf,
  expectedShapes,
  LONGEST_CONTEXT,
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
  trainedLength: 64,
  contextLength: 64,
  ropeBase: 100_000,
  ropeStyle: "adjacent",
  ropeScale: 1,
  ropeFactors: false,
  attentionBias: false,
  queryKeyNorm: false,
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

/** The same file, as one of another family. */
const family = (name: string, change: Record<string, unknown> = {}, tensors?: Architecture) => {
  const renamed = Object.entries(metadata).map(([key, value]) =>
    [key.replace("llama.", `${name}.`), value] as const
  );
  const all = { ...Object.fromEntries(renamed), "general.architecture": name, ...change };
  return { path: "toy.gguf", metadata: all, tensors: tensorsOf(tensors ?? toy) };
};

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
  rejects(
    gguf({ "general.architecture": "gemma3" }),
    "its architecture is gemma3: use one of llama, qwen2, qwen3",
  );
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
  rejects(gguf({ "llama.attention.key_length": 3 }), "3 wide: no rotary pairs");
});

Deno.test("architectureOf() rejects rotary embeddings that it would get wrong", () => {
  rejects(gguf({ "llama.rope.dimension_count": 1 }), "llama.rope.dimension_count");
  for (const type of ["yarn", "longrope", 3]) {
    rejects(gguf({ "llama.rope.scaling.type": type }), `scales its rotary embedding (${type})`);
  }
  rejects(gguf({ "llama.rope.scaling.type": "llama3" }), "(llama3)"); // its factors are missing
  rejects(gguf({ "llama.rope.scaling.attn_factor": 2 }), "(linear)");
  rejects(gguf({ "llama.rope.scaling.factor": 0 }), "not a positive number");
});

Deno.test("architectureOf() reads rotary scaling as llama.cpp does", () => {
  const scaled = { ...toy, ropeScale: 4 };
  const linear = { "llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4 };
  assertEquals(architectureOf(gguf(linear)), scaled);
  assertEquals(architectureOf(gguf({ "llama.rope.scaling.factor": 4 })), scaled);
  assertEquals(architectureOf(gguf({ "llama.rope.scale_linear": 4 })), scaled);
  assertEquals(architectureOf(gguf({ ...linear, "llama.rope.scaling.type": "none" })), toy);
  const factors = { ...toy, ropeFactors: true };
  const llama3 = { ...linear, "llama.rope.scaling.type": "llama3" };
  for (const change of [{}, llama3]) {
    assertEquals(architectureOf(gguf(change, tensorsOf(factors))), factors);
  }
});

Deno.test("architectureOf() knows what distinguishes the families", () => {
  const qwen2 = { ...toy, name: "qwen2", ropeStyle: "halves", attentionBias: true } as const;
  assertEquals(architectureOf(family("qwen2", {}, qwen2)), qwen2);
  const qwen3 = {
    ...toy,
    name: "qwen3",
    ropeStyle: "halves",
    queryKeyNorm: true,
    headSize: 8,
  } as const;
  const wide = { "qwen3.attention.key_length": 8, "qwen3.attention.value_length": 8 };
  assertEquals(architectureOf(family("qwen3", wide, qwen3)), qwen3);
  for (const [name, tensor] of [["qwen2", "attn_q.bias"], ["qwen3", "attn_q_norm.weight"]]) {
    const plain = family(name!);
    plain.tensors.set("spare", plain.tensors.get("output_norm.weight")!);
    rejects(plain, `tensor blk.0.${tensor} is missing`);
  }
  rejects(family("qwen2", {}, { ...qwen2, ropeFactors: true }), "a plain qwen2 has no tensor");
});

Deno.test("architectureOf() reads no further than the window and the longest table reach", () => {
  const lengths = (change: Record<string, unknown>) => {
    const { trainedLength, contextLength } = architectureOf(gguf(change));
    return [trainedLength, contextLength];
  };
  assertEquals(lengths({ "llama.attention.sliding_window": 40 }), [64, 40]);
  assertEquals(lengths({ "llama.attention.sliding_window": 100 }), [64, 64]);
  assertEquals(lengths({ "llama.context_length": 2 ** 40 }), [2 ** 40, LONGEST_CONTEXT]);
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
  for (const name of ["blk.0.ffn_gate_inp.weight", "blk.0.attn_q.bias", "blk.2.attn_q.weight"]) {
    const unknown = tensorsOf(toy);
    unknown.set(name, { name, kind: "F32", shape: [2], offset: 0, byteLength: 8 });
    rejects(gguf({}, unknown), `a plain llama has no tensor "${name}"`);
  }
});

Deno.test("architectureOf() does not list the tensors of a billion layers", () => {
  rejects(gguf({ "llama.block_count": 1e9 }), "its 20 tensors are too few for 1000000000 layers");
});
