/**
 * Whether memory stays flat.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { runHere } from "./child.ts";
import type { SoakReport } from "./soak_child.ts";

/** Takes and gives back for some seconds, and asserts that memory grew by less than `allowed`. */
export async function soak(seconds: number, allowed: number): Promise<SoakReport> {
  const { code, out, err } = await runHere("soak_child.ts", [`${seconds}`], {
    limit: seconds * 1500 + 30_000,
    v8: "--expose-gc",
  });
  assertEquals(code, 0, err);
  const report: SoakReport = JSON.parse(out);
  const half = Math.floor(report.held.length / 2);
  const growth = Math.min(...report.held.slice(half)) - Math.min(...report.held.slice(0, half));
  assert(growth < allowed, `${report.rounds} rounds: memory grew by ${growth} (${report.held})`);
  return report;
}
