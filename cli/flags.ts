/**
 * Flags that commands which load a model share.
 *
 * @module
 */

import { catalog } from "../lib/models/catalog.ts";

/** The precisions that a model's matrices can have. */
export const PRECISIONS = ["fp32", "int8", "int4"] as const;

/** Which model to load, and how its passes run. */
export const LOADING = {
  model: {
    type: "string",
    default: catalog[0]!.id,
    description: "the target: a catalogue id or the path of a .gguf file",
  },
  exact: { type: "boolean", description: "run passes only at widths that agree to the bit" },
  threads: {
    type: "number",
    default: navigator.hardwareConcurrency,
    description: "threads of a pass",
  },
} as const;
