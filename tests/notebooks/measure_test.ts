import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import type { RunRecord } from "../../lib/study/records.ts";
import { readRecords } from "../../lib/study/store.ts";

/** Runs the study's cell in a process of its own, since the stop button ends a test run. */
async function runCell(records: string, ...args: readonly string[]) {
  const script = new URL("./measure_child.ts", import.meta.url).pathname;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script, records, ...args],
    stderr: "inherit",
  }).output();
  assertEquals(success, true);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const { runs } = await readRecords(join(records, lines.at(-1)!));
  return { runs, said: lines.at(-2)! };
}

function pairsOf(runs: readonly RunRecord[], process: number): number {
  return runs.filter((run) => run.process === process).length / 2;
}

Deno.test({
  name: "the stop button keeps what is measured, and running the cell again measures the rest",
  ignore: Deno.build.os === "windows", // which has no SIGINT to send to oneself
  async fn() {
    const records = await Deno.makeTempDir();
    const stopped = await runCell(records, "stop");
    assertEquals(pairsOf(stopped.runs, 1), 24);
    assertStringIncludes(stopped.said, "stopped, 12 pairs left: run the cell again");

    const resumed = await runCell(records);
    assertEquals(resumed.runs.slice(0, stopped.runs.length), stopped.runs);
    assertEquals(pairsOf(resumed.runs, 1), 36);
    assertStringIncludes(resumed.said, "12 pairs ran");

    const replicated = await runCell(records);
    assertEquals([pairsOf(replicated.runs, 1), pairsOf(replicated.runs, 2)], [36, 36]);
    await Deno.remove(records, { recursive: true });
  },
});
