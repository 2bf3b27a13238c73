/**
 * What of a study is still to run.
 *
 * @module
 */

import { plan, type PlanOptions, type Stage } from "./plan.ts";
import type { Preset } from "./presets.ts";
import type { RunRecord } from "./records.ts";
import type { Prompt } from "./workload.ts";

/**
 * The parts of a plan that are not on record.
 *
 * @param stages The plan.
 * @param runs The runs on record.
 * @returns The plan without pairs that are done, and without what is empty then.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(pendingStages([{ precision: "fp32", blocks: [] }], []), []);
 * ```
 */
export function pendingStages(
  stages: readonly Stage[],
  runs: readonly Pick<RunRecord, "pair">[],
): Stage[] {
  const done = new Set(runs.map((run) => run.pair));
  return stages.map(({ precision, blocks }) => ({
    precision,
    blocks: blocks.map(({ prompt, pairs }) => {
      return { prompt, pairs: pairs.filter(({ pair }) => !done.has(pair)) };
    }).filter(({ pairs }) => pairs.length > 0),
  })).filter(({ blocks }) => blocks.length > 0);
}

/**
 * The replicate to run next: the first that has pairs to run. So an interrupted one is resumed, and
 * when it is complete the next sweep starts another. A shard too small to hold a pair stays at 1.
 *
 * @param preset The study.
 * @param prompts Its prompts.
 * @param options Threads, exactness, shard.
 * @param runs The runs on record.
 * @returns Its number, from 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { plan, preset, readWorkload } from "@specbound/specbound";
 * const prompts = await readWorkload("data/prompts/quick.json");
 * const study = preset("quick", "m");
 * const first = plan(study, prompts, { process: 1, threads: 2 })
 *   .flatMap(({ blocks }) => blocks.flatMap(({ pairs }) => pairs));
 * assertEquals(nextProcess(study, prompts, { threads: 2 }, first.slice(1)), 1);
 * assertEquals(nextProcess(study, prompts, { threads: 2 }, first), 2);
 * ```
 */
export function nextProcess(
  preset: Preset,
  prompts: readonly Prompt[],
  options: Omit<PlanOptions, "process">,
  runs: readonly Pick<RunRecord, "pair">[],
): number {
  const isDone = (process: number) => {
    const stages = pendingStages(plan(preset, prompts, { ...options, process }), []);
    return stages.length > 0 && pendingStages(stages, runs).length === 0;
  };
  let process = 1;
  while (isDone(process)) process++;
  return process;
}
