/**
 * A workload and its long-context variants.
 *
 * @module
 */

import { longPrompts } from "../lib/study/documents/long_prompts.ts";
import type { Subject } from "../lib/study/subject.ts";
import { type Prompt, readWorkload } from "../lib/study/workload.ts";

/** One document of each kind for each length. */
const SEEDS = [1];

/**
 * Reads a workload and writes prompts about long documents beside it.
 *
 * @param file The workload.
 * @param contexts Tokens of long prompts.
 * @param open Loads a model to count tokens by; not called where no prompt is long.
 * @returns The workload, then the prompts of each context.
 */
export async function promptsByContext(
  file: string | URL,
  contexts: readonly number[],
  open: () => Promise<Subject>,
): Promise<Prompt[][]> {
  const workload = await readWorkload(file);
  if (contexts.length === 0) return [workload];
  await using model = await open();
  const count = (message: string) => model.encode([{ role: "user", content: message }]).length;
  const long = contexts.map((tokens) => longPrompts(count, { tokens: [tokens], seeds: SEEDS }));
  return [workload, ...long];
}
