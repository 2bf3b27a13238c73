/**
 * What a network's shape is, from its GGUF metadata.
 *
 * @module
 */

import type { Gguf } from "./gguf.ts";

/** The shape of a Llama-family network. */
export interface Architecture {
  /** The family, as GGUF names it: "llama". */
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
  readonly contextLength: number;
  /** The base θ of the rotary embedding. */
  readonly ropeBase: number;
  /** The ε of the root-mean-square norms. */
  readonly epsilon: number;
  /** Whether the output head is the embedding itself. */
  readonly tiedHead: boolean;
}

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
 * one that is missing, misshapen or unknown (a bias, an expert, rotary scaling factors) would make
 * every later figure wrong without a word.
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
  if (name !== "llama") {
    const what = name === undefined
      ? "its metadata lacks general.architecture"
      : `its architecture is ${name}`;
    throw new ArchitectureError(path, what, "use a model of architecture llama");
  }

  const number = (key: string, fallback?: number): number => {
    const value = metadata[`llama.${key}`] ?? fallback;
    if (value === undefined) {
      throw new ArchitectureError(path, `its metadata lacks llama.${key}`, "convert it anew");
    }
    // 64-bit integers are read as bigint.
    const figure = typeof value === "bigint" ? Number(value) : value;
    if (typeof figure === "number" && Number.isFinite(figure) && figure > 0) return figure;
    throw new ArchitectureError(path, `llama.${key} is ${value}, not a positive number`);
  };
  const integer = (key: string, fallback?: number): number => {
    const value = number(key, fallback);
    if (Number.isSafeInteger(value)) return value;
    throw new ArchitectureError(path, `llama.${key} is ${value}, not an integer`);
  };

  const hidden = integer("embedding_length");
  const heads = integer("attention.head_count");
  const architecture: Architecture = {
    name,
    layers: integer("block_count"),
    hidden,
    heads,
    keyValueHeads: integer("attention.head_count_kv", heads),
    headSize: integer("attention.key_length", hidden / heads),
    feedForward: integer("feed_forward_length"),
    vocabularySize: integer("vocab_size", tensors.get("token_embd.weight")?.shape[0]),
    contextLength: integer("context_length"),
    ropeBase: number("rope.freq_base", 10_000),
    epsilon: number("attention.layer_norm_rms_epsilon"),
    tiedHead: !tensors.has("output.weight"),
  };

  const { headSize, keyValueHeads } = architecture;
  if (heads % keyValueHeads !== 0) {
    throw new ArchitectureError(path, `${heads} heads cannot share ${keyValueHeads} key heads`);
  }
  for (const key of ["attention.value_length", "rope.dimension_count"]) {
    if (integer(key, headSize) !== headSize) {
      throw new ArchitectureError(path, `llama.${key} is not the head's size, ${headSize}`);
    }
  }
  const scaling = metadata["llama.rope.scaling.type"] ?? "none";
  if (scaling !== "none") {
    throw new ArchitectureError(path, `it scales its rotary embedding (${scaling})`);
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
      throw new ArchitectureError(path, `a plain llama has no tensor ${JSON.stringify(name)}`);
    }
  }
}

/**
 * Every tensor that a network of this shape has, and the tensor's shape, outermost first.
 *
 * @param architecture The network's shape.
 * @returns Shapes by GGUF tensor name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const shapes = expectedShapes({
 *   name: "llama", layers: 1, hidden: 8, heads: 4, keyValueHeads: 2, headSize: 2, feedForward: 16,
 *   vocabularySize: 10, contextLength: 32, ropeBase: 1e4, epsilon: 1e-5, tiedHead: true,
 * });
 * assertEquals(shapes.size, 11);
 * assertEquals(shapes.get("blk.0.attn_k.weight"), [4, 8]);
 * ```
 */
export function expectedShapes(architecture: Architecture): Map<string, number[]> {
  const { layers, hidden, heads, keyValueHeads, headSize, feedForward, vocabularySize, tiedHead } =
    architecture;
  const shapes = new Map<string, number[]>([
    ["token_embd.weight", [vocabularySize, hidden]],
    ["output_norm.weight", [hidden]],
  ]);
  if (!tiedHead) shapes.set("output.weight", [vocabularySize, hidden]);
  const block: Record<string, number[]> = {
    attn_norm: [hidden],
    attn_q: [heads * headSize, hidden],
    attn_k: [keyValueHeads * headSize, hidden],
    attn_v: [keyValueHeads * headSize, hidden],
    attn_output: [hidden, heads * headSize],
    ffn_norm: [hidden],
    ffn_gate: [feedForward, hidden],
    ffn_up: [feedForward, hidden],
    ffn_down: [hidden, feedForward],
  };
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, shape] of Object.entries(block)) {
      shapes.set(`blk.${layer}.${name}.weight`, shape);
    }
  }
  return shapes;
}
