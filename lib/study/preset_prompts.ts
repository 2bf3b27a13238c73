/**
 * The prompts of a preset: a workload, and the same work at longer contexts.
 *
 * @module
 */

import { longPrompts } from "./documents/long_prompts.ts";
import type { Preset } from "./presets.ts";
import type { Subject } from "./subject.ts";
import { type Prompt, readWorkload } from "./workload.ts";

/**
 * Reads a preset's workload and, for each of its contexts, writes the document of each domain in it.
 * A document has the domain's name at every length: errors of replays go by prompt, so that they fall
 * on the same positions at every context.
 *
 * @param preset The preset.
 * @param open Loads a model to count tokens by; not called where no prompt is long.
 * @returns The workload, then the documents of each context, in the workload's order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { preset } from "@specbound/specbound";
 * const open = () => Promise.reject(new Error("no prompt is long"));
 * assertEquals((await presetPrompts(preset("quick", "m"), open)).length, 12);
 * ```
 */
export async function presetPrompts(
  { workload: file, contexts }: Pick<Preset, "workload" | "contexts">,
  open: () => Promise<Subject>,
): Promise<Prompt[]> {
  const workload = await readWorkload(new URL(`../../data/prompts/${file}`, import.meta.url));
  if (contexts.length === 0) return workload;
  await using model = await open();
  const count = (message: string) => model.encode([{ role: "user", content: message }]).length;
  const documents = contexts.flatMap((tokens) => {
    const same = longPrompts(count, { tokens: [tokens], seeds: [1] });
    return workload.flatMap(({ domain }) => same.filter((prompt) => prompt.domain === domain));
  });
  return [...workload, ...documents.map((prompt) => ({ ...prompt, id: prompt.domain }))];
}
