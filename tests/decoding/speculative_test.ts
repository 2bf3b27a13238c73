import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import { firstOf } from "../../lib/decoding/drafters/first_of.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { onlineNgram } from "../../lib/decoding/drafters/online_ngram.ts";
import { promptLookup } from "../../lib/decoding/drafters/prompt_lookup.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import type { PolicyState } from "../../lib/decoding/policies/policy.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { tableModel } from "../../lib/engine/table_model.ts";
import { stream } from "../../lib/random.ts";
import { facts, roundsOf, tokensOf } from "./decode.ts";
import {
  drafter,
  draftersOf,
  draftOf,
  LENGTHS,
  moody,
  promptOf,
  targetOf,
  VOCABULARY,
} from "./kinds.ts";
import { assertCounts, followed } from "./laws.ts";

for (const sampling of [{}, { temperature: 1 }, { temperature: 0.7, topK: 3, topP: 0.9 }]) {
  const how = JSON.stringify(sampling);

  Deno.test(`a draft equal to the target is always accepted, ${how}`, async () => {
    const model = targetOf(1);
    for (const draftLength of LENGTHS) {
      const options = {
        maxTokens: 10 * (draftLength + 1),
        seed: draftLength,
        sampling,
        policy: fixed(draftLength),
      };
      const rounds = await roundsOf(speculate(model.open(), modelDrafter(model), [0], options));
      assertEquals(rounds.length, 10);
      for (const { tested, accepted, emitted } of rounds) {
        assertEquals([tested, accepted, emitted.length], [
          draftLength,
          draftLength,
          draftLength + 1,
        ]);
      }
    }
  });

  Deno.test(`with nothing drafted, rounds are those of plain decoding, ${how}`, async () => {
    const clock = () => 0;
    const options = { maxTokens: 50, seed: 3, sampling, clock, endOfText: new Set([5]) };
    const plain = await roundsOf(autoregress(targetOf(1).open(), [0], options));
    const none = speculate(targetOf(1).open(), modelDrafter(draftOf(1)), [0], {
      ...options,
      policy: fixed(0),
    });
    assertEquals(await roundsOf(none), plain);
  });

  Deno.test(`the same seed gives the same rounds, ${how}`, async () => {
    const options = { maxTokens: 50, seed: "same", sampling };
    const run = async () => {
      const rounds = speculate(targetOf(1).open(), modelDrafter(draftOf(1)), [0], options);
      return (await roundsOf(rounds)).map(facts);
    };
    assertEquals(await run(), await run());
  });

  Deno.test(`drafters that followed a text propose what fresh ones would, ${how}`, async () => {
    const randomAt = (text: string) => stream(text, "propose");
    for (const policy of [fixed(1), fixed(3), moody]) {
      for (
        const open of [
          () => modelDrafter(targetOf(2)),
          () => modelDrafter(draftOf(2)),
          () => treeDrafter(draftOf(2), { widths: [2, 2] }),
          () => promptLookup(),
          () => onlineNgram({ threshold: 0 }),
          () => firstOf([onlineNgram({ threshold: 0.6 }), modelDrafter(draftOf(2))]),
        ]
      ) {
        const options = { maxTokens: 40, seed: 5, sampling, policy };
        await roundsOf(speculate(targetOf(2).open(), followed(open, randomAt), [0, 1], options));
      }
    }
  });
}

Deno.test("different seeds sample different texts", async () => {
  const texts = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const options = { maxTokens: 30, seed, sampling: { temperature: 1 } };
    const rounds = speculate(targetOf(1).open(), modelDrafter(draftOf(1)), [0], options);
    texts.add((await tokensOf(rounds)).join(" "));
  }
  assertEquals(texts.size, 20);
});

Deno.test("sampled rounds keep the counts' laws, cut by length and end of text", async () => {
  for (let seed = 0; seed < 200; seed++) {
    const options = {
      maxTokens: 1 + seed % 20,
      seed,
      sampling: { temperature: 1 },
      policy: fixed(seed % 6),
      endOfText: new Set([seed % VOCABULARY]),
    };
    const draft = seed % 2 ? modelDrafter(draftOf(1)) : treeDrafter(draftOf(1), { widths: [2, 2] });
    assertCounts(
      await roundsOf(speculate(targetOf(1).open(), draft, [0], options)),
      options.maxTokens,
    );
  }
});

Deno.test("between rounds the target holds all of the text but its newest token", async () => {
  for (const draft of draftersOf(1, [])) {
    const target = targetOf(1).open();
    let text = promptOf(1).length;
    for await (const round of speculate(target, draft, promptOf(1), { maxTokens: 30, seed: 1 })) {
      text += round.emitted.length;
      assertEquals(target.length(), text - 1);
    }
  }
});

