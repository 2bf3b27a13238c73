/**
 * The ONNX graph of a decoder, from its architecture's facts and its weights.
 *
 * | input | shape | meaning |
 * |---|---|---|
 * | tokens | [B, S] | new tokens of each row |
 * | logit_rows | [N] | which of the B·S tokens to score |
 * | cache.L.key, cache.L.value | [B, kv, P, d] | the cache, also bound as new.L.key, new.L.value |
 * | *scattered:* positions | [B, S] | the tokens' positions in the text |
 * | slots | [B] | the cache slot of each row's first new token |
 * | mask | [B, 1, S·g, P] | added to scores: 0 where a query may look, −∞ elsewhere; g rows a token |
 * | *grouped:* last_slots | [B] | the cache slot of each row's last new token |
 * | total | scalar | slots in use after the pass |
 *
 * The output `logits` is [N, V].
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import { type AttentionForm, concatenate, openAttention } from "./attention.ts";
import type { OnnxFile } from "./onnx_file.ts";
import { BLOCK, quantize } from "./quantize.ts";

export type { AttentionForm } from "./attention.ts";

/** How weights are stored and multiplied. */
export type Precision = "fp32" | "int8" | "int4";

/** What the graph's weights become. */
export interface GraphOptions {
  /** Precision of the matrices. */
  readonly precision: Precision;
  /** Precision of the output head. */
  readonly headPrecision: Precision;
  /** The form of attention. */
  readonly form: AttentionForm;
}

/** Where weights come from, by GGUF's tensor names. */
export interface WeightSource {
  /** A tensor's values, row by row. */
  readFloats(name: string): Float32Array;
}

/** MatMulNBits rounds activations to int8 blocks: its fast kernels. */
const ACCURACY_INT8 = 4;

/**
 * Writes the graph of a Llama-family decoder.
 *
 * @param file The graph to write; it is finished here.
 * @param architecture Sizes and constants.
 * @param weights The tensors, with query and key rows in GGUF's order (rotary pairs adjacent).
 * @param options Precisions.
 */
