/**
 * A walk over a GGUF header that trusts nothing in it. The kept reader pads a truncated file with
 * zeros, and cuts a string in two where its buffer ends; this goes first, so that it reads only
 * headers whose every part lies in the file.
 *
 * @module
 */

/** Where the bytes of a file come from: as many as were asked for, or fewer at the file's end. */
export type ReadAt = (offset: number, length: number) => Uint8Array<ArrayBuffer>;

/** A string that ends a metadata value and that the kept reader may cut short. */
export interface CutString {
  /** The metadata key. */
  readonly key: string;
  /** The string in full. */
  readonly text: string;
}

const LIMITS = {
  header: 50_000_000,
  string: 1 << 20,
  name: 1 << 16,
  array: 1_000_000,
  nesting: 3,
  /** Reads of array elements; the vocabulary of Llama 3, a large one, takes 1.7 million. */
  effort: 3_000_000,
};
/** The kept reader's buffer grows by this many bytes, and each time it reads a value anew. */
const READER_CHUNK = 2_000_000;
const WINDOW = 1 << 20;

/** Bytes of a metadata value by its type; strings (8) and arrays (9) say their own. */
const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const STRING = 8;
const ARRAY = 9;

/**
 * Walks the header from its magic number to its last tensor's description.
 *
 * @param readAt Reads the file.
 * @param size The file's size in bytes.
 * @returns The strings that the kept reader may cut short.
 * @throws {RangeError} If the header is not sound; the message is a reason: "the header ends …".
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * const file = new Uint8Array(24);
 * file.set(new TextEncoder().encode("GGUF"));
 * file[4] = 3; // the version; then no tensors and no metadata
 * assertEquals(walkHeader((from, length) => file.slice(from, from + length), 24), []);
 * assertThrows(() => walkHeader((from, length) => file.slice(from, from + length), 23), RangeError);
 * ```
 */
export function walkHeader(readAt: ReadAt, size: number): CutString[] {
  const header = new Cursor(readAt, size);
  if (header.uint32() !== 0x46554747) throw new RangeError("it does not start with GGUF");
  const version = header.uint32();
  if (version !== 2 && version !== 3) {
    throw new RangeError(
      version & 0xffff
        ? `its version is ${version}, not 2 or 3`
        : "it is big-endian, or its version is damaged",
    );
  }
  const tensors = header.uint64();
  const entries = header.uint64();
  // The least that a tensor's description or a metadata entry can take is 24 or 13 bytes.
  if (tensors * 24 + entries * 13 > size) {
    throw new RangeError(
      `it claims ${tensors} tensors and ${entries} metadata entries, more than ${size} bytes hold`,
    );
  }
  const cut: CutString[] = [];
  const keys = new Set<string>();
  let effort = 0;
  for (let i = 0; i < entries; i++) {
    const key = header.name();
    if (keys.has(key)) throw new RangeError(`the metadata key ${JSON.stringify(key)} stands twice`);
    keys.add(key);
    const { at, elements } = header;
    const text = walkValue(header, header.uint32(), 0);
    if (text !== null) cut.push({ key, text });
    effort += (header.elements - elements) * (1 + chunkOf(header.at) - chunkOf(at));
    if (effort > LIMITS.effort) {
      throw new RangeError("its metadata has more lists than can be read");
    }
  }
  for (let i = 0; i < tensors; i++) {
    header.name();
    header.skip(header.uint32() * 8 + 12); // dimensions, kind, offset
  }
  return cut;
}

/** Returns the value's last string where the reader may cut it, else null. */
function walkValue(header: Cursor, type: number, depth: number): string | null {
  if (type === STRING) return header.string();
  if (type !== ARRAY) {
    header.skip(bytesOf(type));
    return null;
  }
  if (depth === LIMITS.nesting) throw new RangeError("its metadata nests arrays too deeply");
  const inner = header.uint32();
  const length = header.uint64();
  if (length > LIMITS.array) {
    throw new RangeError(`a metadata array claims ${length} elements, more than ${LIMITS.array}`);
  }
  header.elements += length;
  if (inner !== STRING && inner !== ARRAY) {
    header.skip(length * bytesOf(inner));
    return null;
  }
  let last: string | null = null;
  for (let i = 0; i < length; i++) last = walkValue(header, inner, depth + 1);
  return last;
}

function bytesOf(type: number): number {
  const bytes = VALUE_BYTES[type];
  if (bytes === undefined) throw new RangeError(`it has a metadata value of unknown type ${type}`);
  return bytes;
}

/** Of the reader's chunks, the one that the byte before `end` is in. */
function chunkOf(end: number): number {
  return Math.floor((end - 1) / READER_CHUNK);
}

class Cursor {
  /** Where it stands, in bytes from the file's start. */
  at = 0;
  /** Array elements that it has met. */
  elements = 0;
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #start = 0;

  constructor(readonly readAt: ReadAt, readonly size: number) {}

  uint32(): number {
    const at = this.#take(4); // may replace the view
    return this.#view.getUint32(at, true);
  }

  /** As a number: what a double cannot hold exactly is far past every limit anyway. */
  uint64(): number {
    const at = this.#take(8);
    return Number(this.#view.getBigUint64(at, true));
  }

  skip(bytes: number): void {
    const end = this.at + bytes;
    if (end > this.size) {
      throw new RangeError(`the file ends at byte ${this.size}, inside the header`);
    }
    if (end > LIMITS.header) {
      throw new RangeError(`its header is longer than ${LIMITS.header} bytes`);
    }
    this.at = end;
  }

  name(): string {
    const length = this.uint64();
    if (length > LIMITS.name) {
      throw new RangeError(`a name claims ${length} bytes, more than ${LIMITS.name}`);
    }
    return this.#text(length);
  }

  /** Skips a string, and returns it only where the reader's buffer may end before it does. */
  string(): string | null {
    const length = this.uint64();
    if (length > LIMITS.string) {
      throw new RangeError(`a string claims ${length} bytes, more than ${LIMITS.string}`);
    }
    // A buffer that ends where the string starts holds its length, but nothing of it.
    if (chunkOf(this.at) !== chunkOf(this.at + length)) return this.#text(length);
    this.skip(length);
    return null;
  }

  #text(length: number): string {
    const at = this.#take(length);
    return new TextDecoder().decode(this.#window.subarray(at, at + length));
  }

  /** Where in the window the next bytes lie; reads a new window when they are not all in it. */
  #take(bytes: number): number {
    const from = this.at;
    this.skip(bytes);
    if (from < this.#start || this.at > this.#start + this.#window.length) {
      this.#window = this.readAt(from, Math.min(Math.max(bytes, WINDOW), this.size - from));
      this.#view = new DataView(this.#window.buffer);
      this.#start = from;
      if (this.#window.length < bytes) throw new RangeError("the file shrank while it was read");
    }
    return from - this.#start;
  }
}
