import { assert, assertEquals, assertLess, assertLessOrEqual, assertThrows } from "@std/assert";
import { modelDrafter } from "../../../lib/decoding/drafters/model.ts";
import { advised } from "../../../lib/decoding/policies/advised.ts";
import { fixed } from "../../../lib/decoding/policies/fixed.ts";
import type { Policy } from "../../../lib/decoding/policies/policy.ts";
import { speculate } from "../../../lib/decoding/speculative.ts";
import { tableModel } from "../../../lib/engine/table_model.ts";
import { stream } from "../../../lib/random.ts";
import { leaning } from "../../study/leaning.ts";
import { roundsOf } from "../decode.ts";

const RANGES = [
  { from: 0, draftLength: 4, threshold: 0.5 },
  { from: 300, draftLength: 2, threshold: 0.6 },
  { from: 900, draftLength: 0, threshold: 1 },
];
const FALLBACK = { window: 8, retry: 16 };

/** What a policy drafts in each round of a text whose tokens stand as planted. */
function drafts(policy: Policy, rounds: number, stands: (round: number) => boolean): number[] {
  const drafted: number[] = [];
  let [position, last] = [10, null as Parameters<Policy["limit"]>[0]["last"]];
  for (let round = 0; round < rounds; round++) {
    const limit = policy.limit({ position, emitted: position - 10, last });
    drafted.push(limit);
    let accepted = 0;
    while (accepted < limit && stands(round)) accepted++;
    const tested = Math.min(limit, accepted + 1);
    const emitted = Array(accepted + 1).fill(7);
    const times = { draftMs: 0, verifyMs: 0, sampleMs: 0, hostMs: 0 };
    last = {
      drafter: "x",
      drafted: Array(limit).fill(7),
      tested,
      accepted,
      emitted,
      stop: null,
      ...times,
    };
    position += emitted.length;
  }
  return drafted;
}

const ONE_RANGE = { ranges: [RANGES[0]!], fallback: FALLBACK };

Deno.test("a draft is never longer than K of its context", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = stream(seed, "stands");
    const policy = advised({ ranges: RANGES, fallback: FALLBACK });
    let position = 0;
    const watched: Policy = {
      ...policy,
      limit(state) {
        position = state.position;
        const limit = policy.limit(state);
        assertLessOrEqual(limit, position < 300 ? 4 : position < 900 ? 2 : 0);
        return limit;
      },
    };
    drafts(watched, 900, () => random() < 0.7);
    assert(position > 900);
  }
});

Deno.test("a useless draft is dropped after one window, and costs the logarithm of the text", () => {
  const drafted = drafts(advised(ONE_RANGE), 5000, () => false);
  assertEquals(drafted.slice(0, 9), [4, 4, 4, 4, 4, 4, 4, 4, 0]);
  assertEquals(drafted.slice(8, 25), [...Array(16).fill(0), 4]);
  const lost = drafted.filter((length) => length > 0).length;
  assertLessOrEqual(lost, 8 * (1 + Math.log2(5000 / 16)));
});

Deno.test("a good draft is never dropped", () => {
  assert(drafts(advised(ONE_RANGE), 1000, () => true).every((length) => length === 4));
});

Deno.test("drafting goes on once acceptance returns, and the next fall rests as short as the first", () => {
  const returns = (round: number) => round >= 100 && round < 400;
  const drafted = drafts(advised(ONE_RANGE), 600, returns);
  const back = drafted.findIndex((length, round) => round >= 100 && length > 0);
  assertLess(back, 200); // a rest is at most as long as what came before
  assert(drafted.slice(back, 400).every((length) => length === 4));
  const fallen = drafted.indexOf(0, 400);
  assertLessOrEqual(fallen, 400 + FALLBACK.window);
  assertEquals(drafted.indexOf(4, fallen) - fallen, FALLBACK.retry);
});

Deno.test("a new text is watched anew", () => {
  const policy = advised(ONE_RANGE);
  drafts(policy, 10, () => false);
  assertEquals(policy.limit({ position: 3, emitted: 0, last: null }), 4);
});

Deno.test("advised speculation emits what plain decoding emits, with drafts good and bad", async () => {
  const [fine, coarse] = ["fine", "coarse"].map((seed) => tableModel({ vocabularySize: 64, seed }));
  const options = { maxTokens: 200, seed: 1 };
  const text = async (policy: Policy, share: number) => {
    const drafter = modelDrafter(leaning(fine!, coarse!, share));
    return (await roundsOf(speculate(fine!.open(), drafter, [1, 2], { ...options, policy })))
      .flatMap(({ emitted }) => emitted);
  };
  const plain = await text(fixed(0), 0);
  for (const share of [0, 0.3, 1]) {
    const fallback = { window: 2, retry: 3 };
    assertEquals(await text(advised({ ranges: RANGES, fallback }), share), plain);
  }
});

Deno.test("advised() refuses ranges that do not ascend from 0, and values out of range", () => {
  const refuse = (ranges: typeof RANGES, fallback: typeof FALLBACK, reason: string) =>
    assertThrows(() => advised({ ranges, fallback }), RangeError, reason);
  refuse([], FALLBACK, "ranges.length");
  refuse([RANGES[1]!], FALLBACK, "from must be an integer from 0 to 0");
  refuse([RANGES[0]!, RANGES[0]!], FALLBACK, "from must be an integer of at least 1");
  refuse([{ ...RANGES[0]!, draftLength: 1.5 }], FALLBACK, "draftLength");
  refuse([{ ...RANGES[0]!, threshold: Infinity }], FALLBACK, "threshold");
  refuse(RANGES, { window: 0, retry: 1 }, "window");
  refuse(RANGES, { window: 1, retry: 0 }, "retry");
});