export function writeGraph(
  file: OnnxFile,
  architecture: Architecture,
  weights: WeightSource,
  options: GraphOptions,
): void {
  const { layers, hidden, heads, headSize, vocabularySize, epsilon } = architecture;
  file.input("tokens", "int64", ["B", "S"]);
  const logitRows = file.input("logit_rows", "int64", ["N"]);
  const attention = openAttention(file, architecture, options.form);
  const norm = (name: string): string =>
    file.weight(name, "float32", [hidden], weights.readFloats(`${name}.weight`));
  const attributes = { epsilon: { float: epsilon } };
  /** Adds a block's output to the residual stream; gives the stream and its normalised form. */
  const addAndNormalise = (stream: string, output: string, name: string): [string, string] => {
    const sum = file.name("stream");
    const normal = file.node(
      "com.microsoft::SkipSimplifiedLayerNormalization",
      [stream, output, norm(name)],
      { attributes, outputs: [file.name("normal"), "", "", sum] },
    );
    return [sum, normal];
  };

  let stream = writeEmbedding(file, architecture, weights, options);
  let normal = file.node("SimplifiedLayerNormalization", [stream, norm("blk.0.attn_norm")], {
    attributes: { ...attributes, axis: -1 },
  });
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}`;
    const read = (part: string): Float32Array => weights.readFloats(`${block}.${part}.weight`);
    const linear = (x: string, name: string, values: Float32Array, columns: number): string => {
      const dims = [values.length / columns, columns] as const;
      return writeLinear(file, x, `${block}.${name}`, values, dims, options.precision);
    };
    const matrix = attention.pack(read("attn_q"), read("attn_k"), read("attn_v"));
    const attended = attention.write(linear(normal, "attn_qkv", matrix, hidden), layer);
    const mixed = linear(attended, "attn_output", read("attn_output"), heads * headSize);
    [stream, normal] = addAndNormalise(stream, mixed, `${block}.ffn_norm`);

    const [gate, up] = [file.name("gate"), file.name("up")];
    const { feedForward } = architecture;
    file.node("Split", [
      linear(normal, "ffn_gate_up", concatenate([read("ffn_gate"), read("ffn_up")]), hidden),
      file.integers([feedForward, feedForward]),
    ], { attributes: { axis: -1 }, outputs: [gate, up] });
    const activated = file.node("Mul", [
      file.node("com.microsoft::QuickGelu", [gate], { attributes: { alpha: { float: 1 } } }), // SiLU
      up,
    ]);
    const fed = linear(activated, "ffn_down", read("ffn_down"), feedForward);
    if (layer < layers - 1) {
      [stream, normal] = addAndNormalise(stream, fed, `blk.${layer + 1}.attn_norm`);
    } else {
      stream = file.node("Add", [stream, fed]);
    }
  }

  // Only tokens that will be scored reach the head, the largest matrix: prefill skips it.
  const flat = file.node("Reshape", [stream, file.integers([-1, hidden])]);
  const scored = file.node("SimplifiedLayerNormalization", [
    file.node("Gather", [flat, logitRows], { attributes: { axis: 0 } }),
    norm("output_norm"),
  ], { attributes: { ...attributes, axis: -1 } });
  writeHead(file, scored, architecture, weights, options);
  file.output("logits", "float32", ["N", vocabularySize]);
  file.finish();
}

function writeEmbedding(
  file: OnnxFile,
  { vocabularySize, hidden }: Architecture,
  weights: WeightSource,
  { precision }: GraphOptions,
): string {
  const values = weights.readFloats("token_embd.weight");
  if (precision === "fp32") {
    const table = file.weight("token_embd", "float32", [vocabularySize, hidden], values);
    return file.node("Gather", [table, "tokens"]);
  }
  const { codes, scales } = quantize(values, 8);
  return file.node("com.microsoft::GatherBlockQuantized", [
    file.weight("token_embd.codes", "uint8", [vocabularySize, hidden], codes),
    "tokens",
    file.weight("token_embd.scales", "float32", [vocabularySize, hidden / BLOCK], scales),
  ], { attributes: { bits: 8, block_size: BLOCK, gather_axis: 0, quantize_axis: 1 } });
}

/** The output head: a matrix of its own, or the embedding's. */
function writeHead(
  file: OnnxFile,
  x: string,
  { vocabularySize, hidden, tiedHead }: Architecture,
  weights: WeightSource,
  { precision, headPrecision }: GraphOptions,
): void {
  const dims = [vocabularySize, hidden] as const;
  const shared = tiedHead && (precision === "fp32") === (headPrecision === "fp32") &&
    headPrecision !== "int4";
  if (!shared) {
    const values = weights.readFloats(tiedHead ? "token_embd.weight" : "output.weight");
    writeLinear(file, x, "head", values, dims, headPrecision, "logits");
  } else if (headPrecision === "fp32") {
    file.node("com.microsoft::FusedMatMul", [x, "token_embd"], {
      attributes: { transB: 1 },
      outputs: ["logits"],
    });
  } else {
    const codes = file.alias(
      "head.codes",
      "uint8",
      [vocabularySize, hidden / BLOCK, BLOCK],
      "token_embd.codes",
    );
    const scales = file.alias(
      "head.scales",
      "float32",
      [vocabularySize * hidden / BLOCK],
      "token_embd.scales",
    );
    writeQuantizedProduct(file, x, [codes, scales], dims, 8, "logits");
  }
}

function writeLinear(
  file: OnnxFile,
  x: string,
  name: string,
  values: Float32Array,
  dims: readonly [rows: number, columns: number],
  precision: Precision,
  output: string = file.name(name),
): string {
  if (precision === "fp32") {
    const matrix = file.weight(name, "float32", dims, values);
    return file.node("com.microsoft::FusedMatMul", [x, matrix], {
      attributes: { transB: 1 },
      outputs: [output],
    });
  }
  const { bits, codes, scales } = quantize(values, precision === "int8" ? 8 : 4);
  const [rows, columns] = dims;
  const shape = [rows, columns / BLOCK, BLOCK * bits / 8];
  return writeQuantizedProduct(
    file,
    x,
    [
      file.weight(`${name}.codes`, "uint8", shape, codes),
      file.weight(`${name}.scales`, "float32", [rows * columns / BLOCK], scales),
    ],
    dims,
    bits,
    output,
  );
}

function writeQuantizedProduct(
  file: OnnxFile,
  x: string,
  matrix: readonly [codes: string, scales: string],
  [rows, columns]: readonly [number, number],
  bits: 4 | 8,
  output: string,
): string {
  return file.node("com.microsoft::MatMulNBits", [x, ...matrix], {
    attributes: { K: columns, N: rows, bits, block_size: BLOCK, accuracy_level: ACCURACY_INT8 },
    outputs: [output],
  });
}
