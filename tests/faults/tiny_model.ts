/**
 * A llama of 40 kB with random weights: real enough to fetch, build, run and damage.
 *
 * @module
 */

import { BLOCKS } from "../../lib/models/dequantize.ts";
import { BYTE_SYMBOLS } from "../../lib/models/byte_level.ts";
import { toyGguf, type ToyTensor, type Value } from "../models/fixtures/toy_gguf.ts";
import { type Random, seeded } from "./random.ts";

const [HIDDEN, HEADS, KEY_HEADS, FEED_FORWARD, LAYERS] = [32, 2, 1, 64, 2];
const SPECIAL = ["<|im_start|>", "<|im_end|>"];
const MERGES = ["t h", "th e", "i n", "a n"];
const TOKENS = [...BYTE_SYMBOLS, ...SPECIAL, ...MERGES.map((merge) => merge.replace(" ", ""))];

/** What {@linkcode tinyGguf} writes, so that tests can write something a little different. */
export const tinyMetadata: Readonly<Record<string, Value>> = {
  "general.architecture": { string: "llama" },
  "general.alignment": { u32: 32 },
  "llama.block_count": { u32: LAYERS },
  "llama.context_length": { u32: 4096 },
  "llama.embedding_length": { u32: HIDDEN },
  "llama.feed_forward_length": { u32: FEED_FORWARD },
  "llama.attention.head_count": { u32: HEADS },
  "llama.attention.head_count_kv": { u32: KEY_HEADS },
  "llama.attention.layer_norm_rms_epsilon": { f32: 1e-5 },
  "llama.rope.freq_base": { f32: 10_000 },
  "tokenizer.ggml.model": { string: "gpt2" },
  "tokenizer.ggml.pre": { string: "smollm" },
  "tokenizer.ggml.tokens": { strings: TOKENS },
  "tokenizer.ggml.token_type": { i32s: TOKENS.map((token) => SPECIAL.includes(token) ? 3 : 1) },
  "tokenizer.ggml.merges": { strings: MERGES },
  "tokenizer.ggml.bos_token_id": { u32: TOKENS.indexOf(SPECIAL[0]!) },
  "tokenizer.ggml.eos_token_id": { u32: TOKENS.indexOf(SPECIAL[1]!) },
  "tokenizer.chat_template": {
    string: "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n" +
      "{% endfor %}<|im_start|>assistant\n",
  },
};

/** The tensors that {@linkcode tinyGguf} writes, of several kinds. */
export function tinyTensors(): ToyTensor[] {
  const random = seeded(1);
  const headSize = HIDDEN / HEADS;
  const tensors = [
    q8("token_embd.weight", [TOKENS.length, HIDDEN], random),
    ones("output_norm.weight"),
  ];
  for (let layer = 0; layer < LAYERS; layer++) {
    const name = (part: string): string => `blk.${layer}.${part}.weight`;
    tensors.push(
      ones(name("attn_norm")),
      q8(name("attn_q"), [HIDDEN, HIDDEN], random),
      q8(name("attn_k"), [KEY_HEADS * headSize, HIDDEN], random),
      q8(name("attn_v"), [KEY_HEADS * headSize, HIDDEN], random),
      q8(name("attn_output"), [HIDDEN, HIDDEN], random),
      ones(name("ffn_norm")),
      q8(name("ffn_gate"), [FEED_FORWARD, HIDDEN], random),
      q8(name("ffn_up"), [FEED_FORWARD, HIDDEN], random),
      q8(name("ffn_down"), [HIDDEN, FEED_FORWARD], random),
    );
  }
  return tensors;
}

/** The file's bytes: always the same. */
export function tinyGguf(): Uint8Array<ArrayBuffer> {
  return toyGguf(tinyMetadata, tinyTensors());
}

function ones(name: string): ToyTensor {
  const bytes = new Uint8Array(new Float32Array(HIDDEN).fill(1).buffer);
  return { name, kind: 0, shape: [HIDDEN], bytes };
}

function q8(name: string, shape: readonly [number, number], random: Random): ToyTensor {
  const { size, bytes: stride } = BLOCKS.Q8_0;
  const bytes = new Uint8Array(shape[0] * shape[1] / size * stride);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random(256);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += stride) view.setFloat16(at, 0.002, true);
  return { name, kind: 8, shape, bytes };
}
