/**
 * Which form of attention is the faster one on this processor, for which passes.
 *
 * @module
 */

import { type AttentionForm, FORMS } from "../models/graph.ts";
import type { TokenId } from "../models/token.ts";
import type { FormRule } from "./form_rule.ts";
import type { OnnxContext, OnnxModel } from "./onnx_model.ts";

/** Where the forms are compared. */
const LENGTHS = [64, 1024, 4096];
/** Tokens of the pass that stands for all that are over several. */
const SEVERAL = 5;
/** Pairs of turns after which a verdict is looked for. */
const PAIRS = [9, 18, 36];
/**
 * Of 9, 18 and 36 pairs, how many must agree. Of forms that cost the same, one passes for faster by
 * chance in 1.3 % of all trials (sign test, all three looks together).
 */
const AGREEING: readonly number[] = [9, 15, 27];
/** Milliseconds after which no further look is taken: where passes are slow, 9 pairs must do. */
const PATIENCE = 5_000;

/** A model in each form, for single rows. */
export type Forms = Readonly<Record<AttentionForm, OnnxModel>>;

/** What was found. */
export interface FormFinding {
  /** The rule. */
  readonly rule: FormRule;
  /** Whether every comparison was beyond doubt. */
  readonly isSure: boolean;
}

/**
 * Finds from which context on the scattered form is no slower, for passes over one token and over
 * several. It reads long text with less work but all slots, and so gains as text grows.
 *
 * @param forms The model in both forms.
 * @returns The rule; where the forms cannot be told apart it prefers the scattered one, whose sums
 *   do not depend on the width of a pass.
 */
export async function findForms(forms: Forms): Promise<FormFinding> {
  const { contextLength } = forms.grouped;
  let isSure = true;
  const from = async (width: number): Promise<number | null> => {
    for (const [i, length] of LENGTHS.entries()) {
      if (i > 0 && length + width > contextLength) break;
      const faster = await fasterForm(forms, width, Math.min(length, contextLength - width));
      isSure &&= faster !== null;
      if (faster !== "grouped") return i === 0 ? 0 : length;
    }
    return null;
  };
  const rule = { one: await from(1), several: await from(SEVERAL) };
  return { rule, isSure };
}

/**
 * Times two forms turn by turn, on text that is only pretended: what a pass costs does not depend
 * on what the cache holds. Other work on the machine disturbs single turns, and both forms alike, so
 * what counts is how often a form was the faster of its pair, not by how much.
 *
 * @param forms The model in both forms.
 * @param width Tokens of a pass.
 * @param length Tokens before it.
 * @returns The form that is faster, or null if none is beyond doubt.
 */
export async function fasterForm(
  forms: Forms,
  width: number,
  length: number,
): Promise<AttentionForm | null> {
  await using opened = new AsyncDisposableStack();
  const contexts = FORMS.map((form) => {
    const context = opened.use(forms[form].open());
    context.pretend(length);
    return context;
  });
  for (const context of contexts) await turn(context, width); // the first one warms up
  const wins = [0, 0];
  const started = performance.now();
  let pairs = 0;
  for (const [look, until] of PAIRS.entries()) {
    if (performance.now() - started > PATIENCE) break;
    for (; pairs < until; pairs++) {
      const order = pairs % 2 === 0 ? [0, 1] : [1, 0]; // neither is always the first
      const times = [0, 0];
      for (const index of order) times[index] = await turn(contexts[index]!, width);
      wins[times[0]! <= times[1]! ? 0 : 1]!++;
    }
    const winner = wins.findIndex((count) => count >= AGREEING[look]!);
    if (winner >= 0) return FORMS[winner]!;
  }
  return null;
}

/** Milliseconds of a pass. */
async function turn(context: OnnxContext, width: number): Promise<number> {
  const started = performance.now();
  await context.evaluate([new Array<TokenId>(width).fill(0)]);
  return performance.now() - started;
}
