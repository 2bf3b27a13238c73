/**
 * Published figures of processors: what a projection starts from.
 *
 * @module
 */

import { number, oneOf, optional, readRows, type RowOf, type Table, text } from "./columns.ts";

/** The columns of `hardware.csv`. */
export const HARDWARE_COLUMNS = {
  id: text("Names the part."),
  name: text("As it is sold."),
  kind: oneOf(["cpu", "gpu"], "How passes run: on cores, or on an accelerator with its own queue."),
  market: oneOf(["consumer", "data-centre"], "Whom it is made for."),
  bandwidth: number("Peak memory bandwidth.", "GB/s"),
  fp32: optional(number("Peak throughput of fp32 arithmetic.", "TFLOP/s")),
  fp16: optional(
    number("Of dense fp16 matrices, summed in fp32; on cores, of bf16 dot products.", "TFLOP/s"),
  ),
  int8: optional(number("Of dense int8 matrices.", "TOP/s")),
  int4: optional(number("Of dense int4 matrices.", "TOP/s")),
  memory: optional(number("Largest memory of the part, or of its platform.", "GB")),
  cache: optional(number("Last-level cache.", "MB")),
  power: optional(number("Board power or thermal design power.", "W")),
  source: text("Who says so; how a figure follows that is not printed there."),
} satisfies Table;

/** A part. An empty figure is one that its maker does not publish, or that we are not sure of. */
export type HardwarePart = RowOf<typeof HARDWARE_COLUMNS>;

/**
 * Reads the text of `hardware.csv`.
 *
 * @param csv The text.
 * @param file The file's name, for messages.
 * @returns The parts.
 * @throws {RecordError} If the columns are others, or a cell is malformed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const parts = readHardware(await Deno.readTextFile("data/hardware.csv"));
 * assertEquals(parts.find(({ id }) => id === "h100-sxm")?.bandwidth, 3350);
 * ```
 */
export function readHardware(csv: string, file = "hardware.csv"): HardwarePart[] {
  return readRows(HARDWARE_COLUMNS, csv, file);
}
