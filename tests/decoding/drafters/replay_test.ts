import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { autoregress } from "../../../lib/decoding/autoregressive.ts";
import { modelDrafter } from "../../../lib/decoding/drafters/model.ts";
import { replay } from "../../../lib/decoding/drafters/replay.ts";
import { fixed } from "../../../lib/decoding/policies/fixed.ts";
import { speculate } from "../../../lib/decoding/speculative.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { wrapModel } from "../../engine/wrap.ts";
import { roundsOf, tokensOf } from "../decode.ts";

const target = tableModel({ vocabularySize: 50, seed: 1, order: 3 });
const MAX = 2000;
const plain = await tokensOf(autoregress(target.open(), [0, 1], { maxTokens: MAX, seed: 1 }));

async function run(acceptance: number | readonly number[], draftLength: number, seed = 1) {
  const drafter = replay(2, plain, { acceptance, seed, vocabularySize: 50 });
  const options = { maxTokens: MAX, seed: 1, policy: fixed(draftLength) };
  return await roundsOf(speculate(target.open(), drafter, [0, 1], options));
}

Deno.test("acceptance per tested token is what was asked for", async () => {
  for (const rate of [0, 0.3, 0.7, 0.95, 1]) {
    for (const draftLength of [1, 4, 8]) {
      const rounds = await run(rate, draftLength);
      const tested = rounds.reduce((sum, round) => sum + round.tested, 0);
      const accepted = rounds.reduce((sum, round) => sum + round.accepted, 0);
      const error = 4 * Math.sqrt(rate * (1 - rate) / tested);
      assert(Math.abs(accepted / tested - rate) <= error, `${accepted}/${tested} for ${rate}`);
    }
  }
});

Deno.test("rates by position hold at their positions, the last for all further ones", async () => {
  const rates = [0.9, 0.5, 0.2];
  const rounds = await run(rates, 5);
  for (let depth = 0; depth < 3; depth++) {
    const reached = rounds.filter((round) => round.tested > depth);
    const passed = reached.filter((round) => round.accepted > depth).length;
    const error = 4 * Math.sqrt(rates[depth]! * (1 - rates[depth]!) / reached.length);
    assert(Math.abs(passed / reached.length - rates[depth]!) <= error, `depth ${depth}`);
  }
  const deep = await run([1, 1, 1, 0], 8);
  assert(deep.slice(0, -1).every((round) => round.accepted === 3 && round.tested === 4));
});

Deno.test("the same output positions err, whatever the draft length", async () => {
  const drafter = replay(2, plain, { acceptance: 0.5, seed: 1, vocabularySize: 50 });
  const errorsOf = async (position: number, limit: number) => {
    const request = { limit, sampling: {}, random: () => NaN };
    const { tokens } = await drafter.propose([0, 1, ...plain.slice(0, position)], request);
    return tokens.map((token, i) => token !== plain[position + i]);
  };
  const all = await errorsOf(0, 40);
  assert(all.includes(true) && all.includes(false));
  for (const position of [0, 3, 10]) {
    for (const limit of [1, 4, 16]) {
      assertEquals(await errorsOf(position, limit), all.slice(position, position + limit));
    }
  }
});

Deno.test("another seed errs elsewhere", async () => {
  const [one, two] = [await run(0.5, 4, 1), await run(0.5, 4, 2)];
  assertNotEquals(one.map((round) => round.accepted), two.map((round) => round.accepted));
});

Deno.test("a wrong token is another token of the vocabulary", async () => {
  const drafter = replay(1, [0, 1, 2], { acceptance: 0, seed: 1, vocabularySize: 3 });
  const { tokens } = await drafter.propose([0], { limit: 9, sampling: {}, random: () => NaN });
  assertEquals(tokens, [1, 2, 0]); // and there is nothing after the continuation
});

Deno.test("a drafter that pays runs as many passes as its own draft would take", async () => {
  let passes = 0;
  const draft = wrapModel(target, (inner) => ({
    evaluate: (tokens, parents) => {
      passes++;
      return inner.evaluate(tokens, parents);
    },
  }));
  const paying = modelDrafter(draft);
  const drafter = replay(2, plain, { acceptance: 0.5, seed: 1, vocabularySize: 50, paying });
  const options = { maxTokens: 100, seed: 1, policy: fixed(4) };
  const rounds = await roundsOf(speculate(target.open(), drafter, [0, 1], options));
  assertEquals(passes, rounds.reduce((sum, round) => sum + round.drafted.length, 0));
  const free = replay(2, plain, { acceptance: 0.5, seed: 1, vocabularySize: 50 });
  const unpaid = await roundsOf(speculate(target.open(), free, [0, 1], options));
  assertEquals(rounds.map((round) => round.drafted), unpaid.map((round) => round.drafted));
});

Deno.test("replay() refuses rates that are no chances", () => {
  for (const acceptance of [-0.1, 1.1, NaN, [], [0.5, 2]]) {
    assertThrows(() => replay(1, [], { acceptance, seed: 1, vocabularySize: 5 }), RangeError);
  }
});
