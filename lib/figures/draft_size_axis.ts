/**
 * Places of drafts on an axis of sizes, some of which have none.
 *
 * @module
 */

import type { DraftSize, LengthSpeed } from "../analysis/draft_sizes.ts";
import { RECOMMENDED_SIZES } from "../analysis/size_findings.ts";
import { spread } from "./plot.ts";

/** Width of a name on its side, in pixels. */
const COLUMN = 13;
/** Room at the left of the smallest draft for those without size, as a factor. */
const APART = { first: 2.2, step: 2, edge: 1.5 } as const;

/** A draft at its place on the axis, and with its name's place. */
export interface Placed extends DraftSize {
  /** Its place: its size, or one apart. */
  readonly x: number;
  /** Its name's place. */
  readonly nameAt: number;
  /** The K of the greatest measured S; null where none was measured. */
  readonly shown: LengthSpeed | null;
}

/** Where sizes lie. */
export interface SizeAxis {
  /** From, to, on a scale of logarithms. */
  readonly domain: readonly [number, number];
  /** A draft's place. */
  readonly placeOf: (size: DraftSize) => number;
  /** Between drafts without size, at the left, and the others; null where all have one. */
  readonly edge: number | null;
}

/**
 * An axis that has room for all drafts and for the recommended sizes.
 *
 * @param sizes The drafts.
 * @returns The axis; drafts without size stand apart at its left.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const drafts = [{ name: "table", ratio: 0 }, { name: "small", ratio: 0.01 }] as never[];
 * const { placeOf, edge } = axisOf(drafts);
 * assert(placeOf(drafts[0]!) < edge! && edge! < placeOf(drafts[1]!));
 * ```
 */
export function axisOf(sizes: readonly DraftSize[]): SizeAxis {
  const ratios = sizes.flatMap(({ ratio }) => ratio > 0 ? [ratio] : []);
  const tables = [...new Set(sizes.flatMap(({ ratio, name }) => ratio > 0 ? [] : [name]))];
  const least = Math.min(...ratios, RECOMMENDED_SIZES[0]);
  const tableAt = (rank: number) => least / APART.first / APART.step ** rank;
  const high = 1.35 * Math.max(...ratios, RECOMMENDED_SIZES[1]);
  return {
    domain: [tables.length > 0 ? tableAt(tables.length - 1) / APART.edge : least / 1.4, high],
    placeOf: ({ ratio, name }) => ratio > 0 ? ratio : tableAt(tables.indexOf(name)),
    edge: tables.length > 0 ? least / Math.sqrt(APART.first) : null,
  };
}

/**
 * Places the drafts of a panel; their names stand a column apart, as near to them as that allows.
 *
 * @param sizes The drafts.
 * @param axis The axis.
 * @param pixels The panel's width.
 * @returns The drafts at their places.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const drafts = [0.1, 0.101].map((ratio) => ({ name: `${ratio}`, ratio, lengths: [] })) as never[];
 * const [first, second] = placeDrafts(drafts, axisOf(drafts), 200);
 * assert(second!.nameAt / first!.nameAt > 1.05);
 * ```
 */
export function placeDrafts(
  sizes: readonly DraftSize[],
  axis: SizeAxis,
  pixels: number,
): Placed[] {
  const [low, high] = axis.domain.map(Math.log) as [number, number];
  const wanted = sizes.map((size) => Math.log(axis.placeOf(size)));
  const places = spread(wanted, COLUMN * (high - low) / pixels);
  return sizes.map((size, i) => ({
    ...size,
    x: axis.placeOf(size),
    nameAt: Math.exp(Math.min(places[i]!, high)),
    shown: size.lengths.filter(({ measured }) => measured)
      .reduce<LengthSpeed | null>(
        (a, b) => a && a.measured!.estimate >= b.measured!.estimate ? a : b,
        null,
      ),
  }));
}
