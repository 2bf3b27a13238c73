/**
 * Who may look at whom.
 *
 * @module
 */

/** One row's share of an attention mask. */
export interface MaskRow {
  /** Committed tokens of the row: every query sees their slots. */
  readonly length: number;
  /** Each new token's parent index, or −1 for the committed text. Tokens past these are padding. */
  readonly parents: readonly number[];
  /** Whether the text's first token is seen by itself alone. Default false. */
  readonly firstApart?: boolean;
}

/**
 * Writes the additive mask of a pass: 0 where a query may look, −∞ elsewhere. A new token sees the
 * committed text, its ancestors and itself; padding sees the text and itself, to have something to
 * look at.
 *
 * @param mask Filled with [rows, width, capacity].
 * @param rows The rows.
 * @param width New tokens of the pass, padding included.
 * @param capacity Slots of a row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const mask = new Float32Array(2 * 4);
 * writeMask(mask, [{ length: 1, parents: [-1, 0] }], 2, 4);
 * assertEquals([...mask].map((x) => x === 0 ? 1 : 0), [1, 1, 0, 0, 1, 1, 1, 0]);
 * writeMask(mask, [{ length: 1, parents: [-1, 0], firstApart: true }], 2, 4);
 * assertEquals([...mask].map((x) => x === 0 ? 1 : 0), [0, 1, 0, 0, 0, 1, 1, 0]);
 * ```
 */
export function writeMask(
  mask: Float32Array,
  rows: readonly MaskRow[],
  width: number,
  capacity: number,
): void {
  let at = 0;
  for (const { length, parents, firstApart } of rows) {
    for (let token = 0; token < width; token++) {
      mask.fill(0, at, at + length);
      mask.fill(-Infinity, at + length, at + capacity);
      mask[at + length + token] = 0;
      for (let i = parents[token] ?? -1; i >= 0; i = parents[i]!) mask[at + length + i] = 0;
      if (firstApart && length + token > 0) mask[at] = -Infinity;
      at += capacity;
    }
  }
}
