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
import { type AttentionForm, openAttention } from "./attention.ts";
import { concatenate } from "./concatenate.ts";
import { pairRows } from "./head_order.ts";
import { type Precision, writeLinear, writeProduct, writeQuantizedProduct } from "./linear.ts";
import type { OnnxFile } from "./onnx_file.ts";
import { BLOCK, quantize } from "./quantize.ts";

export type { AttentionForm } from "./attention.ts";
export type { Precision } from "./linear.ts";

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

/**
 * Writes the graph of a Llama-family decoder.
 *
 * @param file The graph to write; it is finished here.
 * @param architecture Sizes and constants.
 * @param weights The tensors, in GGUF's order.
 * @param options Precisions.
 */
export function writeGraph(
  file: OnnxFile,
  architecture: Architecture,
  weights: WeightSource,
  options: GraphOptions,
): void {
  const { layers, hidden, heads, keyValueHeads, headSize, vocabularySize, epsilon } = architecture;
  file.input("tokens", "int64", ["B", "S"]);
  const logitRows = file.input("logit_rows", "int64", ["N"]);
  const factors = architecture.ropeFactors ? weights.readFloats("rope_freqs.weight") : undefined;
  const attention = openAttention(file, architecture, options.form, factors);
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
    const read = (part: string): Float32Array => weights.readFloats(`${block}.${part}`);
    /** Reads what has the rows of these heads, each rotary pair's rows adjacent. */
    const readHeads = (part: string, heads: number): Float32Array =>
      architecture.ropeStyle === "adjacent"
        ? read(part)
        : pairRows(read(part), { heads, headSize });
    const packed = (kind: "weight" | "bias"): Float32Array =>
      attention.pack(
        readHeads(`attn_q.${kind}`, heads),
        readHeads(`attn_k.${kind}`, keyValueHeads),
        read(`attn_v.${kind}`),
      );
    const linear = (
      x: string,
      name: string,
      values: Float32Array,
      columns: number,
      bias?: Float32Array,
    ): string => {
      const matrix = { name: `${block}.${name}`, values, columns, bias };
      return writeLinear(file, x, matrix, options.precision);
    };

    const bias = architecture.attentionBias ? packed("bias") : undefined;
    const projected = linear(normal, "attn_qkv", packed("weight"), hidden, bias);
    const norms = architecture.queryKeyNorm
      ? { query: readHeads("attn_q_norm.weight", 1), key: readHeads("attn_k_norm.weight", 1) }
      : undefined;
    const attended = attention.write(projected, layer, norms);
    const mixed = linear(attended, "attn_output", read("attn_output.weight"), heads * headSize);
    [stream, normal] = addAndNormalise(stream, mixed, `${block}.ffn_norm`);

    const [gate, up] = [file.name("gate"), file.name("up")];
    const { feedForward } = architecture;
    file.node("Split", [
      linear(
        normal,
        "ffn_gate_up",
        concatenate([read("ffn_gate.weight"), read("ffn_up.weight")]),
        hidden,
      ),
      file.integers([feedForward, feedForward]),
    ], { attributes: { axis: -1 }, outputs: [gate, up] });
    const activated = file.node("Mul", [
      file.node("com.microsoft::QuickGelu", [gate], { attributes: { alpha: { float: 1 } } }), // SiLU
      up,
    ]);
    const fed = linear(activated, "ffn_down", read("ffn_down.weight"), feedForward);
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
    writeLinear(file, x, { name: "head", values, columns: hidden }, headPrecision, "logits");
  } else if (headPrecision === "fp32") {
    writeProduct(file, x, "token_embd", "logits");
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
