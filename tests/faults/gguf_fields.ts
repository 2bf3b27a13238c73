/**
 * Where the numbers of a sound GGUF header stand, so that damage can be aimed.
 *
 * @module
 */

/** A run of bytes. */
export interface Span {
  /** The first byte. */
  readonly at: number;
  /** How many. */
  readonly size: number;
}

/** The parts of a header. */
export interface Fields {
  /** Every length, count, type, dimension and offset. */
  readonly numbers: readonly Span[];
  /** Every metadata entry, and where its value's type stands. */
  readonly entries: readonly (Span & { readonly value: number })[];
  /** Every tensor's description. */
  readonly tensors: readonly Span[];
  /** The header's bytes. */
  readonly end: number;
}

const SCALARS = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/** Reads a header that is known to be sound. */
export function fieldsOf(bytes: Uint8Array<ArrayBuffer>): Fields {
  const view = new DataView(bytes.buffer);
  const numbers: Span[] = [];
  let at = 4;
  const number = (size: 4 | 8): number => {
    numbers.push({ at, size });
    at += size;
    return size === 4 ? view.getUint32(at - 4, true) : Number(view.getBigUint64(at - 8, true));
  };
  const text = (): void => {
    const length = number(8);
    at += length;
  };
  const value = (type: number): void => {
    if (type === 8) return text();
    if (type !== 9) {
      numbers.push({ at, size: SCALARS[type]! });
      at += SCALARS[type]!;
      return;
    }
    const inner = number(4);
    const length = number(8);
    for (let i = 0; i < length; i++) value(inner);
  };
  number(4); // the version
  const [tensorCount, entryCount] = [number(8), number(8)];
  const entries = Array.from({ length: entryCount }, () => {
    const from = at;
    text();
    const type = at;
    value(number(4));
    return { at: from, size: at - from, value: type };
  });
  const tensors = Array.from({ length: tensorCount }, () => {
    const from = at;
    text();
    for (let rank = number(4); rank > 0; rank--) number(8);
    number(4);
    number(8);
    return { at: from, size: at - from };
  });
  return { numbers, entries, tensors, end: at };
}
