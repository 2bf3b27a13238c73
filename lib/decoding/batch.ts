/**
 * Speculative decoding of several texts side by side: one target pass checks a draft for each.
 *
 * @module
 */

import type { Context } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import { type Random, stream } from "../random.ts";
import { requireInteger } from "../validate.ts";
import { type Drafter, type Proposal, proposerOf } from "./drafters/drafter.ts";
import { kept, type Pass, passOver, scoresOf } from "./pass.ts";
import { fixed } from "./policies/fixed.ts";
import type { Policy } from "./policies/policy.ts";
import { prefillRows } from "./prefill.ts";
import type { Round } from "./round.ts";
import { requireSampling, type Sampling } from "./sampling.ts";
import { settle } from "./settle.ts";
import type { SpeculateOptions } from "./speculative.ts";
import { chain, judge } from "./verify.ts";

/** Options of speculative decoding in a batch. */
export interface SpeculateBatchOptions extends Omit<SpeculateOptions, "seed" | "policy"> {
  /** Seeds of the rows' random streams. */
  readonly seeds: readonly (number | string)[];
  /** How far to draft in each row: one policy a row, as each may learn. Default: 4 tokens a round. */
  readonly policies?: readonly Policy[];
}

/**
 * Decodes a continuation of each prompt. A row's tokens are those of `speculate` alone with the
 * row's drafter, seed and policy: rows share passes, and nothing else. A row that has ended rests.
 *
 * Rows draft one after another. The times in a round are those of all rows together, the same in
 * each row.
 *
 * @param target An open context whose rows each hold a prefix of their prompt, or nothing.
 * @param drafters What proposes, one a row.
 * @param prompts The texts so far, one a row.
 * @param options Length, sampling, seeds, policies.
 * @returns For each pass the round of every row, or null where a row has ended.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fixed, modelDrafter, tableModel } from "@specbound/specbound";
 * const model = tableModel({ vocabularySize: 5, seed: 1 });
 * const drafters = [modelDrafter(model), modelDrafter(model)];
 * const options = { maxTokens: 9, seeds: [1, 2], policies: [fixed(4), fixed(8)] };
 * const accepted = [];
 * for await (const rounds of speculateBatch(model.open(2), drafters, [[0, 1], [2]], options)) {
 *   accepted.push(rounds.map((round) => round?.accepted));
 * }
 * assertEquals(accepted, [[4, 8], [3, undefined]]);
 * ```
 */
export async function* speculateBatch(
  target: Context,
  drafters: readonly Drafter[],
  prompts: readonly (readonly TokenId[])[],
  options: SpeculateBatchOptions,
): AsyncGenerator<(Round | null)[], void> {
  const { maxTokens, sampling = {}, endOfText, signal } = options;
  const clock = options.clock ?? (() => performance.now());
  requireInteger("speculate", "maxTokens", maxTokens, 1);
  requireSampling(sampling);
  const rows = openRows(drafters, prompts, options);

  await prefillRows(target, prompts, options);
  for (const { drafter, index } of rows) await drafter.begin?.(prompts[index]!);
  while (rows.some(goesOn)) {
    signal?.throwIfAborted();
    const started = clock();
    const active = rows.filter(goesOn);
    for (const row of active) row.draft = await propose(row, maxTokens, sampling);
    const drafted = clock();

    const passes = rows.map((row) => goesOn(row) ? passOver(row.text.at(-1)!, row.draft) : REST);
    const evaluation = await target.evaluate(passes.map(({ tokens }) => tokens), forest(passes));
    const evaluated = clock();

    const keeping = rows.map((): number | number[] => 0);
    const outcomes = active.map((row) => {
      const scores = scoresOf(evaluation, row.index);
      const verdict = judge(row.draft, scores, sampling, row.acceptRandom);
      const outcome = settle(row.draft.tokens, verdict, maxTokens - row.emitted, endOfText);
      keeping[row.index] = kept(row.draft, verdict, outcome);
      return outcome;
    });
    const sampled = clock();

    target.commit(evaluation, keeping);
    const [draftMs, verifyMs] = [drafted - started, evaluated - drafted];
    const times = { draftMs, verifyMs, sampleMs: sampled - evaluated, hostMs: 0 };
    for (const [i, row] of active.entries()) {
      const { draft, drafter } = row;
      const proposed = { drafter: proposerOf(draft, drafter), drafted: draft.tokens };
      row.last = { ...proposed, ...outcomes[i]!, ...times };
      row.text.push(...row.last.emitted);
      row.emitted += row.last.emitted.length;
      row.drafter.observe?.(row.last, row.text);
    }
    const hostMs = clock() - sampled;
    for (const row of active) row.last = { ...row.last!, hostMs };
    yield rows.map((row) => active.includes(row) ? row.last : null);
  }
}

/** A text of the batch, and what decides how it goes on. */
interface Row {
  readonly index: number;
  readonly drafter: Drafter;
  readonly policy: Policy;
  readonly draftRandom: Random;
  readonly acceptRandom: Random;
  readonly text: TokenId[];
  emitted: number;
  draft: Proposal;
  last: Round | null;
}

const NOTHING: Proposal = { tokens: [] };
const REST: Pass = { tokens: [] };

function openRows(
  drafters: readonly Drafter[],
  prompts: readonly (readonly TokenId[])[],
  { seeds, policies = prompts.map(() => fixed(4)) }: SpeculateBatchOptions,
): Row[] {
  for (const [name, list] of Object.entries({ drafters, seeds, policies })) {
    requireInteger("speculate", `${name}.length`, list.length, prompts.length, prompts.length);
  }
  return prompts.map((prompt, index) => ({
    index,
    drafter: drafters[index]!,
    policy: policies[index]!,
    draftRandom: stream(seeds[index]!, "draft"),
    acceptRandom: stream(seeds[index]!, "accept"),
    text: [...prompt],
    emitted: 0,
    draft: NOTHING,
    last: null,
  }));
}

function goesOn(row: Row): boolean {
  return row.last?.stop == null;
}

async function propose(row: Row, maxTokens: number, sampling: Sampling): Promise<Proposal> {
  const { drafter, policy, text, emitted, last, draftRandom: random } = row;
  const wanted = policy.limit({ position: text.length, emitted, last });
  const limit = Math.min(wanted, maxTokens - emitted - 1); // the pass adds one more
  requireInteger("speculate", "policy.limit", limit, 0);
  const proceed = policy.proceed?.bind(policy);
  return limit > 0 ? await drafter.propose(text, { limit, sampling, random, proceed }) : NOTHING;
}

/** The rows' parents if any row is a tree; rows beside it are chains. */
function forest(passes: readonly Pass[]): number[][] | undefined {
  if (passes.every(({ parents }) => !parents)) return undefined;
  return passes.map(({ tokens, parents }) => parents ? [...parents] : chain(tokens.length));
}
