/**
 * Presets: which conditions a named study visits.
 *
 * @module
 */

import type { Precision } from "../models/graph.ts";
import type { Draft } from "./conditions.ts";
import { LONG_CONTEXTS } from "./documents/long_prompts.ts";

/** A real drafter that a preset tries on every prompt. */
export interface DraftSetting {
  /** What proposes. */
  readonly draft: Draft;
  /** K. */
  readonly draftLength: number;
  /** The target precisions it is tried with. */
  readonly precisions: readonly Precision[];
}

/** A named study. */
export interface Preset {
  /** Name in records. */
  readonly name: string;
  /** The target's catalog id. */
  readonly model: string;
  /** The target's precisions. */
  readonly precisions: readonly Precision[];
  /** The workload: a file in data/prompts. */
  readonly workload: string;
  /**
   * Tokens of long prompts about documents. A process reads one prompt of each context, the
   * workload's being the first, and another in the next process; of no contexts, all prompts.
   */
  readonly contexts: readonly number[];
  /** Most tokens a run emits. */
  readonly maxTokens: number;
  /** Drafters that visit every prompt. */
  readonly drafts: readonly DraftSetting[];
  /** Acceptances of replayed continuations, crossed with `draftLengths`. */
  readonly acceptances: readonly number[];
  /** Draft lengths of replayed continuations. */
  readonly draftLengths: readonly number[];
  /** Prompts that a replayed cell visits in one process; it moves on to others in the next. */
  readonly promptsPerCell: number;
  /** Seed of everything random. */
  readonly seed: number;
}

const PRECISIONS = ["fp32", "int8", "int4"] as const;

/** Name, in records, of the study whose replays differ in nothing but context. */
export const CONTEXT_STUDY = "context";

/** Names of the presets. */
export const PRESETS = ["quick", CONTEXT_STUDY, "tiny"] as const;

/**
 * A preset by name.
 *
 * `quick` answers in minutes on two cores: three precisions; prompt lookup and the target's own int4
 * weights on every prompt; acceptance set from 0.3 to 0.9 at three draft lengths. `context` takes set
 * acceptances, and prompt lookup beside them, to prompts of about 50 to 7,680 tokens, in ten minutes a
 * process. `tiny` is `quick` in small, for tests.
 *
 * @param name "quick", "context" or "tiny".
 * @param model The target's catalog id.
 * @returns The preset.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(preset("quick", "smollm2-135m-instruct").draftLengths, [2, 4, 8]);
 * assertEquals(preset("context", "smollm2-135m-instruct").contexts.at(-1), 7680);
 * ```
 */
export function preset(name: typeof PRESETS[number], model: string): Preset {
  const quick: Preset = {
    name: "quick",
    model,
    precisions: PRECISIONS,
    workload: "quick.json",
    contexts: [],
    maxTokens: 48,
    drafts: [
      { draft: { draft: "prompt-lookup" }, draftLength: 8, precisions: PRECISIONS },
      {
        draft: { draft: "model", draftModel: model, draftPrecision: "int4" },
        draftLength: 4,
        precisions: ["fp32"],
      },
    ],
    acceptances: [0.3, 0.5, 0.7, 0.9],
    draftLengths: [2, 4, 8],
    promptsPerCell: 3,
    seed: 1,
  };
  if (name === "quick") return quick;
  if (name === CONTEXT_STUDY) {
    return {
      ...quick,
      name,
      workload: "context.json",
      contexts: LONG_CONTEXTS,
      drafts: [{ draft: { draft: "prompt-lookup" }, draftLength: 4, precisions: PRECISIONS }],
      acceptances: [0.5, 0.7, 0.9],
      promptsPerCell: 1 + LONG_CONTEXTS.length,
    };
  }
  return {
    ...quick,
    name,
    precisions: ["fp32", "int4"],
    maxTokens: 8,
    acceptances: [0.5],
    draftLengths: [2, 4],
    promptsPerCell: 2,
  };
}
