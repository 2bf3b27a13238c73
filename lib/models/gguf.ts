/**
 * Reads a GGUF file: its metadata at once, its tensors on demand.
 *
 * @module
 */

import { gguf as readHeader } from "@huggingface/gguf";
import { requireInteger } from "../validate.ts";
import { dequantize } from "./dequantize.ts";
import { type CutString, walkHeader } from "./gguf_header.ts";
import { type GgufTensor, placeTensors } from "./gguf_tensors.ts";

export type { GgufTensor } from "./gguf_tensors.ts";

/**
 * A file that cannot be read as GGUF: "Cannot read PATH as REASON: WAY OUT".
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * await assertRejects(() => openGguf("no/such.gguf"), GgufError, "Cannot read no/such.gguf as");
 * ```
 */
export class GgufError extends Error {
  /** The error's name, "GgufError". */
  override readonly name = "GgufError";

  /**
   * Puts the message together.
   *
   * @param path The file.
   * @param reason What is wrong.
   * @param options What can be done, and the error that was the cause, if one was.
   */
  constructor(path: string, reason: string, options: ErrorOptions & { wayOut?: string } = {}) {
    const { wayOut = "fetch the file again, or convert the model anew" } = options;
    super(`Cannot read ${path} as ${reason}: ${wayOut}`, options);
  }
}

/** An open GGUF file. */
export interface Gguf {
  /** Where the file lies. */
  readonly path: string;
  /** Its metadata by key: "general.architecture", "tokenizer.ggml.tokens" and so on. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Its tensors by name, in the file's order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** The tensor's packed bytes, read from the file. Throws a {@linkcode GgufError}. */
  read(name: string): Uint8Array<ArrayBuffer>;
  /**
   * The tensor's weights, unpacked, row after row: all, or rows `from` up to, not including, `to`.
   * Throws a {@linkcode GgufError}, and a RangeError if there are no such rows.
   */
  readFloats(name: string, from?: number, to?: number): Float32Array;
  /** Closes the file. */
  [Symbol.dispose](): void;
}

/**
 * Opens a GGUF file (version 2 or 3, little-endian) and checks that every tensor it describes lies
 * within it. Of the file, only the header is read.
 *
 * @param path The file.
 * @returns The open file; dispose of it when done.
 * @throws {GgufError} If the file is missing, truncated, damaged, or packed in an unknown way.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * // A file of one tensor: two float32 weights, 1.5 and -2.
 * const file = new DataView(new ArrayBuffer(72));
 * new TextEncoder().encodeInto("GGUF", new Uint8Array(file.buffer));
 * file.setUint32(4, 3, true); // version
 * file.setUint32(8, 1, true); // tensors
 * file.setUint32(24, 1, true); // length of the name
 * file.setUint8(32, "w".charCodeAt(0));
 * file.setUint32(33, 1, true); // dimensions
 * file.setUint32(37, 2, true);
 * file.setFloat32(64, 1.5, true);
 * file.setFloat32(68, -2, true);
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * await Deno.writeFile(path, new Uint8Array(file.buffer));
 *
 * using gguf = await openGguf(path);
 * assertEquals(gguf.tensors.get("w")?.shape, [2]);
 * assertEquals(gguf.readFloats("w"), Float32Array.of(1.5, -2));
 * ```
 */
export async function openGguf(path: string): Promise<Gguf> {
  const file = openFile(path);
  try {
    const size = file.statSync().size;
    const cut = walkHeader((offset, length) => readAt(file, offset, length), size);
    const header = await readHeader(path, { allowLocalFile: true });
    // No prototype, so that a key named as one of Object's own is only a key.
    const metadata: Record<string, unknown> = Object.assign(Object.create(null), header.metadata);
    for (const string of cut) restore(metadata, string);
    const [, headerEnd] = header.tensorInfoByteRange;
    const alignment = metadata["general.alignment"] ?? 32;
    const tensors = placeTensors(header.tensorInfos, headerEnd, alignment, size);
    return new GgufFile(path, metadata, tensors, file);
  } catch (error) {
    file.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new GgufError(path, reason, { cause: error });
  }
}

class GgufFile implements Gguf {
  #file: Deno.FsFile | null;

  constructor(
    readonly path: string,
    readonly metadata: Readonly<Record<string, unknown>>,
    readonly tensors: ReadonlyMap<string, GgufTensor>,
    file: Deno.FsFile,
  ) {
    this.#file = file;
  }

  read(name: string): Uint8Array<ArrayBuffer> {
    return this.#read(name, 0, this.#tensor(name).byteLength);
  }

  readFloats(name: string, from = 0, to?: number): Float32Array {
    const { kind, shape, byteLength } = this.#tensor(name);
    const rows = shape.length > 1 ? shape[0]! : 1;
    const end = to ?? rows;
    requireInteger("read weights", "from", from, 0, rows);
    requireInteger("read weights", "to", end, from, rows);
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    const bytes = this.#read(name, from * byteLength / rows, (end - from) * byteLength / rows);
    return dequantize(kind, bytes, (end - from) * count / rows);
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Some of a tensor's packed bytes. */
  #read(name: string, from: number, length: number): Uint8Array<ArrayBuffer> {
    if (this.#file === null) {
      throw new GgufError(this.path, "it was closed", { wayOut: "open it again" });
    }
    const bytes = readAt(this.#file, this.#tensor(name).offset + from, length);
    if (bytes.length < length) {
      throw new GgufError(this.path, `it ends inside tensor ${JSON.stringify(name)}`);
    }
    return bytes;
  }

  #tensor(name: string): GgufTensor {
    const tensor = this.tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new GgufError(this.path, `it has no tensor ${JSON.stringify(name)}`, {
      wayOut: "use a name listed in tensors",
    });
  }
}

function openFile(path: string): Deno.FsFile {
  try {
    if (Deno.statSync(path).isFile) return Deno.openSync(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const reason = missing ? "there is no such file" : (cause as Error).message;
    throw new GgufError(path, reason, { cause, wayOut: "check the path" });
  }
  throw new GgufError(path, "it is not a file", { wayOut: "check the path" });
}

/** Reads `length` bytes, or fewer where the file ends before. */
function readAt(file: Deno.FsFile, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) return bytes.subarray(0, filled);
    filled += count;
  }
  return bytes;
}

/** Puts a string that the reader may have cut back where it ends its (possibly nested) value. */
function restore(metadata: Record<string, unknown>, { key, text }: CutString): void {
  const value = metadata[key];
  if (!Array.isArray(value)) {
    metadata[key] = text;
    return;
  }
  let array: unknown[] = value;
  for (let last = array.at(-1); Array.isArray(last); last = array.at(-1)) array = last;
  array[array.length - 1] = text;
}
