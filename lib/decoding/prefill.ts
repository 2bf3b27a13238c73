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
  if (prompt.length === 0) {
    throw new ContextError("Cannot decode as the prompt is empty: give at least one token");
  }
  if (context.length() >= prompt.length) {
    throw new ContextError(
      `Cannot decode as the context holds ${context.length()} tokens and the prompt ${prompt.length}: truncate the context to the prompt's own prefix`,
    );
  }
  while (context.length() < prompt.length - 1) {
    options.signal?.throwIfAborted();
    const from = context.length();
    await context.append([prompt.slice(from, Math.min(from + STRIDE, prompt.length - 1))]);
  }
}
