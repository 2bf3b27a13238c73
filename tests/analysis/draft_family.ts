/** Drafts as formulas have them: no rows, no luck. */

import type { DraftSize } from "../../lib/analysis/draft_sizes.ts";
import { expectedTokens, speedupOf } from "../../lib/analysis/metrics.ts";

/** What a draft of the family is made of. */
export interface FamilyDraft extends Pick<DraftSize, "precision" | "name" | "kind" | "ratio"> {
  readonly c: number;
  readonly alpha: number;
  /** v of each drafted token beyond the first pass. Default 0.1. */
  readonly growth?: number;
}

/** Prompts differ by these factors in S. */
const PROMPTS = { easy: 1.1, usual: 1, hard: 1 / 1.1 };

export function draftOf(made: FamilyDraft): DraftSize {
  const { alpha, c, growth = 0.1, ...names } = made;
  const interval = (estimate: number, reach: number) => {
    return { estimate, low: estimate / reach, high: estimate * reach };
  };
  const lengths = [1, 2, 4, 8].map((draftLength) => {
    const tau = expectedTokens(alpha, draftLength);
    const speedup = speedupOf(tau, draftLength, { c, v: 1 + growth * draftLength, h: 0 });
    return {
      draftLength,
      tau,
      predicted: interval(speedup, 1.1),
      prompts: Object.entries(PROMPTS).map(([prompt, factor]) => {
        return { prompt, process: 1, ratio: speedup * factor };
      }),
      measured: draftLength === 2 ? interval(speedup * 0.98, 1.05) : null,
    };
  });
  const pooled = { alpha, error: 0.02, tested: 900 };
  return {
    ...names,
    parameters: Math.round(1e8 * names.ratio),
    context: 64,
    c: interval(c, 1.1),
    alpha: pooled,
    tasks: new Map([["code", pooled]]),
    places: [{ place: 1, tested: 900, accepted: 900 * alpha, alpha }],
    lengths,
    best: lengths.reduce((a, b) => b.predicted.estimate > a.predicted.estimate ? b : a),
    extraBytes: { weights: 1e8 * names.ratio, keyValues: 1e5 * names.ratio },
    firstToken: names.kind === "table"
      ? null
      : { ms: 10 * c, low: 9 * c, high: 11 * c, error: 0.05 },
    split: names.kind === "trained"
      ? { layersMs: c, headMs: c, headError: c / 10, hostMs: 0.1 }
      : null,
  };
}

/** Six drafts of three targets: a pass of an int4 one takes a third of an fp32 one's. */
export const FAMILY: readonly DraftSize[] = ["fp32", "int8", "int4"].flatMap((precision, i) => {
  const slower = [1, 2, 3][i]!;
  const draft = (name: string, kind: DraftSize["kind"], ratio: number, alpha: number, c: number) =>
    draftOf({ precision, name, kind, ratio, alpha, c: c * slower });
  return [
    draft("n-gram", "table", 0, 0.5, 0),
    draft("prompt lookup", "table", 0, 0.4, 0),
    draft("1x32", "trained", 1 / 80, 0.2, 0.01),
    draft("2x64", "trained", 1 / 40, 0.35, 0.012),
    draft("2x128", "trained", 1 / 16, 0.5, 0.02),
    draft("4x192", "trained", 1 / 12, 0.55, 0.05),
    draft("own int4", "own", 1, 0.8, 1 / 3),
  ].filter(({ name }) => precision !== "int4" || !name.startsWith("own"));
});
