/**
 * Memory for the small inputs of a pass, kept between passes.
 *
 * @module
 */

import { type ElementType, type Runtime, Tensor } from "../onnx/mod.ts";
import { requireMemory } from "./memory.ts";

/**
 * One block of memory seen in whatever shape a pass needs. In the steady state of decoding, where
 * few shapes recur, nothing is allocated.
 */
export class Scratch<T extends ElementType> implements Disposable {
  readonly #runtime: Runtime;
  readonly #type: T;
  readonly #views = new Map<string, Tensor<T>>();
  #memory: Tensor<T> | null = null;

  /**
   * Prepares scratch memory; none is taken yet.
   *
   * @param runtime Where memory is taken.
   * @param type The element type.
   */
  constructor(runtime: Runtime, type: T) {
    this.#runtime = runtime;
    this.#type = type;
  }

  /** The memory in this shape, its contents undefined. Other shapes over it become stale. */
  shape(dims: readonly number[]): Tensor<T> {
    const key = dims.join(" ");
    const known = this.#views.get(key);
    if (known) return known;
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (size > (this.#memory?.data.length ?? 0)) {
      this[Symbol.dispose]();
      requireMemory(4 * size, `${dims.join(" × ")} numbers of a pass`); // what is large is float32
      this.#memory = Tensor.allocate(this.#runtime, this.#type, [size]);
    }
    const view = this.#memory!.view(dims);
    this.#views.set(key, view);
    return view;
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    for (const view of this.#views.values()) view[Symbol.dispose]();
    this.#views.clear();
    this.#memory?.[Symbol.dispose]();
    this.#memory = null;
  }
}
