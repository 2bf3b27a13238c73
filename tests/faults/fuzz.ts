/**
 * What every hostile file must come to.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { runHere } from "./child.ts";
import type { FuzzReport } from "./fuzz_child.ts";

/** Longest time for a file of some tens of kilobytes; a busy machine takes 0.1 s at times. */
const SLOWEST_MS = 3000;
/** Files are up to 65 kB, and four bits of a file become a 32-bit float. */
const LARGEST_BUFFER = 1 << 20;
/** Most of it garbage that was not yet collected. */
const GROWTH = 192 << 20;

/**
 * Reads the files of some seeds in a child, whose heap is small, and asserts that each was read or
 * refused by an error of the library's own, soon, and without taking more memory than it is worth.
 */
export async function fuzz(from: number, to: number): Promise<FuzzReport> {
  const folder = await Deno.makeTempDir();
  try {
    const limit = 30_000 + (to - from) * 20;
    const { code, out, err } = await runHere("fuzz_child.ts", [folder, `${from}`, `${to}`], {
      limit,
      v8: "--max-old-space-size=192",
    });
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(code, 0, `ended with ${code} within ${limit} ms, at ${left}:\n${err}`);
    const report: FuzzReport = JSON.parse(out);
    assertEquals(report.foreign, {});
    assert(report.slowestMs < SLOWEST_MS, `a file took ${report.slowestMs} ms`);
    assert(report.largestBuffer < LARGEST_BUFFER, `a buffer has ${report.largestBuffer} bytes`);
    assert(report.growth < GROWTH, `memory grew by ${report.growth} bytes`);
    return report;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
