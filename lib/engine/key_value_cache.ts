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
  /** Width of the hidden states that are kept beside keys and values; 0 keeps none. */
  readonly hidden: number;
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
  /** The tokens' hidden states, [rows, 1, capacity, hidden], if they are kept. */
  readonly hidden: Tensor<"float32"> | null;
  readonly #runtime: Runtime;
  readonly #shape: CacheShape;
  readonly #memory = new DisposableStack();
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
    const { rows, heads, headSize, layers, hidden } = shape;
    const slots = rows * capacity;
    const elements = slots * (2 * layers * heads * headSize + hidden);
    requireMemory(elements * 4, `keys and values of ${rows} × ${capacity} tokens`);
    // One stretch for all layers: small ones of their own would share no huge page.
    const memory = Tensor.allocate(runtime, "float32", [elements]);
    memory.data.fill(0);
    let taken = 0;
    const next = (heads: number, width: number): Tensor<"float32"> => {
      const tensor = this.#memory.use(memory.view([rows, heads, capacity, width], taken));
      taken += slots * heads * width;
      return tensor;
    };
    const ofHeads = (): Tensor<"float32"> => next(heads, headSize);
    this.#memory.use(memory);
    this.layers = Array.from({ length: layers }, () => ({ key: ofHeads(), value: ofHeads() }));
    this.hidden = hidden > 0 ? next(1, hidden) : null;
  }

  /** Bytes of the keys and values. */
  get byteLength(): number {
    return this.layers.reduce(
      (sum, { key, value }) => sum + key.data.byteLength + value.data.byteLength,
      0,
    );
  }

  /** Bytes of the hidden states. */
  get hiddenBytes(): number {
    return this.hidden?.data.byteLength ?? 0;
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
    const copies = copy.#tensors();
    for (const [i, tensor] of this.#tensors().entries()) copySlots(tensor, copies[i]!, lengths);
    this.release();
    return copy;
  }

  /** Moves slots of a row: what lay at `from + path[i]` comes to `from + i`. `path` ascends. */
  compact(row: number, from: number, path: readonly number[]): void {
    if (path.every((index, depth) => index === depth)) return; // a chain lies where it belongs
    const tensors = this.#tensors();
    path.forEach((index, depth) => {
      if (index === depth) return;
      for (const { data, dims } of tensors) {
        const [heads, width] = [dims[1]!, dims[3]!];
        for (let head = 0; head < heads; head++) {
          const start = ((row * heads + head) * this.capacity + from) * width;
          const source = start + index * width;
          data.copyWithin(start + depth * width, source, source + width);
        }
      }
    });
  }

  /**
   * Keeps the hidden states of new tokens in the slots of their keys.
   *
   * @param states [rows, width, hidden].
   * @param width New tokens of each row, padding included.
   * @param rows Each row's committed length, and its new tokens.
   */
  keepHidden(
    states: Float32Array,
    width: number,
    rows: readonly { readonly length: number; readonly tokens: readonly unknown[] }[],
  ): void {
    const { data, dims } = this.hidden!;
    const size = dims[3]!;
    for (const [row, { length, tokens }] of rows.entries()) {
      const from = row * width * size;
      const part = states.subarray(from, from + tokens.length * size);
      data.set(part, (row * this.capacity + length) * size);
    }
  }

  /** A slot's hidden state: a view. The cache must keep them. */
  hiddenAt(row: number, slot: number): Float32Array {
    const { data, dims } = this.hidden!;
    const [at, width] = [row * this.capacity + slot, dims[3]!];
    return data.subarray(at * width, (at + 1) * width);
  }

  #tensors(): Tensor<"float32">[] {
    const all = this.layers.flatMap(({ key, value }) => [key, value]);
    return this.hidden ? [...all, this.hidden] : all;
  }
}

/** Copies the first slots of each row to a cache of another capacity. */
function copySlots(
  from: Tensor<"float32">,
  to: Tensor<"float32">,
  lengths: readonly number[],
): void {
  const [heads, width] = [from.dims[1]!, from.dims[3]!];
  const [fromStride, toStride] = [from.dims[2]! * width, to.dims[2]! * width];
  for (let head = 0; head < lengths.length * heads; head++) {
    const length = lengths[Math.floor(head / heads)]! * width;
    const start = head * fromStride;
    to.data.set(from.data.subarray(start, start + length), head * toStride);
  }
}
