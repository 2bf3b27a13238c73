/**
 * Reading the prompt.
 *
 * @module
 */

import { type Context, ContextError } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";

/** Tokens between two looks at the abort signal. */
const STRIDE = 512;

/**
 * Commits all of a prompt but its last token, which the first round reads. Tokens that the context
 * holds already are taken as the prompt's beginning.
 *
 * @param context An open context of one row.
 * @param prompt At least one token.
 * @param options A signal that stops between chunks.
 * @throws {ContextError} If the prompt is empty, or the context holds more than the prompt.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const context = tableModel({ vocabularySize: 5, seed: 1 }).open();
 * await prefill(context, [3, 1, 4]);
 * assertEquals(context.length(), 2);
 * ```
 */
export async function prefill(
  context: Context,
  prompt: readonly TokenId[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  await prefillRows(context, [prompt], options);
}

/**
 * Reads prompts side by side, each as {@linkcode prefill} reads one.
 *
 * @param context An open context.
 * @param prompts One a row.
 * @param options A signal that stops between chunks.
 * @throws {ContextError} If prompts and rows differ in number, a prompt is empty, or a row holds
 *   more than its prompt.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const context = tableModel({ vocabularySize: 5, seed: 1 }).open(2);
 * await prefillRows(context, [[3, 1, 4], [2]]);
 * assertEquals([context.length(0), context.length(1)], [2, 0]);
 * ```
 */
export async function prefillRows(
  context: Context,
  prompts: readonly (readonly TokenId[])[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  requireUnread(context, prompts);
  let chunks = nextChunks(context, prompts);
  while (chunks.some((chunk) => chunk.length > 0)) {
    options.signal?.throwIfAborted();
    await context.append(chunks);
    chunks = nextChunks(context, prompts);
  }
}

function nextChunks(context: Context, prompts: readonly (readonly TokenId[])[]): TokenId[][] {
  return prompts.map((prompt, row) => {
    const from = context.length(row);
    return prompt.slice(from, Math.min(from + STRIDE, prompt.length - 1));
  });
}

function requireUnread(context: Context, prompts: readonly (readonly TokenId[])[]): void {
  if (prompts.length !== context.rows) {
    throw new ContextError(
      `Cannot decode ${prompts.length} prompts in a context of ${context.rows} rows: give one a row`,
    );
  }
  for (const [row, prompt] of prompts.entries()) {
    if (prompt.length === 0) {
      throw new ContextError("Cannot decode as the prompt is empty: give at least one token");
    }
    if (context.length(row) < prompt.length) continue;
    throw new ContextError(
      `Cannot decode as the context holds ${
        context.length(row)
      } tokens and the prompt ${prompt.length}: truncate the context to the prompt's own prefix`,
    );
  }
}
