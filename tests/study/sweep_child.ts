/** A sweep to kill: runs the tiny study on tables, and says so after every pair. */

import { openRecords } from "../../lib/study/store.ts";
import { tinySweep } from "./tables.ts";

const interruption = new AbortController();
Deno.addSignalListener("SIGINT", () => interruption.abort());
await using store = await openRecords(Deno.args[0]!);
const { left } = await tinySweep(store, {
  signal: interruption.signal,
  onProgress: ({ done }) => console.log(done),
});
Deno.exitCode = left === 0 ? 0 : 130;
