/**
 * The file of weights that a model's graphs share. Tensors are written piece after piece, so that
 * none of them needs to be in memory as a whole.
 *
 * @module
 */

import { join } from "node:path";

/** Element types that graphs here use. */
export type OnnxType = "float32" | "uint8" | "int32" | "int64";

/** Where a tensor lies in the file of weights. */
export interface WeightPlace {
  /** The tensor's name in the graphs. */
  readonly name: string;
  /** The type of its elements. */
  readonly type: OnnxType;
  /** Its shape, outermost first. */
  readonly dims: readonly number[];
  /** Where it starts, in bytes from the file's start. */
  readonly offset: number;
  /** The bytes it takes. */
  readonly bytes: number;
}

/** The name of a network's file of weights in its folder. */
export const WEIGHTS = "weights.bin";

/** Tensors begin at multiples of this, so that they can be mapped into memory. */
const ALIGNMENT = 4096;
const ELEMENT_BYTES: Readonly<Record<OnnxType, number>> = {
  float32: 4,
  uint8: 1,
  int32: 4,
  int64: 8,
};
/** What is written at once at most: systems write no more than 2 GB in one call. */
const WRITE_BYTES = 2 ** 28;

/**
 * Collects tensors in `weights.bin`, or a file of another name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const folder = await Deno.makeTempDir();
 * using weights = new WeightFile(folder);
 * const write = weights.reserve("w", "float32", [3]);
 * write(Float32Array.of(1, 2));
 * write(Float32Array.of(3));
 * weights.finish();
 * const { buffer } = await Deno.readFile(`${folder}/weights.bin`);
 * assertEquals(new Float32Array(buffer), Float32Array.of(1, 2, 3));
 * ```
 */
export class WeightFile implements Disposable {
  /** The folder that it lies in. */
  readonly folder: string;
  /** The name that graphs know it by. */
  readonly name: string;
  readonly #file: Deno.FsFile;
  readonly #places: Map<string, WeightPlace>;
  #end = 0;

  /**
   * Begins the file, or opens a finished one for further graphs over its weights.
   *
   * @param folder An existing folder.
   * @param options The name that graphs know it by, by default `weights.bin`; the name that it has
   *   until it is moved there, by default the same; the tensors of a finished file, to which none can
   *   be added.
   */
  constructor(
    folder: string,
    options: {
      readonly name?: string;
      readonly aside?: string;
      readonly finished?: readonly WeightPlace[];
    } = {},
  ) {
    const { name = WEIGHTS, aside = name, finished } = options;
    this.folder = folder;
    this.name = name;
    const access = finished ? { read: true } : { write: true, create: true, truncate: true };
    this.#file = Deno.openSync(join(folder, aside), access);
    this.#places = new Map(finished?.map((place) => [place.name, place]));
  }

  /** All tensors, in the order of their reservation. */
  get places(): readonly WeightPlace[] {
    return [...this.#places.values()];
  }

  /** Where a tensor lies, if it was reserved. */
  place(name: string): WeightPlace | undefined {
    return this.#places.get(name);
  }

  /** Takes room for a tensor, and gives what writes it, piece after piece. */
  reserve(
    name: string,
    type: OnnxType,
    dims: readonly number[],
  ): (piece: Float32Array | Uint8Array) => void {
    const offset = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    const bytes = dims.reduce((product, dim) => product * dim, ELEMENT_BYTES[type]);
    this.#places.set(name, { name, type, dims, offset, bytes });
    this.#end = offset + bytes;
    let at = offset;
    return (piece) => {
      this.#file.seekSync(at, Deno.SeekMode.Start);
      for (let done = 0; done < piece.byteLength;) {
        const length = Math.min(WRITE_BYTES, piece.byteLength - done);
        const bytes = new Uint8Array(piece.buffer as ArrayBuffer, piece.byteOffset + done, length);
        done += this.#file.writeSync(bytes);
      }
      at += piece.byteLength;
    };
  }

  /** Declares that a tensor is the memory of one reserved before, in another shape. */
  alias(name: string, dims: readonly number[], original: string): void {
    this.#places.set(name, { ...this.#places.get(original)!, name, dims });
  }

  /** Brings the file onto the disk. */
  finish(): void {
    this.#file.truncateSync(this.#end);
    this.#file.syncDataSync();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
