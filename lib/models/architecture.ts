/**
 * What a network's shape is, from its GGUF metadata.
 *
 * @module
 */

import type { Gguf } from "./gguf.ts";
import { expectedShapes } from "./tensor_shapes.ts";

export { expectedShapes } from "./tensor_shapes.ts";

/** The shape of a Llama-family network. */
export interface Architecture {
  /** The family, as GGUF names it: "llama", "qwen2" or "qwen3". */
  readonly name: string;
  /** Transformer blocks. */
  readonly layers: number;
  /** The width of the residual stream. */
  readonly hidden: number;
  /** Query heads in a layer. */
  readonly heads: number;
  /** Key and value heads in a layer: a divisor of `heads`. */
  readonly keyValueHeads: number;
  /** The width of a head. */
  readonly headSize: number;
  /** The width inside a feed-forward block. */
  readonly feedForward: number;
  /** Rows of the embedding, and logits of a token. */
  readonly vocabularySize: number;
  /** Positions the network was trained for. */
  readonly trainedLength: number;
  /**
   * Positions that its graph can read: those it was trained for, as far as its sliding window
   * reaches (within it, attention is plain), and at most 131,072 ({@linkcode LONGEST_CONTEXT}).
   */
  readonly contextLength: number;
  /** The base θ of the rotary embedding. */
  readonly ropeBase: number;
  /** Whether a rotary pair's two rows are adjacent in the file, or half a head apart. */
  readonly ropeStyle: "adjacent" | "halves";
  /** What positions are divided by: "linear" scaling. */
  readonly ropeScale: number;
  /** Whether the file has a divisor for each rotary frequency: "llama3" scaling. */
  readonly ropeFactors: boolean;
  /** Whether queries, keys and values have biases. */
  readonly attentionBias: boolean;
  /** Whether each head's queries and keys are normalised before they are turned. */
  readonly queryKeyNorm: boolean;
  /** The ε of the root-mean-square norms. */
  readonly epsilon: number;
  /** Whether the output head is the embedding itself. */
  readonly tiedHead: boolean;
}

/** What a family's networks have in common. Mistral, TinyLlama and SmolLM2 are "llama" in GGUF. */
export const families: ReadonlyMap<
  unknown,
  Pick<Architecture, "ropeStyle" | "attentionBias" | "queryKeyNorm">
> = new Map([
  ["llama", { ropeStyle: "adjacent", attentionBias: false, queryKeyNorm: false }],
  ["qwen2", { ropeStyle: "halves", attentionBias: true, queryKeyNorm: false }],
  ["qwen3", { ropeStyle: "halves", attentionBias: false, queryKeyNorm: true }],
]);

/** Kinds of rotary scaling that metadata says all of. */
const SCALINGS: readonly unknown[] = ["none", "linear"];

/** Positions that a graph reads at most: its rotary table has a row for each. */
export const LONGEST_CONTEXT = 131_072;

/**
 * A network that cannot be used: "Cannot use PATH as REASON: WAY OUT".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const error = new ArchitectureError("m.gguf", "its architecture is bert", "use a llama");
 * assertEquals(error.message, "Cannot use m.gguf as its architecture is bert: use a llama");
 * ```
 */
export class ArchitectureError extends Error {
  /** The error's name, "ArchitectureError". */
  override readonly name = "ArchitectureError";

  /**
   * Puts the message together.
   *
   * @param path The file.
   * @param reason What is not supported or missing.
   * @param wayOut What can be done.
   */
  constructor(path: string, reason: string, wayOut: string = "use a plain Llama-family model") {
    super(`Cannot use ${path} as ${reason}: ${wayOut}`);
  }
}

/**
 * Reads the network's shape, and checks that the file has exactly the tensors of such a network:
 * one that is missing, misshapen or unknown (a gate, an expert) would make every later figure wrong
 * without a word.
 *
 * @param gguf The open file; only `path`, `metadata` and `tensors` are looked at.
 * @returns The shape.
 * @throws {ArchitectureError} If the network is of another family or incomplete.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const gguf = {
 *   path: "m.gguf",
 *   metadata: { "general.architecture": "bert" },
 *   tensors: new Map(),
 * };
 * assertThrows(() => architectureOf(gguf), ArchitectureError, "its architecture is bert");
 * ```
 */
