/**
 * How a draft model follows the text.
 *
 * @module
 */

import type { Context, LanguageModel } from "../../engine/language_model.ts";
import type { TokenId } from "../../models/token.ts";
import { prefill } from "../prefill.ts";
import type { Drafter } from "./drafter.ts";

/** The context that a draft model reads into, with the parts of a drafter that depend on nothing else. */
export interface Reader extends Pick<Drafter, "name" | typeof Symbol.asyncDispose> {
  /** Holds a prefix of the text. */
  readonly context: Context;
  /** Reads a prompt. */
  begin(prompt: readonly TokenId[]): Promise<void>;
  /** Catches up with the text, and returns its end, which the first pass of a draft reads. */
  catchUp(text: readonly TokenId[]): Promise<readonly TokenId[]>;
}

/** Tokens that a draft's first pass reads at most: it holds logits of each, and needs the last. */
const AT_ONCE = 32;

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
  const given = !("open" in model);
  const context = given ? model : model.open();
  return {
    name: given ? name : model.name,
    context,
    begin(prompt) {
      if (!given) context.truncate(0);
      return prefill(context, prompt);
    },
    async catchUp(text) {
      if (text.length - context.length() > AT_ONCE) await prefill(context, text);
      return text.slice(context.length());
    },
    async [Symbol.asyncDispose]() {
      if (!given) await context[Symbol.asyncDispose]();
    },
  };
}
