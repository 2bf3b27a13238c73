/**
 * Which pairs hold predictions to account: a design over all factors at once.
 *
 * @module
 */

import type { Precision } from "../models/graph.ts";
import { draftsForItself } from "./behaviour_plan.ts";
import { type Condition, conditionKey, type Draft } from "./conditions.ts";
import type { PlannedPair, Stage } from "./plan.ts";
import { pendingStages } from "./resume.ts";
import type { RunRecord } from "./records.ts";
import { type Prompt, promptHash } from "./workload.ts";

/** Name of the study in records. */
export const VALIDATION = "validation";

/** Levels of the factors. */
export interface ValidationDesign {
  /** The target's catalog id. */
  readonly model: string;
  /** The target's precisions. */
  readonly precisions: readonly Precision[];
  /** What drafts. A model that is the target itself is left out. */
  readonly drafts: readonly Draft[];
  /** Draft lengths. */
  readonly draftLengths: readonly number[];
  /** Temperatures above 0; greedy decoding is always there. */
  readonly temperatures: readonly number[];
  /** Prompts of each context, shortest first. */
  readonly prompts: readonly (readonly Prompt[])[];
  /** Most tokens a run emits. */
  readonly maxTokens: number;
  /** Pairs of a cell in each process; each of a sampled one has a seed of its own. */
  readonly pairs: number;
  /** Most cells, null cells apart: fewer are spread evenly over all factors. Default: all. */
  readonly cells?: number;
}

/** What holds for all pairs of one process. */
export interface ValidationPlanOptions {
  /** Replicate, from 1. */
  readonly process: number;
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether logits must not depend on the width of a pass. Default false. */
  readonly exact?: boolean;
}

/** The levels that a machine of two cores walks through in minutes. */
export const VALIDATION_LEVELS = {
  precisions: ["fp32", "int8", "int4"],
  draftLengths: [2, 4, 8],
  temperatures: [0.5, 1, 1.3],
  maxTokens: 64,
  pairs: 3,
} as const;

/**
 * Lays the design out. Precision × context × draft are crossed with every draft length under greedy
 * decoding; each of these combinations has one sampled cell besides, and temperatures, draft lengths
 * and prompts (so tasks) take turns in them. A cell has several pairs: times vary from one to the next
 * by more than predictions should be off. A sampled cell's pairs differ in their seeds besides, as one
 * text has too few rounds to tell its acceptance from luck.
 *
 * A null pair stands on every prompt of the first context: speculation with K = 0, so that both arms
 * decode plainly. It must come out at 1.
 *
 * Order, and the arm that runs first, move on by one with the process.
 *
 * @param design The levels.
 * @param options Process, threads, exactness.
 * @returns The stages, in order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readWorkload } from "@specbound/specbound";
 * const prompts = (await readWorkload("data/prompts/quick.json")).slice(0, 8);
 * const design = {
 *   ...VALIDATION_LEVELS, model: "m", drafts: [{ draft: "prompt-lookup" }] as const,
 *   prompts: [prompts, prompts, prompts],
 * };
 * const stages = planValidation(design, { threads: 2, process: 2 });
 * assertEquals(stages.map(({ precision }) => precision), ["int8", "int4", "fp32"]);
 * ```
 */
export function planValidation(design: ValidationDesign, options: ValidationPlanOptions): Stage[] {
  const { process } = options;
  const cells = validationCells(design, options).concat(nullCells(design, options));
  return rotate(design.precisions, process - 1).map((precision) => {
    const here = cells.filter(({ condition }) => condition.precision === precision);
    const blocks = [...Map.groupBy(here, ({ prompt }) => prompt)].map(([prompt, same], block) => {
      const pairs = rotate(same, block + process - 1).flatMap(({ condition }) =>
        plannedPairs(condition, prompt, cells, design, process)
      );
      return { prompt, pairs };
    });
    return { precision, blocks };
  });
}

/** A condition and the prompt it is tried on. */
export interface ValidationCell {
  /** The factors, with the seed of the first process. */
  readonly condition: Condition;
  /** The prompt. */
  readonly prompt: Prompt;
}

/**
 * The cells of a design, null cells apart.
 *
 * @param design The levels.
 * @param options Threads, exactness.
 * @returns The cells: greedy ones of every draft length, then a sampled one, for each combination.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readWorkload } from "@specbound/specbound";
 * const prompts = await readWorkload("data/prompts/quick.json");
 * const drafts = [{ draft: "prompt-lookup" }] as const;
 * const design = { ...VALIDATION_LEVELS, model: "m", drafts, prompts: [prompts] };
 * const cells = validationCells(design, { threads: 2 });
 * assertEquals(cells.length, 3 * (3 + 1));
 * ```
 */
