/**
 * Prompts of prescribed lengths: one workload at several context lengths.
 *
 * @module
 */

import type { Prompt } from "../workload.ts";
import { DOCUMENTS, excerptMessage, writeDocument } from "./document.ts";

/** Tokens of long prompts. The longest leaves a context of 8,192 room for 512 more. */
export const LONG_CONTEXTS = [512, 1024, 2048, 4096, 7680] as const;

/** Which long prompts to make. */
export interface LongPromptOptions {
  /** Tokens of a prompt, chat template included. Default {@linkcode LONG_CONTEXTS}. */
  readonly tokens?: readonly number[];
  /** One document of each kind for each seed. Default 1 and 2. */
  readonly seeds?: readonly number[];
}

const WORK: Readonly<
  Record<typeof DOCUMENTS[number], Pick<Prompt, "task" | "determinism">>
> = {
  log: { task: "extract", determinism: "high" },
  table: { task: "extract", determinism: "high" },
  code: { task: "edit", determinism: "high" },
  report: { task: "summary", determinism: "medium" },
};

/**
 * Prompts about documents of every kind, at every length. A document grows at its end from one
 * length to the next, so that context is what differs.
 *
 * @param count Counts the tokens of a message as the model reads it, chat template included.
 * @param options Lengths and seeds.
 * @returns The prompts; kinds alternate.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const count = (message: string) => message.split(/\s+/).length;
 * const prompts = longPrompts(count, { tokens: [400], seeds: [1] });
 * assertEquals(prompts.map(({ id }) => id), ["log-400-1", "table-400-1", "code-400-1", "report-400-1"]);
 * ```
 */
export function longPrompts(
  count: (message: string) => number,
  options: LongPromptOptions = {},
): Prompt[] {
  const { tokens = LONG_CONTEXTS, seeds = [1, 2] } = options;
  return seeds.flatMap((seed) =>
    tokens.flatMap((length) =>
      DOCUMENTS.map((kind): Prompt => {
        const excerpt = writeDocument(kind, { seed, tokens: length, count });
        return {
          id: `${kind}-${length}-${seed}`,
          ...WORK[kind],
          domain: kind,
          text: excerptMessage(excerpt),
        };
      })
    )
  );
}
