/**
 * Drafts on the same prompts.
 *
 * @module
 */

import type { TraceRecord } from "../study/trace_records.ts";

/** A draft's traces. */
export interface DraftTraces {
  /** Its traces, oldest first. */
  readonly traces: readonly TraceRecord[];
}

/**
 * Puts drafts on the prompts that all were traced on, so that they can be compared. Left out are drafts
 * that lack more than half of another's prompts: they would leave too few.
 *
 * @param drafts The drafts, with whatever else is known of them.
 * @returns Those that are left, each with the newest trace of each of the shared prompts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const traced = (name: string, ...prompts: string[]) =>
 *   ({ name, traces: prompts.map((promptHash) => ({ promptHash })) }) as never as DraftTraces;
 * const drafts = [traced("a", "p", "q", "r"), traced("b", "r", "q"), traced("c", "p")];
 * const shared = onSharedPrompts(drafts).map(({ traces }) => traces.map((trace) => trace.promptHash));
 * assertEquals(shared, [["q", "r"], ["r", "q"]]);
 * ```
 */
export function onSharedPrompts<Draft extends DraftTraces>(drafts: readonly Draft[]): Draft[] {
  const newest = drafts.map((draft) => ({
    draft,
    // Later rows of a prompt take the place of earlier ones.
    byPrompt: new Map(draft.traces.map((trace) => [trace.promptHash, trace])),
  }));
  const most = Math.max(...newest.map(({ byPrompt }) => byPrompt.size));
  const kept = newest.filter(({ byPrompt }) => 2 * byPrompt.size >= most);
  return kept.map(({ draft, byPrompt }) => ({
    ...draft,
    traces: [...byPrompt.values()].filter(({ promptHash }) =>
      kept.every((other) => other.byPrompt.has(promptHash))
    ),
  }));
}
