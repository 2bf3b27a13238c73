/**
 * The columns that say where a row comes from.
 *
 * @module
 */

import { flag, integer, optional, type Table, text } from "./columns.ts";

/** Machine, code and versions, as every table of measurements has them. */
export const PROVENANCE_COLUMNS = {
  machine: text("Machine id: the folder's name; `machine.json` describes it."),
  cpu: text("Processor's brand."),
  provider: text("What executed the network."),
  threads: integer("Threads of a pass."),
  specbound: text("Version of this package."),
  commit: optional(text("Commit of the code; empty outside a git repository.")),
  dirty: optional(flag("Whether tracked code differed from the commit.")),
  deno: text("Version of Deno."),
  onnxruntime: optional(text("Version of ONNX Runtime; empty for table models.")),
} satisfies Table;
