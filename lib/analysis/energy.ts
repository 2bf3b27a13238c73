/**
 * Energy and processor time per token.
 *
 * @module
 */

import type { RowOf } from "../study/columns.ts";
import type { RunRecord } from "../study/records.ts";
import type { RESOURCE_COLUMNS } from "../study/resource_columns.ts";

/** What a run was metered at, and the tokens that it emitted. */
export type MeteredRun =
  & Pick<RunRecord, "emitted">
  & Pick<
    RowOf<typeof RESOURCE_COLUMNS>,
    "energyJoules" | "memoryJoules" | "energySeconds" | "idleWatts"
  >;

/** Joules a token. */
export interface EnergyPerToken {
  /** All that the meter counted; null without a meter. */
  readonly idleInclusive: number | null;
  /** Less what the machine at rest would have used meanwhile; null if that is not known. */
  readonly idleSubtracted: number | null;
}

/**
 * J/token of a run, memory included where it has a counter. Idle-inclusive is what the text costs on
 * a machine that is on for nothing else; idle-subtracted, on one that is on anyway.
 *
 * @param run The run.
 * @returns Both; null without a meter, or if nothing was emitted.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const run = { emitted: 10, energyJoules: 90, memoryJoules: 10, energySeconds: 2, idleWatts: 20 };
 * assertEquals(energyPerToken(run), { idleInclusive: 10, idleSubtracted: 6 });
 * ```
 */
export function energyPerToken(run: MeteredRun): EnergyPerToken {
  const { emitted, energyJoules, memoryJoules, energySeconds, idleWatts } = run;
  if (!emitted || energyJoules === null) return { idleInclusive: null, idleSubtracted: null };
  const joules = energyJoules + (memoryJoules ?? 0);
  const known = idleWatts !== null && energySeconds !== null;
  return {
    idleInclusive: joules / emitted,
    idleSubtracted: known ? (joules - idleWatts * energySeconds) / emitted : null,
  };
}

/**
 * CPU-seconds a token, all threads of the process.
 *
 * @param run The run.
 * @returns Seconds; null if the run failed or emitted nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(cpuSecondsPerToken({ cpuSeconds: 3, emitted: 12 }), 0.25);
 * ```
 */
export function cpuSecondsPerToken(
  { cpuSeconds, emitted }: Pick<RunRecord, "cpuSeconds" | "emitted">,
): number | null {
  return cpuSeconds !== null && emitted ? cpuSeconds / emitted : null;
}
