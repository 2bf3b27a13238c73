/**
 * Which pair runs when: a preset laid out over prompts so that drift falls on all conditions alike.
 *
 * @module
 */

import type { Precision } from "../models/graph.ts";
import { type Condition, conditionKey } from "./conditions.ts";
import type { Preset } from "./presets.ts";
import type { Arm } from "./records.ts";
import { isInShard, type Shard, WHOLE } from "./shard.ts";
import { type Prompt, promptHash } from "./workload.ts";

/** A pair to run. */
export interface PlannedPair {
  /** Key, process and repeat. */
  readonly pair: string;
  /** Hash of the condition and the prompt. */
  readonly key: string;
  /** Replicate of the study, from 1. */
  readonly process: number;
  /** Repetition within the process, from 0. */
  readonly repeat: number;
  /** The factors. */
  readonly condition: Condition;
  /** The arm that runs first. */
  readonly first: Arm;
  /** A guess of the seconds it takes, from trials on two cores; only its ratios matter. */
  readonly weight: number;
}

/** The pairs that fork one prefilled prompt. */
export interface Block {
  /** The prompt. */
  readonly prompt: Prompt;
  /** Its pairs, in order. */
  readonly pairs: readonly PlannedPair[];
}

/** The blocks that need the same models. */
export interface Stage {
  /** The target's precision. */
  readonly precision: Precision;
  /** The blocks, in order. */
  readonly blocks: readonly Block[];
}

/** What holds for all conditions of one sweep. */
export interface PlanOptions {
  /** Replicate of the study, from 1. */
  readonly process: number;
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether logits must not depend on the width of a pass. Default false. */
  readonly exact?: boolean;
  /** The part to run. Default: all of it. */
  readonly shard?: Shard;
}

/**
 * Lays a preset out over prompts. Each precision is a stage, each prompt that the process reads a
 * block of it. Real drafters are in every block; replayed cell j is in blocks j, j + n/p, j + 2n/p, … of n, for p prompts a cell.
 * The conditions of a block are rotated by its number (a Latin square), a condition runs plainly first
 * on every other visit, and all of it moves on by one with the process.
 * A shard is what its keys leave of that: its pairs keep their order, and the arm that runs first.
 *
 * @param preset The study.
 * @param prompts Its prompts, of equally many a context, shortest first; neighbours should differ in
 *   task.
 * @param options Process, threads, exactness, shard.
 * @returns The stages, in order; of a shard, some blocks may be empty.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { preset, readWorkload } from "@specbound/specbound";
 * const prompts = await readWorkload("data/prompts/quick.json");
 * const stages = plan(preset("quick", "m"), prompts, { process: 1, threads: 2 });
 * const pairs = stages.map(({ blocks }) => blocks.flatMap((block) => block.pairs).length);
 * assertEquals(pairs, [60, 48, 48]);
 * ```
 */
export function plan(preset: Preset, prompts: readonly Prompt[], options: PlanOptions): Stage[] {
  const { process, shard = WHOLE } = options;
  const turn = process - 1;
  const read = readIn(turn, preset, prompts);
  return rotate(preset.precisions, turn).map((precision) => {
    const conditions = conditionsOf(preset, precision, options);
    const visits = new Map<Condition, number>();
    const blocks = read.map((prompt, number) => {
      const here = conditions.filter((_, cell) =>
        visitsPrompt(preset, precision, cell, number - turn, read.length)
      );
      const pairs = rotate(here, number + turn).map((condition) => {
        const visit = visits.get(condition) ?? 0;
        visits.set(condition, visit + 1);
        const plainFirst = (visit + conditions.indexOf(condition) + turn) % 2 === 0;
        return plannedPair(condition, prompt, process, plainFirst ? "plain" : "speculative");
      });
      return { prompt, pairs: pairs.filter(({ key }) => isInShard(key, shard)) };
    });
    return { precision, blocks };
  });
}

/** The prompts that a process reads: all, or one of each context. */
function readIn(turn: number, { contexts }: Preset, prompts: readonly Prompt[]): readonly Prompt[] {
  if (contexts.length === 0) return prompts;
  const each = prompts.length / (1 + contexts.length);
  return prompts.filter((_, number) => number % each === turn % each);
}

/** Real drafters first, then the replayed grid. */
function conditionsOf(preset: Preset, precision: Precision, options: PlanOptions): Condition[] {
  const { model, maxTokens, seed } = preset;
  const { threads, exact = false } = options;
  const shared = { model, precision, exact, threads, maxTokens, temperature: 0, topK: 0, topP: 1 };
  const real = draftsOf(preset, precision)
    .map(({ draft, draftLength }) => ({ ...shared, draft, draftLength, seed }));
  const replayed = preset.acceptances.flatMap((acceptance) =>
    preset.draftLengths.map((draftLength) => {
      return { ...shared, draft: { draft: "replay" as const, acceptance }, draftLength, seed };
    })
  );
  return [...real, ...replayed];
}

function draftsOf(preset: Preset, precision: Precision): Preset["drafts"] {
  return preset.drafts.filter(({ precisions }) => precisions.includes(precision));
}

function visitsPrompt(
  preset: Preset,
  precision: Precision,
  cell: number,
  prompt: number,
  prompts: number,
): boolean {
  const replayed = cell - draftsOf(preset, precision).length;
  if (replayed < 0) return true;
  const stride = Math.max(1, Math.floor(prompts / preset.promptsPerCell));
  return Array.from({ length: preset.promptsPerCell }, (_, i) => replayed + i * stride)
    .some((visited) => modulo(visited - prompt, prompts) === 0);
}

function plannedPair(
  condition: Condition,
  prompt: Prompt,
  process: number,
  first: Arm,
): PlannedPair {
  const key = conditionKey(condition, promptHash(prompt));
  const [repeat, weight] = [0, guessSeconds(condition)];
  return { pair: `${key}-p${process}-r${repeat}`, key, process, repeat, condition, first, weight };
}

/** Milliseconds of a pass over one token, and the growth of a pass with each further token. */
const COSTS: Readonly<Record<Precision, { readonly pass: number; readonly growth: number }>> = {
  fp32: { pass: 25, growth: 0.075 },
  int8: { pass: 12, growth: 0.25 },
  int4: { pass: 10, growth: 0.25 },
};

function guessSeconds({ precision, draft, draftLength, maxTokens }: Condition): number {
  const { pass, growth } = COSTS[precision];
  const plain = maxTokens * pass / 1000;
  if (draft.draft !== "model" && draft.draft !== "replay") return 2 * plain;
  const acceptance = draft.draft === "replay" ? draft.acceptance : 0.9;
  const draftPass = draft.draft === "model" ? COSTS[draft.draftPrecision].pass / pass : 0;
  const tokens = (1 - acceptance ** (draftLength + 1)) / (1 - acceptance);
  return plain * (1 + (1 + draftLength * (growth + draftPass)) / tokens);
}

function rotate<T>(values: readonly T[], by: number): T[] {
  return values.map((_, i) => values[(i + by) % values.length]!);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
