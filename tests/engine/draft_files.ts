/**
 * Tiny drafts with random weights that borrow from the tiny model.
 *
 * @module
 */

import type { DraftRole } from "../../lib/models/draft_file.ts";
import { stream } from "../../lib/random.ts";
import { tinyMetadata } from "../faults/tiny_model.ts";
import { toyGguf, type ToyTensor, type Value } from "../models/fixtures/toy_gguf.ts";

const [HIDDEN, FEED_FORWARD, EXIT_FEED_FORWARD] = [32, 64, 96];

/** The tensors that a role has. */
const TENSORS: Readonly<Record<DraftRole, Readonly<Record<string, readonly number[]>>>> = {
  draft: blockOf(FEED_FORWARD),
  feature: { "fc.weight": [HIDDEN, 2 * HIDDEN], ...blockOf(FEED_FORWARD) },
  exit: Object.fromEntries(
    Object.entries(blockOf(EXIT_FEED_FORWARD)).filter(([name]) => !name.includes("attn")),
  ),
};

/**
 * Writes a draft for the tiny model.
 *
 * @param role Its role.
 * @param target SHA-256 of the tiny model's file.
 * @param change Metadata and tensors to write instead: null leaves a tensor out.
 * @returns The file's bytes.
 */
export function tinyDraft(
  role: DraftRole,
  target: string,
  change: {
    readonly metadata?: Readonly<Record<string, Value>>;
    readonly shapes?: Readonly<Record<string, readonly number[] | null>>;
  } = {},
): Uint8Array<ArrayBuffer> {
  const sizes = Object.entries(tinyMetadata).filter(([key]) => /^(general|llama)\./.test(key));
  const metadata = {
    ...Object.fromEntries(sizes),
    "llama.block_count": { u32: 1 },
    "specbound.role": { string: role },
    "specbound.target.sha256": { string: target },
    ...(role === "exit" && { "specbound.exit.layers": { u32: 1 } }),
    ...change.metadata,
  };
  return toyGguf(metadata, tinyDraftTensors(role, change.shapes));
}

/** The tensors that {@linkcode tinyDraft} writes. */
export function tinyDraftTensors(
  role: DraftRole,
  shapes: Readonly<Record<string, readonly number[] | null>> = {},
): ToyTensor[] {
  const random = stream("tiny drafts", role);
  const wanted = { ...TENSORS[role], ...shapes };
  return Object.entries(wanted).flatMap(([name, shape]) => {
    if (shape === null) return [];
    const isNorm = shape.length === 1;
    const values = Float32Array.from(
      { length: shape.reduce((product, size) => product * size, 1) },
      () => isNorm ? 0.7 + 0.6 * random() : 0.5 * random() - 0.25,
    );
    return [{ name, kind: 0, shape, bytes: new Uint8Array(values.buffer) }];
  });
}

function blockOf(feedForward: number): Record<string, readonly number[]> {
  return {
    "blk.0.attn_norm.weight": [HIDDEN],
    "blk.0.attn_q.weight": [HIDDEN, HIDDEN],
    "blk.0.attn_k.weight": [HIDDEN / 2, HIDDEN],
    "blk.0.attn_v.weight": [HIDDEN / 2, HIDDEN],
    "blk.0.attn_output.weight": [HIDDEN, HIDDEN],
    "blk.0.ffn_norm.weight": [HIDDEN],
    "blk.0.ffn_gate.weight": [feedForward, HIDDEN],
    "blk.0.ffn_up.weight": [feedForward, HIDDEN],
    "blk.0.ffn_down.weight": [HIDDEN, feedForward],
    "output_norm.weight": [HIDDEN],
  };
}
