import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { expectedTokens, stream } from "@specbound/specbound";
import {
  acceptanceAlongText,
  acceptanceByPlace,
  autocorrelation,
  behaviourByLength,
  replayAll,
} from "../../lib/analysis/behaviour.ts";
import { betsOf, calibrate } from "../../lib/analysis/calibration.ts";
import { standingChances, type Trace } from "../../lib/study/trace.ts";

const TOKENS = 200;
const LONGEST = 8;

/** Traces whose acceptances a chance decides at each position, given the one before. */
function planted(
  chanceOf: (position: number, before: boolean) => number,
  choice: "chosen" | "drawn",
  texts = 60,
): Trace[] {
  return Array.from({ length: texts }, (_, text): Trace => {
    const random = stream(text, "planted");
    let stands = true;
    const right = Array.from({ length: TOKENS }, (_, position) => {
      stands = random() < chanceOf(position, stands);
      return stands;
    });
    const traced = {
      tokens: right.map((_, i) => i),
      stop: "length",
      maxTokens: TOKENS,
      longest: LONGEST,
    } as const;
    if (choice === "drawn") {
      const drafts = right.map((_, position) => {
        const chance = chanceOf(position, true);
        return { chance, overlap: chance, confidence: chance, acceptance: chance };
      });
      return { choice, ...traced, drafts };
    }
    const drafts = right.map((_, position) => {
      const offered = Math.min(LONGEST, TOKENS - position - 1);
      const wrong = right.slice(position, position + offered).indexOf(false);
      return { offered, right: wrong < 0 ? offered : wrong, confidences: [0.7] };
    });
    return { choice, ...traced, drafts };
  });
}

for (const choice of ["chosen", "drawn"] as const) {
  Deno.test(`estimates recover a planted α, and τ is Leviathan's, of ${choice} drafts`, () => {
    for (const alpha of [0.3, 0.6, 0.9]) {
      const traces = planted(() => alpha, choice);
      for (const found of behaviourByLength(traces, [1, 2, 4, 8])) {
        assertAlmostEquals(found.alpha!, alpha, 0.02);
        assertAlmostEquals(found.tau, found.independent, 0.03 * found.tau);
        assertAlmostEquals(found.byPlace, found.independent, 0.03 * found.tau);
        assertAlmostEquals(found.tau, expectedTokens(alpha, found.draftLength), 0.05 * found.tau);
      }
    }
  });
}

Deno.test("acceptance that comes in runs is seen: correlation is planted, and τ departs from the formula", () => {
  const traces = planted((_, before) => before ? 0.9 : 0.3, "chosen");
  const [one, two] = autocorrelation(traces.map(standingChances), [1, 2]);
  assertAlmostEquals(one!, 0.6, 0.03); // of a two-state chain: 0.9 − 0.3
  assertAlmostEquals(two!, 0.36, 0.04);
  const [independent] = autocorrelation(planted(() => 0.6, "chosen").map(standingChances), [1]);
  assertAlmostEquals(independent!, 0, 0.03);
});

Deno.test("acceptance by place and along the text is what was planted there", () => {
  const early = planted((position) => position < 100 ? 0.8 : 0.4, "chosen");
  const stretches = acceptanceAlongText(early, { stretch: 100 });
  assertEquals(stretches.map(({ place }) => place), [0, 100]);
  assertAlmostEquals(stretches[0]!.alpha, 0.8, 0.02);
  assertAlmostEquals(stretches[1]!.alpha, 0.4, 0.02);
  for (const { alpha } of acceptanceByPlace(replayAll(planted(() => 0.7, "chosen"), 4))) {
    assertAlmostEquals(alpha, 0.7, 0.03);
  }
});

Deno.test("a calibrated draft has no calibration error, one too sure has what it is too sure by", () => {
  const exact = planted((position) => (position % 10 + 0.5) / 10, "drawn").flatMap(betsOf);
  assertAlmostEquals(calibrate(exact)!.error, 0, 1e-9);
  const sure = planted(() => 0.5, "chosen").flatMap(betsOf);
  const { error, bins } = calibrate(sure)!;
  assertAlmostEquals(error, 0.2, 0.02);
  assertEquals(bins.length, 1);
  assert(calibrate([]) === null);
});
