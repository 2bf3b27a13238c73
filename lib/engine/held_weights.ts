/**
 * Weights that several models of a runtime read, held once.
 *
 * @module
 */

import { type Runtime, type SharedTensor, SharedWeights } from "../onnx/mod.ts";

/** Weights, until they are given up. */
export interface HeldWeights extends Disposable {
  /** The weights. */
  readonly weights: SharedWeights;
}

const held = new WeakMap<Runtime, Map<string, { weights: SharedWeights; holders: number }>>();

/**
 * Maps a file of weights, unless the runtime has it: a network and its first layers, or two loads of
 * one model, share the memory and what the library made of it. The last holder frees it.
 *
 * @param runtime The runtime of the sessions.
 * @param path The file of weights.
 * @param tensors The tensors in it.
 * @returns The weights; dispose after the sessions.
 * @throws {OnnxRuntimeError} If the file cannot be mapped.
 */
export function holdWeights(
  runtime: Runtime,
  path: string,
  tensors: readonly SharedTensor[],
): HeldWeights {
  const files = held.getOrInsertComputed(runtime, () => new Map());
  const file = files.getOrInsertComputed(path, () => ({
    weights: new SharedWeights(runtime, path, tensors),
    holders: 0,
  }));
  file.holders++;
  return {
    weights: file.weights,
    [Symbol.dispose]() {
      if (--file.holders > 0) return;
      files.delete(path);
      file.weights[Symbol.dispose]();
    },
  };
}
