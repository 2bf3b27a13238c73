/**
 * Which traces the behaviour layer records.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Precision } from "../models/graph.ts";
import type { Draft } from "./conditions.ts";
import { type Prompt, promptHash } from "./workload.ts";

/** What drafts in a trace. */
export type TraceDraft =
  | { readonly draft: "prompt-lookup" | "ngram" }
  | { readonly draft: "model"; readonly draftModel: string; readonly draftPrecision: Precision };

/** A trace to record. */
export interface PlannedTrace {
  /** Hash of all factors, the prompt included. */
  readonly key: string;
  /** The target's catalog id. */
  readonly model: string;
  /** The target's precision. */
  readonly precision: Precision;
  /** What drafts. */
  readonly draft: TraceDraft;
  /** Tokens asked of each draft. */
  readonly longest: number;
  /** Most tokens of the text. */
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Seed of sampling. */
  readonly seed: number;
}

/** The traces of one prompt. */
export interface TraceBlock {
  /** The prompt. */
  readonly prompt: Prompt;
  /** Its traces: those of one temperature and seed together, as they are of one text. */
  readonly traces: readonly PlannedTrace[];
}

/** The blocks that need the same models. */
export interface TraceStage {
  /** The target's precision. */
  readonly precision: Precision;
  /** The blocks, in order. */
  readonly blocks: readonly TraceBlock[];
}

/** What is crossed with prompts. */
export interface BehaviourPreset {
  /** Its name. */
  readonly name: string;
  /** The target's precisions. */
  readonly precisions: readonly Precision[];
  /** Temperatures. */
  readonly temperatures: readonly number[];
  /** Most tokens of a text. */
  readonly maxTokens: number;
  /** Tokens asked of each draft. */
  readonly longest: number;
  /** Seeds of sampling: a prompt is sampled once with each. Greedy texts take the first. */
  readonly seeds: readonly number[];
}

/** Names of the presets. */
export const BEHAVIOUR_PRESETS = ["quick", "study"] as const;

/**
 * A preset by name.
 *
 * @param name "quick": one precision, greedy and T = 1, 48 tokens; "study": all of it.
 * @returns The preset.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(behaviourPreset("study").temperatures, [0, 0.5, 1, 1.3]);
 * ```
 */
export function behaviourPreset(name: typeof BEHAVIOUR_PRESETS[number]): BehaviourPreset {
  const [longest, seeds] = [16, [1]];
  return name === "quick"
    ? { name, precisions: ["int4"], temperatures: [0, 1], maxTokens: 48, longest, seeds }
    : {
      name,
      precisions: ["fp32", "int8", "int4"],
      temperatures: [0, 0.5, 1, 1.3],
      maxTokens: 96,
      longest,
      seeds,
    };
}

/** What holds for all traces of a plan. */
export interface BehaviourPlanOptions {
  /** The target's catalog id. */
  readonly model: string;
  /** What drafts. The target itself is left out. */
  readonly drafts: readonly TraceDraft[];
}

/**
 * Lays a preset out: every draft × temperature × prompt, a stage for each precision of the target.
 *
 * @param preset The preset.
 * @param prompts The prompts, long ones included.
 * @param options Target and drafts.
 * @returns The stages, in order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readWorkload } from "@specbound/specbound";
 * const prompts = await readWorkload("data/prompts/quick.json");
 * const drafts = [{ draft: "ngram" }, { draft: "prompt-lookup" }] as const;
 * const [stage] = planTraces(behaviourPreset("quick"), prompts, { model: "m", drafts });
 * assertEquals(stage!.blocks.flatMap(({ traces }) => traces).length, prompts.length * 2 * 2);
 * ```
 */
export function planTraces(
  preset: BehaviourPreset,
  prompts: readonly Prompt[],
  { model, drafts }: BehaviourPlanOptions,
): TraceStage[] {
  const { precisions, temperatures, longest, maxTokens, seeds } = preset;
  const samplings = temperatures.flatMap((temperature) =>
    (temperature === 0 ? seeds.slice(0, 1) : seeds).map((seed) => ({ temperature, seed }))
  );
  return precisions.map((precision) => ({
    precision,
    blocks: prompts.map((prompt) => ({
      prompt,
      traces: samplings.flatMap(({ temperature, seed }) =>
        drafts.filter((draft) => !draftsForItself(draft, { model, precision })).map((draft) => {
          const factors = { model, precision, draft, longest, maxTokens, temperature, seed };
          return { key: traceKey(factors, promptHash(prompt)), ...factors };
        })
      ),
    })),
  }));
}

/**
 * Whether a draft is the target itself: it would always be right, and never pay.
 *
 * @param draft The draft.
 * @param target The target's id and precision.
 * @returns True for the same model in the same precision.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const draft = { draft: "model", draftModel: "m", draftPrecision: "int4" } as const;
 * assert(draftsForItself(draft, { model: "m", precision: "int4" }));
 * assert(!draftsForItself(draft, { model: "m", precision: "fp32" }));
 * ```
 */
export function draftsForItself(
  draft: TraceDraft | Draft,
  { model, precision }: { readonly model: string; readonly precision: Precision },
): boolean {
  return draft.draft === "model" && draft.draftModel === model &&
    draft.draftPrecision === precision;
}

/**
 * The parts of a plan that are not on record.
 *
 * @param stages The plan.
 * @param done The traces on record.
 * @returns The plan without traces that are done, and without what is empty then.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(pendingTraces([{ precision: "int4", blocks: [] }], []), []);
 * ```
 */
export function pendingTraces(
  stages: readonly TraceStage[],
  done: readonly { readonly key: string }[],
): TraceStage[] {
  const keys = new Set(done.map(({ key }) => key));
  return stages.map(({ precision, blocks }) => ({
    precision,
    blocks: blocks.map(({ prompt, traces }) => ({
      prompt,
      traces: traces.filter(({ key }) => !keys.has(key)),
    })).filter(({ traces }) => traces.length > 0),
  })).filter(({ blocks }) => blocks.length > 0);
}

/** 12 hexadecimal digits of a SHA-256, equal for equal factors. */
function traceKey(factors: Omit<PlannedTrace, "key">, promptHash: string): string {
  const { draft, ...rest } = factors;
  const entries = Object.entries({ ...rest, ...draft, promptHash }).sort(([a], [b]) =>
    a < b ? -1 : 1
  );
  return createHash("sha256").update(JSON.stringify(entries)).digest("hex").slice(0, 12);
}