export function architectureOf(
  gguf: Pick<Gguf, "path" | "metadata" | "tensors">,
): Architecture {
  const { path, metadata, tensors } = gguf;
  const name = metadata["general.architecture"];
  const family = families.get(name);
  if (family === undefined) {
    const what = name === undefined
      ? "its metadata lacks general.architecture"
      : `its architecture is ${name}`;
    throw new ArchitectureError(path, what, `use one of ${[...families.keys()].join(", ")}`);
  }

  const number = (key: string, fallback?: number): number => {
    const value = metadata[`${name}.${key}`] ?? fallback;
    if (value === undefined) {
      throw new ArchitectureError(path, `its metadata lacks ${name}.${key}`, "convert it anew");
    }
    // 64-bit integers are read as bigint.
    const figure = typeof value === "bigint" ? Number(value) : value;
    if (typeof figure === "number" && Number.isFinite(figure) && figure > 0) return figure;
    throw new ArchitectureError(path, `${name}.${key} is ${value}, not a positive number`);
  };
  const integer = (key: string, fallback?: number): number => {
    const value = number(key, fallback);
    if (Number.isSafeInteger(value)) return value;
    throw new ArchitectureError(path, `${name}.${key} is ${value}, not an integer`);
  };

  const hidden = integer("embedding_length");
  const heads = integer("attention.head_count");
  const trainedLength = integer("context_length");
  const window = integer("attention.sliding_window", trainedLength);
  // As in llama.cpp, a factor without a kind is linear, and llama3's factors are a tensor.
  const factor = number("rope.scaling.factor", number("rope.scale_linear", 1));
  const scaling = metadata[`${name}.rope.scaling.type`] ?? "linear";
  const known = scaling === "llama3"
    ? tensors.has("rope_freqs.weight")
    : SCALINGS.includes(scaling);
  if (!known || number("rope.scaling.attn_factor", 1) !== 1) {
    throw new ArchitectureError(
      path,
      `it scales its rotary embedding (${scaling})`,
      "use a model without scaling, or with linear scaling or rope_freqs.weight",
    );
  }
  const architecture: Architecture = {
    ...family,
    name: String(name),
    layers: integer("block_count"),
    hidden,
    heads,
    keyValueHeads: integer("attention.head_count_kv", heads),
    headSize: integer("attention.key_length", hidden / heads),
    feedForward: integer("feed_forward_length"),
    vocabularySize: integer("vocab_size", tensors.get("token_embd.weight")?.shape[0]),
    trainedLength,
    contextLength: Math.min(trainedLength, window, LONGEST_CONTEXT),
    ropeBase: number("rope.freq_base", 10_000),
    ropeScale: scaling === "linear" ? factor : 1,
    ropeFactors: name === "llama" && tensors.has("rope_freqs.weight"),
    epsilon: number("attention.layer_norm_rms_epsilon"),
    tiedHead: !tensors.has("output.weight"),
  };

  const { headSize, keyValueHeads } = architecture;
  if (heads % keyValueHeads !== 0) {
    throw new ArchitectureError(path, `${heads} heads cannot share ${keyValueHeads} key heads`);
  }
  if (headSize % 2 !== 0) {
    throw new ArchitectureError(path, `its heads are ${headSize} wide: no rotary pairs`);
  }
  for (const key of ["attention.value_length", "rope.dimension_count"]) {
    if (integer(key, headSize) !== headSize) {
      throw new ArchitectureError(path, `${name}.${key} is not the head's size, ${headSize}`);
    }
  }
  checkTensors(path, tensors, architecture);
  return architecture;
}

function checkTensors(path: string, tensors: Gguf["tensors"], architecture: Architecture): void {
  // A hostile count of layers must not make a list of a billion names.
  if (architecture.layers * 9 > tensors.size) {
    const reason = `its ${tensors.size} tensors are too few for ${architecture.layers} layers`;
    throw new ArchitectureError(path, reason, "fetch or convert it anew");
  }
  const expected = expectedShapes(architecture);
  for (const [name, shape] of expected) {
    const found = tensors.get(name)?.shape;
    if (found === undefined) {
      throw new ArchitectureError(path, `tensor ${name} is missing`, "fetch or convert it anew");
    }
    if (found.join() !== shape.join()) {
      throw new ArchitectureError(
        path,
        `tensor ${name} has shape [${found.join(", ")}], not [${shape.join(", ")}]`,
      );
    }
  }
  for (const name of tensors.keys()) {
    if (!expected.has(name)) {
      const reason = `a plain ${architecture.name} has no tensor ${JSON.stringify(name)}`;
      throw new ArchitectureError(path, reason);
    }
  }
}
