/** Drafts that are right often, though not always. */

import { distribution, type LanguageModel } from "@specbound/specbound";
import { inStep, type Join } from "./in_step.ts";

/** A draft that leans on its target: its logits are the target's and some of another model's. */
export function leaning(
  target: LanguageModel,
  other: LanguageModel,
  weight: number,
): LanguageModel {
  const lean: Join = (a, b) => {
    const logits = (index: number) => {
      const y = b.logits(index);
      return a.logits(index).map((x, i) => x + weight * y[i]!);
    };
    const probabilities = (index: number, temperature: number) =>
      distribution(logits(index), { temperature });
    return { logits, probabilities };
  };
  return { ...target, open: () => inStep(target.open(), other.open(), lean) };
}
