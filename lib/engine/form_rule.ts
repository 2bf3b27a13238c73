/**
 * Which form of attention a pass takes.
 *
 * @module
 */

import { type AttentionForm, FORMS } from "../models/graph.ts";

/**
 * Passes up to this width are those of decoding. They run on the thread that asks: they take
 * milliseconds, of which a change of thread cost a quarter (docs/log.md).
 */
export const NARROW = 32;

/**
 * From how many tokens of context on a pass takes the scattered form; before, it takes the grouped
 * one. Null for never.
 */
export interface FormRule {
  /** A pass over one token. */
  readonly one: number | null;
  /** A pass over several tokens, as in verification. */
  readonly several: number | null;
}

/** The scattered form everywhere: sums do not depend on the pass. */
export const SCATTERED: FormRule = { one: 0, several: 0 };

/** The grouped form everywhere. */
export const GROUPED: FormRule = { one: null, several: null };

/**
 * The form that a pass over a single row takes. Prompts are read in the form that verification takes
 * in short contexts.
 *
 * @param rule The rule.
 * @param width Tokens of the pass.
 * @param length Tokens before it.
 * @returns The form.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const rule = { one: null, several: 4096 };
 * assertEquals([1, 5, 128].map((width) => formOf(rule, width, 5000)), ["grouped", "scattered", "grouped"]);
 * assertEquals(formOf(rule, 5, 100), "grouped");
 * ```
 */
export function formOf(rule: FormRule, width: number, length: number): AttentionForm {
  const from = width === 1 ? rule.one : rule.several;
  const at = width > NARROW ? 0 : length;
  return from !== null && at >= from ? "scattered" : "grouped";
}

/**
 * The forms that a rule asks for.
 *
 * @param rule The rule.
 * @returns One or both.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(formsOf({ one: null, several: 4096 }), ["scattered", "grouped"]);
 * assertEquals(formsOf(SCATTERED), ["scattered"]);
 * ```
 */
export function formsOf({ one, several }: FormRule): AttentionForm[] {
  return FORMS.filter((form) =>
    [one, several].some((from) => form === "scattered" ? from !== null : from !== 0)
  );
}

/**
 * A rule in words.
 *
 * @param rule The rule.
 * @returns What passes over one token take, and those over several if they differ.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(sayForms(SCATTERED), "scattered");
 * assertEquals(sayForms({ one: null, several: 4096 }), "grouped; several tokens: scattered from 4096 on");
 * ```
 */
export function sayForms({ one, several }: FormRule): string {
  const say = (from: number | null) =>
    from === null ? "grouped" : from === 0 ? "scattered" : `scattered from ${from} on`;
  return one === several ? say(one) : `${say(one)}; several tokens: ${say(several)}`;
}
