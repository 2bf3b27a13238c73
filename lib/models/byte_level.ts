/**
 * GPT-2's way to write any bytes as printable characters: vocabularies of byte-level BPE are
 * written in it, as `Ġ` for a space.
 *
 * @module
 */

/**
 * The character that stands for each byte.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(BYTE_SYMBOLS[0x20], "Ġ");
 * assertEquals(BYTE_SYMBOLS[0x41], "A");
 * ```
 */
export const BYTE_SYMBOLS: readonly string[] = symbols();

const BYTE_OF: ReadonlyMap<string, number> = new Map(
  BYTE_SYMBOLS.map((char, byte) => [char, byte]),
);

/**
 * The bytes that a vocabulary's entry stands for.
 *
 * @param entry The entry, as "Ġworld".
 * @returns Its bytes; where the entry is not written in this way, those of its UTF-8.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(bytesOf("Ġé"), Uint8Array.of(0x20, 0xe9));
 * assertEquals(bytesOf("a b"), Uint8Array.of(0x61, 0x20, 0x62));
 * ```
 */
export function bytesOf(entry: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of entry) {
    const byte = BYTE_OF.get(char);
    if (byte === undefined) return new TextEncoder().encode(entry);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** Printable Latin-1 characters stand for themselves, other bytes for U+0100 and on, in order. */
function symbols(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = byte > 0x20 && byte < 0x7f || byte > 0xa0 && byte !== 0xad;
    return String.fromCharCode(printable ? byte : next++);
  });
}
