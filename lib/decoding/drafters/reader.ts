/**
 * How a draft model follows the text.
 *
 * @module
 */

import type { Context, LanguageModel } from "../../engine/language_model.ts";
import { prefill } from "../prefill.ts";
import type { Drafter } from "./drafter.ts";

/** The context that a draft model reads into, with the parts of a drafter that depend on nothing else. */
export interface Reader extends Pick<Drafter, "name" | typeof Symbol.asyncDispose> {
  /** Holds a prefix of the text. */
  readonly context: Context;
  /** Reads a prompt. */
  begin(prompt: readonly number[]): Promise<void>;
}

/**
 * Opens a context of a draft model, or takes one that was opened elsewhere. The former starts afresh
 * with every prompt and is closed with the drafter; the latter is left to its owner.
 *
 * @param model The draft model, or a context of it that holds a prefix of the prompt.
 * @param name Short name for records, if a context is given.
 * @returns The reader.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * await using reader = openReader(tableModel({ vocabularySize: 5, seed: 1 }));
 * await reader.begin([0, 1, 2]);
 * await reader.begin([3, 4]);
 * assertEquals(reader.context.length(), 1);
 * ```
 */
export function openReader(model: LanguageModel | Context, name = "model"): Reader {
  if (!("open" in model)) {
    return {
      name,
      context: model,
      begin: (prompt) => prefill(model, prompt),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const context = model.open();
  return {
    name: model.name,
    context,
    begin(prompt) {
      context.truncate(0);
      return prefill(context, prompt);
    },
    [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
  };
}
