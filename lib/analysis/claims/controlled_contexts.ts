/**
 * Replays that differ in nothing but their context, or nothing but K.
 *
 * @module
 */

import { CONTEXT_STUDY } from "../../study/presets.ts";
import type { Evidence } from "../evidence.ts";
import { joinPairs, pairCounts, pairSpeedup } from "../pairs.ts";
import { bootstrapRatio, geometricMean, type Interval } from "../statistics.ts";

/** A replayed pair of the study of contexts. Its α, K and places of errors are prescribed. */
export interface ControlledReplay {
  /** The machine's id. */
  readonly machine: string;
  /** Machine, model, and how passes ran: never compared with others. */
  readonly setting: string;
  /** The target's precision. */
  readonly precision: string;
  /** α that was set. */
  readonly acceptance: number;
  /** K; 0 is plain decoding. */
  readonly draftLength: number;
  /** n: tokens before the first round. */
  readonly context: number;
  /** Prompt: at every context and K the same places of it err, in one process. */
  readonly prompt: string;
  /** Replicate. */
  readonly process: number;
  /** S. */
  readonly speedup: number;
}

/**
 * The replays of the study of contexts.
 *
 * @param evidence The evidence.
 * @returns One entry a pair that counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(controlledReplays({ machines: [] }), []);
 * ```
 */
export function controlledReplays(
  { machines }: Pick<Evidence, "machines">,
): ControlledReplay[] {
  return machines.flatMap(({ records }) => joinPairs(records)).filter((pair) =>
    pair.speculative.study === CONTEXT_STUDY && pair.speculative.draft === "replay" &&
    pairCounts(pair)
  ).map((pair) => {
    const { machine, model, threads, exact, acceptance, ...run } = pair.speculative;
    const { precision, draftLength, context, prompt, process } = run;
    const setting = [machine, model, precision, threads, exact].join("\t");
    const place = { machine, setting, precision, acceptance: acceptance!, draftLength, context };
    return { ...place, prompt, process, speedup: pairSpeedup(pair)! };
  });
}

/**
 * S of some replays over S of others, text by text: each process reads a text of its own, and errs in
 * the same places of it whatever the context and K. Where a text has several, their geometric mean.
 *
 * @param above The numerators.
 * @param below The denominators.
 * @returns The ratio, with an interval if two texts and more have both; null if none has.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const replay = (prompt: string, speedup: number) => ({ prompt, speedup, process: 1 }) as never;
 * const ratio = ratioByText([replay("a", 3), replay("b", 1)], [replay("a", 2)]);
 * assertAlmostEquals(ratio!.estimate, 3 / 2);
 * ```
 */
export function ratioByText(
  above: readonly ControlledReplay[],
  below: readonly ControlledReplay[],
): Interval | null {
  const textOf = ({ prompt, process }: ControlledReplay) => `${prompt} ${process}`;
  const others = Map.groupBy(below, textOf);
  const mean = (same: readonly ControlledReplay[]) =>
    geometricMean(same.map(({ speedup }) => speedup));
  const ratios = [...Map.groupBy(above, textOf)].flatMap(([text, same]) => {
    const other = others.get(text);
    // A process is no cluster beside the prompt that it alone reads.
    return other ? [{ ratio: mean(same) / mean(other), prompt: same[0]!.prompt, process: 1 }] : [];
  });
  return ratios.length > 0 ? bootstrapRatio(ratios, { seed: 1 }) : null;
}
