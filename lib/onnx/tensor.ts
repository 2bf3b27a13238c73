/**
 * Tensors in memory that the library owns: V8 can neither move nor free it under a running call.
 *
 * @module
 */

import type { Handle } from "./api.ts";
import { preferHugePages } from "./huge_pages.ts";
import type { Runtime } from "./runtime.ts";

/** The array that views a tensor's elements, by element type. */
export interface ElementArrays {
  /** 32-bit floats. */
  readonly float32: Float32Array<ArrayBuffer>;
  /** Bytes. */
  readonly uint8: Uint8Array<ArrayBuffer>;
  /** 32-bit integers. */
  readonly int32: Int32Array<ArrayBuffer>;
  /** 64-bit integers. */
  readonly int64: BigInt64Array<ArrayBuffer>;
}

/** The element type of a tensor. */
export type ElementType = keyof ElementArrays;

/** Element types, their numbers in the C interface, and the arrays that view them. */
const TYPES = {
  float32: { code: 1, array: Float32Array },
  uint8: { code: 2, array: Uint8Array },
  int32: { code: 6, array: Int32Array },
  int64: { code: 7, array: BigInt64Array },
} as const;

/** A tensor, or another shape of one's memory. Not zeroed. */
export class Tensor<T extends ElementType = ElementType> implements Disposable {
  readonly #runtime: Runtime;
  readonly #address: Deno.PointerObject;
  #handle: Handle | null;

  /** The element type. */
  readonly type: T;
  /** The shape, outermost first. */
  readonly dims: readonly number[];
  /** The elements, row by row. Must not be used after the tensor is disposed. */
  readonly data: ElementArrays[T];

  private constructor(
    runtime: Runtime,
    type: T,
    dims: readonly number[],
    make: (shape: BigInt64Array<ArrayBuffer>, byteLength: number) => Handle,
  ) {
    const { array } = TYPES[type];
    const byteLength = count(dims) * array.BYTES_PER_ELEMENT;
    const { api } = runtime;
    const handle = make(BigInt64Array.from(dims, BigInt), byteLength);
    this.#runtime = runtime;
    this.#handle = handle;
    this.#address = api.create((out) => api.GetTensorMutableData(handle, out));
    this.type = type;
    this.dims = [...dims];
    const memory = Deno.UnsafePointerView.getArrayBuffer(this.#address, byteLength);
    this.data = new array(memory) as unknown as ElementArrays[T];
  }

  /**
   * Takes memory for a tensor.
   *
   * @param runtime The runtime.
   * @param type The element type.
   * @param dims The shape, outermost first; at least one element.
   * @returns The tensor, its elements undefined.
   */
  static allocate<T extends ElementType>(
    runtime: Runtime,
    type: T,
    dims: readonly number[],
  ): Tensor<T> {
    const { api, allocator } = runtime;
    const tensor = new Tensor(
      runtime,
      type,
      dims,
      (shape) =>
        api.create((out) =>
          api.CreateTensorAsOrtValue(allocator, shape, BigInt(dims.length), TYPES[type].code, out)
        ),
    );
    preferHugePages(tensor.#address, tensor.data.byteLength);
    return tensor;
  }

  /**
   * Sees memory that is someone else's as a tensor. Dispose it before the memory goes.
   *
   * @param runtime The runtime.
   * @param type The element type.
   * @param dims The shape, outermost first.
   * @param address Where the elements begin.
   * @returns A tensor over that memory.
   */
  static over<T extends ElementType>(
    runtime: Runtime,
    type: T,
    dims: readonly number[],
    address: Deno.PointerObject,
  ): Tensor<T> {
    const { api, memory } = runtime;
    return new Tensor(
      runtime,
      type,
      dims,
      (shape, byteLength) =>
        api.create((out) =>
          api.CreateTensorWithDataAsOrtValue(
            memory,
            address,
            BigInt(byteLength),
            shape,
            BigInt(dims.length),
            TYPES[type].code,
            out,
          )
        ),
    );
  }

  /**
   * Sees part of this tensor's memory in another shape. Dispose it before the tensor.
   *
   * @param dims A shape.
   * @param from The element where it begins. Default 0.
   * @returns A tensor over the same memory.
   * @throws {RangeError} If the shape reaches further than there are elements.
   */
  view(dims: readonly number[], from: number = 0): Tensor<T> {
    if (from + count(dims) > count(this.dims)) {
      throw new RangeError(
        `Cannot view a tensor of shape [${this.dims}] as [${dims}] from ${from} as that has more elements`,
      );
    }
    const address = Deno.UnsafePointer.offset(
      this.#address,
      from * TYPES[this.type].array.BYTES_PER_ELEMENT,
    )!;
    return Tensor.over(this.#runtime, this.type, dims, address);
  }

  /** The library's handle. */
  get handle(): Handle {
    if (this.#handle) return this.#handle;
    throw new ReferenceError("Cannot use a tensor as it has been disposed");
  }

  /** Gives the memory back; a view gives back only itself. */
  [Symbol.dispose](): void {
    if (this.#handle) this.#runtime.api.release("ReleaseValue", this.#handle);
    this.#handle = null;
  }
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
