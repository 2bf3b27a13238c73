/**
 * Every kind of drafter and policy, and toy models to try them on.
 *
 * @module
 */

import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import { firstOf } from "../../lib/decoding/drafters/first_of.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { onlineNgram } from "../../lib/decoding/drafters/online_ngram.ts";
import { promptLookup } from "../../lib/decoding/drafters/prompt_lookup.ts";
import { replay } from "../../lib/decoding/drafters/replay.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { confidence } from "../../lib/decoding/policies/confidence.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import type { Policy } from "../../lib/decoding/policies/policy.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { stream } from "../../lib/random.ts";

export const VOCABULARY = 6;
export const LENGTHS = [0, 1, 2, 3, 4, 5, 8, 16];

export const targetOf = (seed: number) =>
  tableModel({ vocabularySize: VOCABULARY, seed: `target ${seed}` });
export const draftOf = (seed: number) =>
  tableModel({ vocabularySize: VOCABULARY, seed: `draft ${seed}` });
export const promptOf = (seed: number) => [seed % VOCABULARY, 3, 1, 4, 1, 5].slice(0, 1 + seed % 6);

/** A drafter made of one function. */
export function drafter(name: string, propose: Drafter["propose"]): Drafter {
  return { name, propose, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Every kind of drafter for the run of a seed, helpful or not. */
export function draftersOf(seed: number, continuation: readonly TokenId[]): Drafter[] {
  const [target, draft, prompt] = [targetOf(seed), draftOf(seed), promptOf(seed)];
  const anything = stream(seed, "garbage");
  const garbage = (count: number) =>
    Array.from({ length: count }, () => Math.floor(anything() * VOCABULARY));
  const replayed = (acceptance: number | number[], paying?: Drafter) =>
    replay(prompt.length, continuation, {
      acceptance,
      seed,
      vocabularySize: VOCABULARY,
      ...(paying && { paying }),
    });
  return [
    modelDrafter(target),
    modelDrafter(draft),
    promptLookup(),
    promptLookup({ longest: 1, shortest: 1 }),
    onlineNgram(),
    onlineNgram({ threshold: 0 }),
    firstOf([onlineNgram({ threshold: 0.6 }), modelDrafter(draft)]),
    firstOf([promptLookup(), treeDrafter(draft, { widths: [2, 1] })]),
    ...[0, 0.5, 0.9, 1].map((rate) => replayed(rate)),
    replayed([0.9, 0.5, 0], modelDrafter(draft)),
    treeDrafter(target, { widths: [1, 1, 1] }),
    treeDrafter(draft, { widths: [3, 2, 1] }),
    treeDrafter(draft, { widths: [VOCABULARY + 1, 2] }),
    drafter("silent", () => Promise.resolve({ tokens: [] })),
    drafter("garbage", (_, { limit }) => Promise.resolve({ tokens: garbage(limit) })),
    drafter("too long", () => Promise.resolve({ tokens: continuation.slice(0, 20) })),
    drafter("right and too long", (text) => {
      const from = text.length - prompt.length;
      return Promise.resolve({ tokens: continuation.slice(from, from + 20) });
    }),
    drafter("garbage trees", () => {
      const parents = Array.from({ length: 12 }, (_, i) => Math.floor(anything() * (i + 1)) - 1);
      return Promise.resolve({ tokens: garbage(12), parents });
    }),
  ];
}

/** Drafts more the further it got, and asks to end drafts now and then. */
export const moody: Policy = {
  name: "moody",
  limit: ({ position, last }) => (position + (last?.accepted ?? 0)) % 5,
  proceed: (_, drafted) => drafted % 3 !== 0,
};

/** Every kind of policy. */
export const policies = [
  ...LENGTHS.map(fixed),
  confidence(),
  confidence({ threshold: 0.7 }),
  moody,
];
