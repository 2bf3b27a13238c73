/**
 * All of a study in a process to kill: `study_child.ts URL CACHE RECORDS` fetches the tiny model
 * from a server, builds its graphs and sweeps. Prints what it is about to do.
 */

import { loadModel } from "../../lib/engine/load.ts";
import { fetchModel } from "../../lib/models/fetch.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { plan } from "../../lib/study/plan.ts";
import { preset } from "../../lib/study/presets.ts";
import { openRecords } from "../../lib/study/store.ts";
import type { Subject } from "../../lib/study/subject.ts";
import { sweep } from "../../lib/study/sweep.ts";
import { PROMPTS, PROVENANCE, quiet, tableSubject } from "../study/tables.ts";
import { entryOf } from "./entry.ts";
import { tinyGguf } from "./tiny_model.ts";

/** What it sweeps: short prompts, as all that matters is that there are some. */
export const STAGES = plan(
  { ...preset("tiny", "tiny"), promptsPerCell: 1 },
  PROMPTS.slice(0, 4).map((prompt) => ({ ...prompt, text: prompt.text.slice(0, 40) })),
  { process: 1, threads: 1 },
);

async function subjectOf(
  path: string,
  precision: Subject["precision"],
  options: { runtime: Runtime; cache: string },
): Promise<Subject> {
  const model = await loadModel(path, { ...options, precision });
  return {
    ...tableSubject("tiny", precision, model),
    endOfText: model.tokenizer.endOfText,
    encode: (messages) => model.encodeChat(messages),
  };
}

if (import.meta.main) {
  const [url, cache, records] = Deno.args as [string, string, string];
  console.log("fetch");
  const path = await fetchModel(entryOf(tinyGguf(), { kind: "http", url }), { cache });
  using runtime = new Runtime({ threads: 1 });
  const options = { runtime, cache };
  console.log("build");
  for (const precision of ["fp32", "int4"] as const) {
    await (await subjectOf(path, precision, options))[Symbol.asyncDispose]();
  }
  console.log("sweep");
  await using store = await openRecords(records);
  const { left } = await sweep(STAGES, {
    load: (_, { precision }) => subjectOf(path, precision, options),
    store,
    provenance: PROVENANCE,
    meter: quiet,
  });
  if (left > 0) throw new Error(`${left} pairs are left`);
}