export function validationCells(
  design: ValidationDesign,
  options: Omit<ValidationPlanOptions, "process">,
): ValidationCell[] {
  const { precisions, drafts, draftLengths, temperatures } = design;
  let combination = 0;
  const all = precisions.flatMap((precision) =>
    design.prompts.flatMap((prompts) =>
      drafts.filter((draft) => !draftsForItself(draft, { model: design.model, precision })).flatMap(
        (draft) => {
          const turn = combination++;
          const sampled = {
            draftLength: turnOf(draftLengths, turn),
            temperature: turnOf(temperatures, Math.floor(turn / draftLengths.length) + turn),
          };
          const cells = draftLengths.map((draftLength) => ({ draftLength, temperature: 0 }));
          if (temperatures.length > 0) cells.push(sampled);
          return cells.map((factors, cell) => ({
            condition: conditionOf(design, options, { precision, draft, ...factors }),
            // One further than the cells before, or prompts and draft lengths would go together.
            prompt: turnOf(prompts, turn * (cells.length + 1) + cell),
          }));
        },
      )
    )
  );
  return spread(all, design.cells ?? all.length);
}

/**
 * The replicate to run next: the first that has pairs to run.
 *
 * @param design The levels.
 * @param options Threads, exactness.
 * @param runs The runs on record.
 * @returns Its number, from 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readWorkload } from "@specbound/specbound";
 * const prompts = (await readWorkload("data/prompts/quick.json")).slice(0, 8);
 * const design = { ...VALIDATION_LEVELS, model: "m", drafts: [], prompts: [prompts] };
 * assertEquals(nextValidation(design, { threads: 2 }, []), 1);
 * ```
 */
export function nextValidation(
  design: ValidationDesign,
  options: Omit<ValidationPlanOptions, "process">,
  runs: readonly Pick<RunRecord, "pair">[],
): number {
  let process = 1;
  const left = () => pendingStages(planValidation(design, { ...options, process }), runs);
  while (left().length === 0) process++;
  return process;
}

function nullCells(
  design: ValidationDesign,
  options: Omit<ValidationPlanOptions, "process">,
): ValidationCell[] {
  const factors = { draft: { draft: "prompt-lookup" }, draftLength: 0, temperature: 0 } as const;
  return design.precisions.flatMap((precision) =>
    (design.prompts[0] ?? []).map((prompt) => {
      return { condition: conditionOf(design, options, { precision, ...factors }), prompt };
    })
  );
}

function conditionOf(
  { model, maxTokens }: ValidationDesign,
  { threads, exact = false }: Omit<ValidationPlanOptions, "process">,
  factors: Pick<Condition, "precision" | "draft" | "draftLength" | "temperature">,
): Condition {
  return { model, exact, threads, maxTokens, topK: 0, topP: 1, seed: 1, ...factors };
}

/** The pairs of a cell in one process: of a null cell one, as there are cells enough. */
function plannedPairs(
  condition: Condition,
  prompt: Prompt,
  cells: readonly ValidationCell[],
  { pairs }: ValidationDesign,
  process: number,
): PlannedPair[] {
  const number = cells.findIndex((cell) => cell.condition === condition);
  return Array.from({ length: condition.draftLength > 0 ? pairs : 1 }, (_, repeat) => {
    const seed = condition.temperature > 0 ? (process - 1) * pairs + repeat + 1 : 1;
    const own = { ...condition, seed };
    const key = conditionKey(own, promptHash(prompt));
    const first = (number + process + repeat) % 2 === 0 ? "plain" : "speculative";
    const pair = `${key}-p${process}-r${repeat}`;
    return { pair, key, process, repeat, condition: own, first, weight: 1 };
  });
}

/**
 * Some of the values, spread evenly over their order and over every period in it: those that multiples
 * of the golden ratio, modulo 1, place first. Fewer are among more.
 */
function spread<T>(values: readonly T[], count: number): T[] {
  const place = (index: number) => (index * (Math.sqrt(5) - 1) / 2) % 1;
  const first = [...values.keys()].sort((a, b) => place(a) - place(b)).slice(0, count);
  const kept = new Set(first);
  return values.filter((_, index) => kept.has(index));
}

function turnOf<T>(values: readonly T[], turn: number): T {
  return values[turn % values.length]!;
}

function rotate<T>(values: readonly T[], by: number): T[] {
  return values.map((_, i) => turnOf(values, i + by));
}
