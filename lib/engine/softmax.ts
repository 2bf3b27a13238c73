/**
 * From logits to probabilities.
 *
 * @module
 */

import { Binding, type Session, Tensor } from "../onnx/mod.ts";

/** Next-token probabilities, one for each vocabulary entry, summing to 1 up to rounding. */
export type Distribution = Float32Array | Float64Array;

/** The least temperature that a float holds in full. Whatever is below chooses the same tokens. */
const LEAST = 2 ** -126;

/**
 * softmax(logits / temperature), in plain code and double precision.
 *
 * @param logits Unnormalised natural log-probabilities.
 * @param temperature Above 0.
 * @returns Probabilities.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(softmax([Math.log(3), 0], 1)[0]!, 0.75, 1e-12);
 * ```
 */
export function softmax(logits: ArrayLike<number>, temperature: number): Float64Array {
  let top = -Infinity;
  for (let i = 0; i < logits.length; i++) top = Math.max(top, logits[i]!);
  const p = new Float64Array(logits.length);
  for (let i = 0; i < p.length; i++) p[i] = Math.exp((logits[i]! - top) / temperature);
  return normalise(p);
}

function normalise<T extends Distribution>(p: T): T {
  let total = 0;
  for (let i = 0; i < p.length; i++) total += p[i]!;
  for (let i = 0; i < p.length; i++) p[i]! /= total;
  return p;
}

/** The same in a graph and single precision: a tenth of the time, for a vocabulary is long. */
export class SoftmaxPass implements Disposable {
  readonly #binding: Binding;
  readonly #logits: Tensor<"float32">;
  readonly #temperature: Tensor<"float32">;
  readonly #probabilities: Tensor<"float32">;

  /**
   * Takes memory for one token.
   *
   * @param session The graph.
   * @param size Entries of the vocabulary.
   */
  constructor(session: Session, size: number) {
    const { runtime } = session;
    this.#binding = new Binding(session);
    this.#logits = Tensor.allocate(runtime, "float32", [1, size]);
    this.#temperature = Tensor.allocate(runtime, "float32", []);
    this.#probabilities = Tensor.allocate(runtime, "float32", [1, size]);
    this.#binding.input("logits", this.#logits);
    this.#binding.input("temperature", this.#temperature);
    this.#binding.output("probabilities", this.#probabilities);
  }

  /** softmax(logits / temperature), a new array. */
  run(logits: Float32Array, temperature: number): Float32Array {
    this.#logits.data.set(logits);
    this.#temperature.data[0] = Math.max(LEAST, temperature);
    this.#binding.runSync();
    // The graph adds the masses in single precision: of a vocabulary the sum is off by 1e-5.
    return normalise(this.#probabilities.data.slice());
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]();
    for (const tensor of [this.#logits, this.#temperature, this.#probabilities]) {
      tensor[Symbol.dispose]();
    }
  }
}
