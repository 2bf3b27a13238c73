/** A study of tables as a cell runs it: `measure_child.ts RECORDS [stop]`; prints the machine's id. */

import { measure } from "../../lib/notebook/measure.ts";
import { preset } from "../../lib/study/presets.ts";
import type { SubjectLoader } from "../../lib/study/subject.ts";
import { loadTable } from "../study/tables.ts";

/** 24 pairs in fp32, 12 in int8. */
const STUDY = {
  ...preset("tiny", "table"),
  precisions: ["fp32", "int8"] as const,
  acceptances: [],
};

/** Does what the stop button does, halfway. */
const loadAndStop: SubjectLoader = async (id, options) => {
  if (options.precision === "int8") {
    Deno.kill(Deno.pid, "SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return loadTable(id, options);
};

const [records, stop] = Deno.args as [string, string?];
console.log(await measure(STUDY, { records, threads: 1, load: stop ? loadAndStop : loadTable }));
