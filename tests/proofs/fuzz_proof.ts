/**
 * 100,000 hostile GGUF files, none of which CI reads: some minutes.
 *
 * @module
 */

import { fuzz } from "../faults/fuzz.ts";

const [FIRST, COUNT, BATCH] = [1_000_000, 100_000, 10_000];

Deno.test("100,000 hostile files are read or refused", async () => {
  const totals: Record<string, number> = {};
  let [slowest, largest, growth] = [0, 0, 0];
  for (let from = FIRST; from < FIRST + COUNT; from += BATCH) {
    const report = await fuzz(from, from + BATCH);
    for (const [outcome, files] of Object.entries(report.outcomes)) {
      totals[outcome] = (totals[outcome] ?? 0) + files;
    }
    slowest = Math.max(slowest, report.slowestMs);
    largest = Math.max(largest, report.largestBuffer);
    growth = Math.max(growth, report.growth);
  }
  console.log(totals, `slowest ${slowest.toFixed(0)} ms`, `largest buffer ${largest} bytes`);
  console.log(`memory grew by ${(growth / 1e6).toFixed(0)} MB at most`);
});
