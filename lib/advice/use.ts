/**
 * What a draft and a draft length make of prompts, counted and not yet priced.
 *
 * @module
 */

import { acceptance, blockEfficiency } from "../analysis/metrics.ts";
import { fixed } from "../decoding/policies/fixed.ts";
import type { Policy } from "../decoding/policies/policy.ts";
import { replayTrace, type TracedRound } from "../study/trace.ts";
import type { AdviceEvidence, DraftEvidence, KnownPrompt } from "./gather.ts";
import { meanTally, type RoundTally, tallyRounds } from "./tally.ts";

/** What replies to a prompt take. */
export interface PromptTallies {
  /** By plain decoding. */
  readonly plain: RoundTally;
  /** By speculative decoding. */
  readonly speculative: RoundTally;
  /** The same, with the share of the draft's reading of the prompt that so many tokens bear. */
  readonly reply: RoundTally;
}

/** How a draft does at one K on some prompts, whatever that costs. */
export interface DraftUse {
  /** What drafts, and its costs. */
  readonly draft: DraftEvidence;
  /** K. */
  readonly draftLength: number;
  /** One entry a prompt. */
  readonly tallies: readonly PromptTallies[];
  /** α; null where nothing was drafted. */
  readonly alpha: number | null;
  /** τ. */
  readonly tau: number;
  /** Mean tokens of the drafts that were made: below K where less was offered; 0 if none was. */
  readonly drafted: number;
}

/** Replays of a drawn trace, whose mean stands for it. */
const REPLAYS = 4;

/** What replies are like. */
export interface Replies {
  /** Their tokens, which bear the draft's reading of the prompt. */
  readonly maxTokens: number;
  /** B. */
  readonly batch: number;
}

/**
 * Replays a draft at one K.
 *
 * @param draft The draft.
 * @param prompts The prompts to replay.
 * @param draftLength K.
 * @param replies Their length and number.
 * @param policy What is obeyed for each prompt. Default: K in every round.
 * @returns The counts.
 * @throws {TraceError} If a trace does not know so long drafts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const text = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2 } as const;
 * const traces = new Map([["a", { choice: "chosen", ...text, drafts }]]);
 * const draft = { draft: "ngram", costs: { draft: null }, traces } as never;
 * const prompts = [{ hash: "a", task: "code", tokens: 9 }];
 * const { alpha, tau } = useDraft(draft, prompts, 2, { maxTokens: 3, batch: 1 });
 * assertEquals([alpha, tau], [1, 3]);
 * ```
 */
export function useDraft(
  draft: DraftEvidence,
  prompts: readonly KnownPrompt[],
  draftLength: number,
  { maxTokens, batch }: Replies,
  policy: () => Policy = () => fixed(draftLength),
): DraftUse {
  const drafts = draft.costs.draft !== null;
  const narrowest = batch > 1 ? draftLength + 1 : 1;
  const all: TracedRound[] = [];
  const tallies = prompts.map(({ hash }) => {
    const trace = draft.traces.get(hash)!;
    const plain = replayTrace(trace, { policy: fixed(0), seed: hash });
    const replays = Array.from(
      { length: trace.choice === "drawn" ? REPLAYS : 1 },
      (_, i) => replayTrace(trace, { policy: policy(), seed: `${hash} ${i}` }),
    );
    all.push(...replays.flat());
    const speculative = meanTally(
      replays.map((rounds) => tallyRounds(rounds, { drafts, narrowest })),
    );
    const reading = { kind: "reading", width: 1, count: emittedBy(plain) / maxTokens } as const;
    return {
      plain: tallyRounds(plain, { drafts: false }),
      speculative,
      reply: [...speculative, reading],
    };
  });
  const sum = (name: "drafted" | "tested" | "accepted") =>
    all.reduce((total, round) => total + round[name], 0);
  const made = all.filter(({ drafted }) => drafted > 0).length;
  return {
    draft,
    draftLength,
    tallies,
    alpha: acceptance({ tested: sum("tested"), accepted: sum("accepted") }),
    tau: blockEfficiency({ emitted: emittedBy(all), rounds: all.length }) ?? 1,
    drafted: made && sum("drafted") / made,
  };
}

function emittedBy(rounds: readonly TracedRound[]): number {
  return rounds.reduce((sum, { emitted }) => sum + emitted, 0);
}

/**
 * The prompts that speak for a context: those of half to twice as many tokens if they are of all the
 * same tasks, else all, as another task would change more than another context does.
 *
 * @param evidence What is known.
 * @param context n.
 * @returns The prompts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const prompts = [90, 100, 110, 120, 4000].map((tokens) => ({ hash: "", task: "edit", tokens }));
 * assertEquals(promptsNear({ prompts }, 100).length, 4);
 * assertEquals(promptsNear({ prompts }, 4000).length, 5); // too few to go by
 * ```
 */
export function promptsNear(
  { prompts }: Pick<AdviceEvidence, "prompts">,
  context: number,
): readonly KnownPrompt[] {
  const near = prompts.filter(({ tokens }) => context / 2 <= tokens && tokens <= 2 * context);
  const tasks = (some: readonly KnownPrompt[]) => new Set(some.map(({ task }) => task));
  const same = tasks(near).size === tasks(prompts).size;
  return same && near.length >= FEWEST ? near : prompts;
}

/** Prompts below which a context has no say of its own. */
const FEWEST = 4;
