/**
 * Speed-ups that others report: what projections are held against.
 *
 * @module
 */

import {
  integer,
  number,
  oneOf,
  optional,
  readRows,
  type RowOf,
  type Table,
  text,
} from "./columns.ts";

/** The columns of `published.csv`. */
export const PUBLISHED_COLUMNS = {
  system: text("Who measured, or with what."),
  source: text("Paper or page, and the table or section."),
  part: text("Id of the hardware in `hardware.csv`."),
  devices: integer("Parts that share a pass."),
  target: text("The target's sizes, by name."),
  targetFormat: oneOf(["fp32", "fp16", "int8", "int4"], "How the target's weights are stored."),
  draft: text("The draft's sizes, by name."),
  draftFormat: oneOf(["fp32", "fp16", "int8", "int4"], "How the draft's weights are stored."),
  batch: integer("B: rows."),
  context: integer("n: tokens of context; assumed where it is short and not reported.", "token"),
  draftLength: integer("K: reported, or else assumed."),
  acceptance: optional(number("α, per tested token, as reported.", "")),
  acceptedPerDrafted: optional(number("Accepted per drafted token, as reported.", "")),
  tau: optional(number("τ, tokens a target pass, as reported.", "")),
  speedup: number("S, as reported.", ""),
  plainRate: optional(number("Plain decoding of one row, as reported.", "token/s")),
  assumed: optional(text("What the projection has to assume.")),
} satisfies Table;

/** A reported speed-up. At most one of `acceptance`, `acceptedPerDrafted` and `tau` is given. */
export type PublishedSpeedup = RowOf<typeof PUBLISHED_COLUMNS>;

/**
 * Reads the text of `published.csv`.
 *
 * @param csv The text.
 * @param file The file's name, for messages.
 * @returns The speed-ups.
 * @throws {RecordError} If the columns are others, or a cell is malformed.
 *
 * @example
 * ```ts
 * import { assertGreater } from "@std/assert";
 * const published = readPublished(await Deno.readTextFile("data/published.csv"));
 * assertGreater(published.length, 7);
 * ```
 */
export function readPublished(csv: string, file = "published.csv"): PublishedSpeedup[] {
  return readRows(PUBLISHED_COLUMNS, csv, file);
}