Deno.test("a drafter reads the prompt once before it proposes, and observes every round", async () => {
  const calls: string[] = [];
  const spy: Drafter = {
    ...drafter("spy", (text) => {
      calls.push(`propose after ${text.length}`);
      return Promise.resolve({ tokens: [0] });
    }),
    begin: (prompt) => Promise.resolve(void calls.push(`begin ${prompt}`)),
    observe: ({ emitted }, text) => calls.push(`observe ${emitted.length} of ${text.length}`),
  };
  const options = { maxTokens: 2, seed: 1 };
  const rounds = await roundsOf(speculate(targetOf(1).open(), spy, [3, 1], options));
  assertEquals(rounds.map(({ emitted }) => emitted.length), [1, 1]);
  assertEquals(calls, ["begin 3,1", "propose after 2", "observe 1 of 3", "observe 1 of 4"]);
});

Deno.test("a policy is told the state, and its limit is cut to what may still be emitted", async () => {
  const states: PolicyState[] = [];
  const limits: number[] = [];
  const policy = { name: "spy", limit: (state: PolicyState) => states.push(state) && 4 };
  const right = modelDrafter(targetOf(1));
  const spy = {
    ...right,
    propose: (...args: Parameters<Drafter["propose"]>) => {
      limits.push(args[1].limit);
      return right.propose(...args);
    },
  };
  const rounds = await roundsOf(
    speculate(targetOf(1).open(), spy, [0, 1], { maxTokens: 13, seed: 1, policy }),
  );
  assertEquals(limits, [4, 4, 2]);
  assertEquals(states.map(({ position, emitted }) => [position, emitted]), [[2, 0], [7, 5], [
    12,
    10,
  ]]);
  assertEquals(states.map(({ last }) => last), [null, rounds[0]!, rounds[1]!]);
});

Deno.test("the phases of a round are timed by the clock that is given", async () => {
  let time = 0;
  const clock = () => time += 1;
  const options = { maxTokens: 9, seed: 1, clock };
  for await (const round of speculate(targetOf(1).open(), modelDrafter(draftOf(1)), [0], options)) {
    const { draftMs, verifyMs, sampleMs, hostMs } = round;
    assertEquals([draftMs, verifyMs, sampleMs, hostMs], [1, 1, 1, 1]);
  }
});

Deno.test("an aborted signal ends decoding between rounds with its reason", async () => {
  const controller = new AbortController();
  const target = targetOf(1).open();
  const options = { maxTokens: 100, seed: 1, signal: controller.signal };
  const seen: number[] = [];
  const run = async () => {
    for await (const round of speculate(target, modelDrafter(draftOf(1)), [0], options)) {
      seen.push(round.emitted.length);
      if (seen.length === 3) controller.abort(new Error("enough"));
    }
  };
  await assertRejects(run, Error, "enough");
  assertEquals(seen.length, 3);
  assertEquals(target.length(), seen.reduce((sum, count) => sum + count, 0)); // all but the newest
});

Deno.test("a signal that was aborted before leaves the target unread", async () => {
  const target = targetOf(1).open();
  const options = { maxTokens: 5, seed: 1, signal: AbortSignal.abort(new Error("never")) };
  await assertRejects(
    () => roundsOf(speculate(target, modelDrafter(draftOf(1)), [0, 1, 2], options)),
    Error,
    "never",
  );
  assertEquals(target.length(), 0);
});

Deno.test("speculate() refuses options out of range before it reads anything", async () => {
  const wrong = [
    { maxTokens: 0 },
    { maxTokens: 1.5 },
    { sampling: { temperature: -1 } },
    { sampling: { temperature: NaN } },
    { sampling: { topP: 0 } },
    { sampling: { topP: 1.1 } },
    { sampling: { topK: -1 } },
    { policy: { name: "wrong", limit: () => 2.5 } },
    { policy: { name: "wrong", limit: () => -1 } },
    { policy: { name: "wrong", limit: () => NaN } },
  ];
  for (const options of wrong) {
    const target = targetOf(1).open();
    const run = speculate(target, modelDrafter(draftOf(1)), [0], {
      maxTokens: 5,
      seed: 1,
      ...options,
    });
    await assertRejects(() => roundsOf(run), RangeError, "Cannot");
    assertEquals(target.length(), 0);
  }
});

Deno.test("a draft over another vocabulary is refused, not sampled from", async () => {
  for (const vocabularySize of [VOCABULARY - 1, VOCABULARY + 1]) {
    const draft = modelDrafter(tableModel({ vocabularySize, seed: 1 }));
    const options = { maxTokens: 50, seed: 1, sampling: { temperature: 1 } };
    const error = await assertRejects(() =>
      roundsOf(speculate(targetOf(1).open(), draft, [0], options))
    );
    assert(error instanceof Error && error.message.includes("vocabulary"));
  }
});

Deno.test("sampling does not depend on how the drafter uses its own stream", async () => {
  // A drafter that draws and throws away: the target's draws must not shift.
  const wasteful = drafter("wasteful", (_, { random }) => {
    random();
    return Promise.resolve({ tokens: [] });
  });
  const options = { maxTokens: 30, seed: 1, sampling: { temperature: 1 } };
  const plain = await tokensOf(autoregress(targetOf(1).open(), [0], options));
  assertEquals(await tokensOf(speculate(targetOf(1).open(), wasteful, [0], options)), plain);
  assertNotEquals(
    plain,
    await tokensOf(autoregress(targetOf(1).open(), [0], { ...options, seed: 2 })),
  );
});
