/** A head in small: a draft that is worse where it reads what its target has not read yet. */

import type { Context, LanguageModel } from "@specbound/specbound";
import { inStep, type Join } from "./in_step.ts";

/**
 * What opens contexts of a head that follow one of its target.
 *
 * @param knowing What it says after tokens of the text.
 * @param guessing What it says after those that it drafted.
 */
export function foretelling(
  knowing: LanguageModel,
  guessing: LanguageModel,
): (target: Context) => Context {
  return (target) => {
    const near = knowing.open();
    const join: Join = (known, guessed) => {
      const from = near.length();
      const at = (index: number) => from + index <= target.length() ? known : guessed;
      return {
        logits: (index) => at(index).logits(index),
        probabilities: (index, temperature) => at(index).probabilities(index, temperature),
      };
    };
    const fork = () => {
      throw new Error("Cannot fork a head as the copy would follow the same context");
    };
    return { ...inStep(near, guessing.open(), join), fork };
  };
}
