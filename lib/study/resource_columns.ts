/**
 * The columns that say what a run used besides time.
 *
 * @module
 */

import { integer, measured, number, optional, type Table, text } from "./columns.ts";

/** Energy and memory of a run. */
export const RESOURCE_COLUMNS = {
  energyMeter: measured(text(
    "What counted energy: rapl (processor packages), nvml (the GPU's board; sampled where it only tells its power), powermetrics (an Apple chip); or no meter, and why.",
  )),
  energyJoules: measured(optional(
    number("Energy of decoding, idle included; empty without a meter.", "J"),
  )),
  memoryJoules: measured(optional(
    number("Of memory modules with a counter of their own, not in energyJoules.", "J"),
  )),
  energySeconds: measured(optional(
    number("Time that the meter's readings lie apart: decodeMs or a little more.", "s"),
  )),
  idleWatts: measured(optional(
    number("Power of the machine at rest before the sweep, by the same meter and memory's.", "W"),
  )),
  weightBytes: optional(
    integer("Weights of the models that the run needs, as executed.", "byte"),
  ),
  keyValueBytes: optional(
    integer("Keys and values of the run's own contexts, room for more tokens included.", "byte"),
  ),
  bufferBytes: measured(optional(
    integer(
      "Resident memory beyond all weights, keys and values of the process: activations, libraries.",
      "byte",
    ),
  )),
} satisfies Table;
