/**
 * The record of the cost layer: one row a cell.
 *
 * @module
 */

import {
  flag,
  integer,
  measured,
  number,
  oneOf,
  optional,
  readRows,
  type RowOf,
  schemaColumn,
  type Table,
  text,
} from "./columns.ts";
import { COST_KINDS } from "./cost_plan.ts";
import { PROVENANCE_COLUMNS } from "./provenance_columns.ts";

/** Version of the table below. It grows whenever a column is added, dropped or changes meaning. */
export const COST_SCHEMA = 1;

/** The columns of `costs.csv`. */
export const COST_COLUMNS = {
  schema: schemaColumn(COST_SCHEMA),
  key: text("Hash of the cell's condition: all factors."),
  cell: text("Names the row: key and process."),
  process: integer("Which replicate of the measurement on this machine, from 1."),
  startedAt: measured(text("When the cell was first visited: ISO 8601, UTC.")),
  ...PROVENANCE_COLUMNS,
  model: text("The model's catalog id."),
  modelHash: optional(text("SHA-256 of the weights' file; empty if there is none.")),
  precision: text("Precision of the matrices."),
  headPrecision: optional(text("Precision of the output head.")),
  attention: optional(
    text("Forms of attention: scattered, grouped, or from what context on which."),
  ),
  exact: flag("Whether passes were padded so that logits do not depend on their width."),
  kind: oneOf(
    COST_KINDS,
    "A pass that scores its tokens, a chunk of prefill, or a round's work outside of passes.",
  ),
  width: integer("w: new tokens of each row.", "token"),
  context: integer("n: tokens before them in each row.", "token"),
  batch: integer("B: rows."),
  pastLimit: flag("Whether n + w exceeds the positions that the model was made for."),
  status: oneOf(["ok", "failed"], "A failed cell has no figures."),
  error: optional(text("Why a cell failed.")),
  ms: measured(
    optional(number("Geometric mean over visits of the median of a visit's samples.", "ms")),
  ),
  lowMs: measured(
    optional(number("Lower end of its 95 % interval over visits; empty after one.", "ms")),
  ),
  highMs: measured(optional(number("Upper end likewise.", "ms"))),
  leastMs: measured(optional(number("The least sample.", "ms"))),
  visits: measured(optional(integer("Times the cell was come back to, others in between."))),
  repeats: measured(optional(integer("Samples in all visits."))),
  converged: measured(optional(flag("Whether the interval was tight before the time was up."))),
  dropped: measured(optional(integer("Visits measured again because other work disturbed them."))),
  otherLoad: measured(optional(
    number("Greatest share of the CPU time that went elsewhere during a visit that counts.", ""),
  )),
  disturbed: measured(
    optional(flag("Whether otherLoad was too high; such cells are left out of models.")),
  ),
  residentBytes: measured(optional(
    integer("Greatest resident memory of this process in a visit, all its models.", "byte"),
  )),
} satisfies Table;

/** A cell of the cost layer: what it was, and what it took. */
export type CostRecord = RowOf<typeof COST_COLUMNS>;

/**
 * Reads the text of a `costs.csv`.
 *
 * @param csv The text.
 * @param file The file's name, for messages.
 * @returns The cells.
 * @throws {RecordError} If the schema is another version's, or a row is malformed.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * assertEquals(readCostRows(Object.keys(COST_COLUMNS).join(",") + "\n"), []);
 * assertThrows(() => readCostRows("schema,key\n99,abc\n"), Error, "its schema is 99");
 * ```
 */
export function readCostRows(csv: string, file = "costs.csv"): CostRecord[] {
  return readRows(COST_COLUMNS, csv, file);
}
