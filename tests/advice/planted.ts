/** Evidence of drafts whose acceptance and costs are planted. */

import { type AdviceOptions, advise } from "../../lib/advice/advise.ts";
import type {
  AdviceEvidence,
  AdviceWork,
  DraftEvidence,
  KnownPrompt,
} from "../../lib/advice/gather.ts";
import type { CostLayer } from "../../lib/analysis/boundary.ts";
import { type CostModel, fitCosts } from "../../lib/analysis/cost_model.ts";
import { stream } from "../../lib/random.ts";
import type { Trace } from "../../lib/study/trace.ts";

export const WORK: AdviceWork = {
  model: "planted",
  threads: 1,
  exact: false,
  temperature: 0,
  maxTokens: 273,
  batch: 1,
  context: 100,
};

const WIDTHS = Array.from({ length: 17 }, (_, i) => i + 1);

/** Costs of passes over w tokens after n, each known to `error`. */
export function fitted(ms: (width: number, context: number) => number, error = 0.01): CostModel {
  return fitCosts(
    [64, 1024, 4096].flatMap((context) =>
      WIDTHS.map((width) => ({ width, context, batch: 1, ms: ms(width, context), error }))
    ),
  );
}

/** A model whose host does next to nothing. */
export function layer(ms: Parameters<typeof fitted>[0], error?: number): CostLayer {
  const host = WIDTHS.map((width) => ({ width, context: 0, batch: 1, ms: 1e-6, error: 0 }));
  return { pass: fitted(ms, error), host: fitCosts(host) };
}

/** A trace in which each token drafted stands with a chance, whatever else does. */
export function plantedTrace(alpha: number, seed: number | string, tokens = 273): Trace {
  const random = stream(seed, "stands");
  const stands = Array.from({ length: tokens }, () => random() < alpha);
  const drafts = stands.map((_, position) => {
    const ahead = stands.slice(position, position + 16);
    const fell = ahead.indexOf(false);
    return { offered: 16, right: fell < 0 ? ahead.length : fell, confidences: [] };
  });
  return {
    choice: "chosen",
    tokens: Array(tokens).fill(7),
    stop: "length",
    maxTokens: tokens,
    longest: 16,
    drafts,
  };
}

/** What to plant. */
export interface Planted {
  /** α of each prompt, by draft. */
  readonly alphas: Readonly<Record<string, (prompt: number) => number>>;
  /** The target's passes. Default: 20 ms whatever the width. */
  readonly target?: CostLayer;
  /** The drafts' passes; none where tables draft. */
  readonly draft?: CostLayer;
  /** Milliseconds to read 128 tokens of the prompt. */
  readonly readingMs?: number;
  readonly prompts?: number;
  readonly seed?: number | string;
}

export function plantedEvidence(planted: Planted): AdviceEvidence {
  const { alphas, target = layer(() => 20), draft = null, readingMs = 0 } = planted;
  const { prompts: count = 12, seed = 1 } = planted;
  const prompts = Array.from({ length: count }, (_, i): KnownPrompt => {
    return { hash: `p${String(i).padStart(4, "0")}`, task: i % 2 ? "code" : "story", tokens: 100 };
  });
  const reading = readingMs > 0
    ? fitCosts(
      [0, 4096].map((context) => ({ width: 128, context, batch: 1, ms: readingMs, error: 0 })),
    )
    : null;
  const drafts = Object.entries(alphas).map(([name, alphaOf]): DraftEvidence => ({
    draft: draft ? "model" : "ngram",
    draftModel: draft && name,
    draftHash: null,
    draftPrecision: draft && "int8",
    costs: { target, draft, reading },
    traces: new Map(
      prompts.map(({ hash }, i) => [hash, plantedTrace(alphaOf(i), `${seed} ${name} ${i}`)]),
    ),
  }));
  return {
    precision: "int8",
    modelHash: "beef",
    prompts,
    drafts,
    contexts: [64, 4096],
    disturbed: false,
  };
}

export function plantedAdvice(
  planted: Planted,
  work: Partial<AdviceWork> = {},
  options: AdviceOptions = {},
) {
  return advise({ ...WORK, ...work }, [plantedEvidence(planted)], options);
}
