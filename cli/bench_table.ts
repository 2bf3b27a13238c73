/**
 * The table that `deno task bench` prints, row by row.
 *
 * @module
 */

import { median } from "../lib/analysis/statistics.ts";
import type { PassTimes } from "../lib/study/pass_times.ts";

/**
 * The table's head.
 *
 * @param names The engines, the one here first.
 * @returns A line.
 */
export function benchHead([own, ...peers]: readonly string[]): string {
  const columns = peers.map((name) => `${name.padStart(20)}${"ratio".padStart(7)}`);
  return `${"work".padEnd(24)}${own!.padStart(12)}${"v".padStart(7)}${columns.join("")}`;
}

/**
 * A row: medians in milliseconds of a pass, else in tokens a second; v, the pass's cost in passes
 * over one token; and each peer's time over the time here, so that above 1 the engine here is faster.
 *
 * @param times The times of one work, the engine here first.
 * @param single The times here of a pass over one token after the same text, if there are.
 * @returns A line.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const work = { kind: "decode", context: 64, tokens: 32 } as const;
 * const row = benchRow([
 *   { name: "a", ...work, milliseconds: [320, 310, 330] },
 *   { name: "b", ...work, milliseconds: [640] },
 * ]);
 * assertEquals(row.split(/ {2,}/), ["decode 32 after 64", "100.0 tok/s", "50.0 tok/s", "2.00"]);
 * ```
 */
export function benchRow(times: readonly PassTimes[], single?: PassTimes): string {
  const [own, ...peers] = times.map(({ milliseconds }) => median(milliseconds));
  const { kind, context, tokens } = times[0]!;
  const figure = (milliseconds: number): string =>
    kind === "pass"
      ? `${milliseconds.toFixed(1)} ms`
      : `${(tokens / milliseconds * 1000).toFixed(1)} tok/s`;
  const v = kind === "pass" && single ? (own! / median(single.milliseconds)).toFixed(2) : "";
  const columns = peers.map((peer) =>
    `${figure(peer).padStart(20)}${(peer / own!).toFixed(2).padStart(7)}`
  );
  const work = `${kind} ${tokens} after ${context}`;
  return `${work.padEnd(24)}${figure(own!).padStart(12)}${v.padStart(7)}${columns.join("")}`;
}
