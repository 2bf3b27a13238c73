import { assert, assertEquals } from "@std/assert";
import { firstOf } from "../../../lib/decoding/drafters/first_of.ts";
import type { Drafter } from "../../../lib/decoding/drafters/drafter.ts";
import { modelDrafter } from "../../../lib/decoding/drafters/model.ts";
import { promptLookup } from "../../../lib/decoding/drafters/prompt_lookup.ts";
import { treeDrafter } from "../../../lib/decoding/drafters/tree.ts";
import { fixed } from "../../../lib/decoding/policies/fixed.ts";
import { speculateBatch } from "../../../lib/decoding/batch.ts";
import { speculate } from "../../../lib/decoding/speculative.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { stream } from "../../../lib/random.ts";
import { wrapModel } from "../../engine/wrap.ts";
import { roundsOf } from "../decode.ts";
import { drafter } from "../kinds.ts";
import { followed } from "../laws.ts";

const target = tableModel({ vocabularySize: 6, seed: "target" });
const draft = tableModel({ vocabularySize: 6, seed: "draft" });
const silent = () => drafter("silent", () => Promise.resolve({ tokens: [] }));
/** Proposes wrong tokens in `count` of every `count + 1` rounds, and nothing in the other. */
function mostly(count: number): Drafter {
  let round = 0;
  return drafter("mostly", (_, { limit }) => {
    const speaks = round++ % (count + 1) < count;
    return Promise.resolve({ tokens: speaks ? new Array(limit).fill(0) : [] });
  });
}

Deno.test("the first drafter that proposes anything is used, and those after it are not asked", async () => {
  const last = drafter("last", () => Promise.reject(new Error("asked")));
  const only = firstOf([silent(), promptLookup({ longest: 1, shortest: 1 }), last]);
  const request = { limit: 2, sampling: {}, random: () => NaN };
  assertEquals(await only.propose([1, 2, 1], request), {
    drafter: "prompt lookup 1-1",
    tokens: [2, 1],
  });
  assertEquals(await firstOf([silent()]).propose([1], request), { tokens: [] });
  assertEquals(await firstOf([]).propose([1], request), { tokens: [] });
});

for (const sampling of [{}, { temperature: 1 }]) {
  Deno.test(`a fallback that rested proposes what it would have alone, ${JSON.stringify(sampling)}`, async () => {
    for (const rest of [1, 2, 5, 40]) {
      for (
        const open of [() => modelDrafter(draft), () => treeDrafter(draft, { widths: [2, 1] })]
      ) {
        let asked = 0;
        const fallback = followed(open, (text) => (asked++, stream(text, "propose")));
        const options = { maxTokens: 200, seed: rest, sampling };
        const both = firstOf([mostly(rest), fallback]);
        await roundsOf(speculate(target.open(), both, [0, 1], options));
        assert(asked > 2);
      }
    }
  });
}

Deno.test("a fallback that rested long reads ahead, and computes no logits but those it needs", async () => {
  const widths: number[] = [];
  const spied = wrapModel(draft, (inner) => ({
    evaluate: (tokens, parents) => {
      widths.push(tokens[0]!.length);
      return inner.evaluate(tokens, parents);
    },
  }));
  const options = { maxTokens: 200, seed: 1, policy: fixed(2) };
  const both = firstOf([mostly(40), modelDrafter(spied)]);
  const rounds = await roundsOf(speculate(target.open(), both, [0, 1], options));
  const own = rounds.filter((round) => round.drafter !== "mostly" && round.drafted.length > 0);
  assert(own.length > 2);
  assertEquals(widths, own.flatMap(({ drafted }) => drafted.map(() => 1)));
});

Deno.test("a round tells whose draft it was, alone, in turns and in a batch", async () => {
  const options = { maxTokens: 30, seed: 1, policy: fixed(2) };
  const namesOf = async (one: Drafter) =>
    (await roundsOf(speculate(target.open(), one, [0], options))).map((round) => round.drafter);
  assertEquals(new Set(await namesOf(silent())), new Set([null]));
  const alone = await namesOf(modelDrafter(draft));
  assertEquals(alone.at(-1), null); // no room was left for a draft
  assertEquals(new Set(alone.slice(0, -1)), new Set([draft.name]));
  const inTurns = () => firstOf([mostly(2), modelDrafter(draft)]);
  const names = await namesOf(inTurns());
  assertEquals(names.slice(0, 4), ["mostly", "mostly", draft.name, "mostly"]);
  const batched: (string | null)[] = [];
  const batch = { maxTokens: 30, seeds: [1], policies: [fixed(2)] };
  for await (const [round] of speculateBatch(target.open(1), [inTurns()], [[0]], batch)) {
    batched.push(round!.drafter);
  }
  assertEquals(batched, names);
});

Deno.test("all drafters read the prompt, observe every round, and are closed", async () => {
  const calls: string[] = [];
  const spy = (name: string): Drafter => ({
    ...drafter(name, () => Promise.resolve({ tokens: [] })),
    begin: (prompt) => Promise.resolve(void calls.push(`${name} begins ${prompt}`)),
    observe: (_, text) => calls.push(`${name} observes ${text.length}`),
    [Symbol.asyncDispose]: () => Promise.resolve(void calls.push(`${name} closes`)),
  });
  const both = firstOf([spy("one"), spy("two")]);
  assertEquals(both.name, "one, else two");
  await roundsOf(speculate(target.open(), both, [3, 1], { maxTokens: 1, seed: 1 }));
  await both[Symbol.asyncDispose]();
  assertEquals(calls, [
    "one begins 3,1",
    "two begins 3,1",
    "one observes 3",
    "two observes 3",
    "two closes",
    "one closes",
  ]);
});
