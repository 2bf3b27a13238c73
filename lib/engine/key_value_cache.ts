/**
 * Keys and values of committed text, and room for what is evaluated next.
 *
 * @module
 */

import { type Runtime, Tensor } from "../onnx/mod.ts";
import { requireMemory } from "./memory.ts";

/** Sizes of a cache. */
export interface CacheShape {
  /** Transformer blocks. */
  readonly layers: number;
  /** Sequences side by side. */
  readonly rows: number;
  /** Key/value heads. */
  readonly heads: number;
  /** Width of a head. */
  readonly headSize: number;
}

/** A layer's keys and values: [rows, heads, capacity, headSize] each. */
export interface Layer {
  /** The keys. */
  readonly key: Tensor<"float32">;
  /** The values. */
  readonly value: Tensor<"float32">;
}

/**
 * A cache of fixed slots, shared by counting: forks read one cache until one of them writes.
 * What lies past a row's committed length is never read as text, so rejection frees nothing.
 */
export class KeyValueCache {
  /** Slots of each row. */
  readonly capacity: number;
  /** The layers' tensors, to be bound as input and output both. */
  readonly layers: readonly Layer[];
  readonly #runtime: Runtime;
  readonly #shape: CacheShape;
  readonly #memory: DisposableStack;
  #holders = 1;

  /**
   * Takes memory for a cache. It is zeroed: masked slots are multiplied by 0, and 0 · NaN is NaN.
   *
   * @param runtime Where memory is taken.
   * @param shape Sizes.
   * @param capacity Slots of each row.
   * @throws {ContextError} If there is less memory than that.
   */
  constructor(runtime: Runtime, shape: CacheShape, capacity: number) {
    this.#runtime = runtime;
    this.#shape = shape;
    this.capacity = capacity;
    const dims = [shape.rows, shape.heads, capacity, shape.headSize];
    const bytes = dims.reduce((product, dim) => product * dim, 2 * shape.layers * 4);
    requireMemory(bytes, `keys and values of ${shape.rows} × ${capacity} tokens`);
    using taken = new DisposableStack(); // what was taken goes back if the library refuses the rest
    const allocate = (): Tensor<"float32"> => {
      const tensor = taken.use(Tensor.allocate(runtime, "float32", dims));
      tensor.data.fill(0);
      return tensor;
    };
    this.layers = Array.from(
      { length: shape.layers },
      () => ({ key: allocate(), value: allocate() }),
    );
    this.#memory = taken.move();
  }

  /** Bytes of all layers. */
  get byteLength(): number {
    return this.layers.length * 2 * this.layers[0]!.key.data.byteLength;
  }

  /** Gives one more holder the same cache. */
  share(): KeyValueCache {
    this.#holders++;
    return this;
  }

  /** Gives up one holder's claim; the last frees the memory. */
  release(): void {
    if (--this.#holders === 0) this.#memory.dispose();
  }

  /**
   * A cache that its holder alone may write, with at least `capacity` slots: this one if it will do,
   * else a copy, for which this one is released.
   *
   * @param lengths Committed tokens of each row: what must be copied.
   * @param capacity Slots needed.
   */
  own(lengths: readonly number[], capacity: number): KeyValueCache {
    if (this.#holders === 1 && this.capacity >= capacity) return this;
    const copy = new KeyValueCache(this.#runtime, this.#shape, Math.max(capacity, this.capacity));
    this.layers.forEach((layer, index) => {
      this.#copySlots(layer.key, copy.layers[index]!.key, lengths);
      this.#copySlots(layer.value, copy.layers[index]!.value, lengths);
    });
    this.release();
    return copy;
  }

  /** Moves slots of a row: what lay at `from + path[i]` comes to `from + i`. `path` ascends. */
  compact(row: number, from: number, path: readonly number[]): void {
    const { heads, headSize } = this.#shape;
    path.forEach((index, depth) => {
      if (index === depth) return;
      for (const { key, value } of this.layers) {
        for (let head = 0; head < heads; head++) {
          const start = ((row * heads + head) * this.capacity + from) * headSize;
          const source = start + index * headSize;
          key.data.copyWithin(start + depth * headSize, source, source + headSize);
          value.data.copyWithin(start + depth * headSize, source, source + headSize);
        }
      }
    });
  }

  #copySlots(
    from: Tensor<"float32">,
    to: Tensor<"float32">,
    lengths: readonly number[],
  ): void {
    const { heads, headSize } = this.#shape;
    const [fromStride, toStride] = [from.dims[2]! * headSize, to.dims[2]! * headSize];
    for (let head = 0; head < lengths.length * heads; head++) {
      const length = lengths[Math.floor(head / heads)]! * headSize;
      to.data.set(
        from.data.subarray(head * fromStride, head * fromStride + length),
        head * toStride,
      );
    }
  }
}
