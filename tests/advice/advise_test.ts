import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertThrows,
} from "@std/assert";
import { advise } from "../../lib/advice/advise.ts";
import { AdviceError, gather } from "../../lib/advice/gather.ts";
import { holdOutAdvice } from "../../lib/advice/held_out.ts";
import { estimateReply, scoreUse } from "../../lib/advice/score.ts";
import { useDraft } from "../../lib/advice/use.ts";
import { fitCosts } from "../../lib/analysis/cost_model.ts";
import { geometricMean } from "../../lib/analysis/statistics.ts";
import { predictTrace } from "../../lib/analysis/validation_prediction.ts";
import { stream } from "../../lib/random.ts";
import { layer, plantedAdvice, plantedEvidence, WORK } from "./planted.ts";

const PLACE = { context: 237, batch: 1 };

Deno.test("a free draft that is always right is advised, at the longest K, everywhere", () => {
  const { verdict, use, reply, bands } = plantedAdvice({ alphas: { perfect: () => 1 } });
  assertEquals([verdict, use.draftLength, use.alpha], ["yes", 16, 1]);
  assertGreater(reply.low!, 15);
  assertEquals(new Set(bands.map(({ draftLength }) => draftLength)), new Set([16]));
  assertEquals([bands[0]!.from, bands.at(-1)!.to], [0, 4096]);
});

Deno.test("a draft that is never right is advised against, and K is 0 everywhere", () => {
  const useless = { alphas: { useless: () => 0 }, target: layer((width) => 18 + 2 * width) };
  const { verdict, reply, bands, regret, tokenMs, plainMs, use } = plantedAdvice(useless);
  assertEquals([verdict, use.alpha], ["no", 0]);
  assertLess(reply.high!, 1);
  assert(bands.every(({ draftLength }) => draftLength === 0));
  assertEquals(tokenMs, plainMs);
  assertGreater(regret!.low!, 0.3);
});

Deno.test("prompts longer than costs were measured at are refused with their length", () => {
  const pass = fitCosts(
    [1, 5, 17].map((width) => ({ width, context: 64, batch: 1, ms: 20, error: 0.01 })),
  );
  const target = { ...layer(() => 20), pass };
  const evidence = {
    ...plantedEvidence({ alphas: { some: () => 0.7 }, target }),
    contexts: [64, 64] as const,
  };
  const { context: _, ...usual } = WORK;
  assertThrows(
    () => advise(usual, [evidence]),
    AdviceError,
    "costs at a context of 100 are not on record (64 to 64 are)",
  );
});

Deno.test("of two drafts the one that is right more often is taken, and the other is shown", () => {
  const { use, alternatives } = plantedAdvice({ alphas: { bad: () => 0.3, good: () => 0.8 } });
  assertAlmostEquals(use.alpha!, 0.8, 0.05);
  assertEquals(alternatives.length, 1);
  assertAlmostEquals(alternatives[0]!.choice.use.alpha!, 0.3, 0.05);
});

Deno.test("where checking grows dearer with context, K shrinks further out, and ends off", () => {
  const { bands } = plantedAdvice({
    alphas: { some: () => 0.7 },
    target: layer((width, context) => 20 + (width - 1) * (0.5 + context / 200)),
  });
  const lengths = bands.map(({ draftLength }) => draftLength);
  assertGreater(lengths[0]!, 3);
  assertEquals(lengths, lengths.toSorted((a, b) => b - a));
  assertEquals(lengths.at(-1), 0);
  const thresholds = bands.filter(({ draftLength }) => draftLength > 0);
  for (const { threshold } of thresholds) assert(0 < threshold && threshold < 0.7);
});

Deno.test("a draft model that must read a long prompt pays for that in replies, not in decoding", () => {
  const model = { alphas: { model: () => 0.7 }, draft: layer(() => 2), readingMs: 300 };
  const short = plantedAdvice(model, { context: 100 });
  const long = plantedAdvice(model, { context: 3000 });
  assertEquals([short.verdict, long.verdict], ["yes", "no"]);
  assertGreater(long.speedup.low!, 1);
  assertAlmostEquals(long.firstTokenMs, 300 * 3000 / 128, 1e-6);
});

Deno.test("slack turns a risk within it into a yes, and no gain into nothing", () => {
  const risky = { alphas: { some: (prompt: number) => prompt % 2 ? 0.65 : 0.25 } };
  const target = layer((width) => 14 + 6 * width);
  const strict = plantedAdvice({ ...risky, target });
  assertEquals(strict.verdict, "undecided");
  const slack = 1.0001 - strict.reply.low!;
  assertEquals(plantedAdvice({ ...risky, target }, {}, { slack }).verdict, "yes");
  const losing = { alphas: { bad: () => 0.05 }, target };
  assert(plantedAdvice(losing, {}, { slack: 1 }).verdict !== "yes");
});

Deno.test("one prompt leaves no interval, so it is never a yes", () => {
  const { verdict, reply } = plantedAdvice({ alphas: { perfect: () => 1 }, prompts: 1 });
  assertEquals([verdict, reply.low], ["undecided", null]);
});

Deno.test("no K is better than the chosen one on the data it was chosen from, but for ties", () => {
  for (const alpha of [0.2, 0.5, 0.8]) {
    const planted = { alphas: { some: () => alpha }, target: layer((width) => 17 + 3 * width) };
    const { use, reply, regret, verdict } = plantedAdvice(planted);
    const { prompts } = plantedEvidence(planted);
    for (let draftLength = 1; draftLength <= 16; draftLength++) {
      const other = estimateReply(useDraft(use.draft, prompts, draftLength, WORK), PLACE)!;
      assertGreaterOrEqual(reply.estimate * 1.0101, other);
    }
    assertGreaterOrEqual(regret!.estimate, verdict === "yes" ? -0.01 : reply.estimate ** -1 - 1);
  }
});

Deno.test("S is the geometric mean of what is predicted of each trace", () => {
  const target = layer((width) => 17 + 3 * width);
  for (const draft of [undefined, layer((width) => 1 + width)]) {
    const { prompts, drafts } = plantedEvidence({
      alphas: { some: (i) => 0.3 + i / 20 },
      target,
      ...(draft && { draft }),
    });
    const use = useDraft(drafts[0]!, prompts, 5, WORK);
    const predicted = prompts.map(({ hash }) =>
      predictTrace(
        drafts[0]!.traces.get(hash)!,
        { target, draft: draft ?? null },
        { draftLength: 5, context: 100, maxTokens: 273 },
      )!
    );
    const { speedup } = scoreUse(use, PLACE);
    assertAlmostEquals(speedup.estimate, geometricMean(predicted), 1e-9);
  }
});

Deno.test("in a batch, rows wait for the longest draft", () => {
  const shy = plantedEvidence({
    alphas: { some: () => 0.7 },
    target: layer((width) => 10 + 10 * width),
  });
  const [draft] = shy.drafts;
  const offersOne = new Map([...draft!.traces].map(([hash, trace]) => {
    const drafts = trace.choice === "chosen" ? trace.drafts : [];
    return [hash, {
      ...trace,
      choice: "chosen" as const,
      drafts: drafts.map((one) => ({ ...one, offered: 1, right: Math.min(1, one.right) })),
    }];
  }));
  const at = (batch: number, draftLength: number) => {
    const use = useDraft({ ...draft!, traces: offersOne }, shy.prompts, draftLength, {
      ...WORK,
      batch,
    });
    return estimateReply(use, PLACE)!;
  };
  assertAlmostEquals(at(1, 1), at(1, 8), 1e-9);
  assertLess(at(2, 8), at(2, 1) / 2);
});

Deno.test("the interval covers the truth in about 95 of 100 studies with planted errors", () => {
  const error = 0.05;
  const alphaOf = (random: () => number) => 0.3 + 0.5 * random();
  const trueTarget = layer((width) => 17 + 3 * width, 0);
  const many = stream(0, "population");
  const population = plantedEvidence({
    alphas: { some: () => alphaOf(many) },
    target: trueTarget,
    prompts: 1000,
    seed: "population",
  });
  const truth = estimateReply(useDraft(population.drafts[0]!, population.prompts, 4, WORK), PLACE)!;
  let covered = 0;
  for (let study = 0; study < 200; study++) {
    const random = stream(study, "study");
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const factors = Array.from({ length: 18 }, () => Math.exp(error * normal()));
    const { drafts, prompts } = plantedEvidence({
      alphas: { some: () => alphaOf(random) },
      target: layer((width) => (17 + 3 * width) * factors[width]!, error),
      seed: study,
    });
    const { reply } = scoreUse(useDraft(drafts[0]!, prompts, 4, WORK), PLACE, {
      draws: 200,
      seed: study,
    });
    if (reply.low! <= truth && truth <= reply.high!) covered++;
  }
  assertGreaterOrEqual(covered / 200, 0.91);
  assertLess(covered / 200, 0.995);
});

Deno.test("advice from half of the prompts holds on the other half, and never beats hindsight", () => {
  const evidence = plantedEvidence({
    alphas: { good: () => 0.7, bad: () => 0.2 },
    target: layer((width) => 17 + 3 * width),
    prompts: 40,
  });
  const halves = holdOutAdvice(WORK, [evidence]);
  assertEquals(halves.map(({ prompts, verdict }) => [prompts, verdict]), [[20, "yes"], [
    20,
    "yes",
  ]]);
  for (const { followed, best, usual, expected, had } of halves) {
    assert(followed <= best && usual! <= best);
    assertGreater(followed, 0.95 * best);
    assert(expected.low! < had && had < expected.high!);
  }
  const few = plantedEvidence({ alphas: { good: () => 0.7 }, prompts: 3 });
  assertThrows(() => holdOutAdvice(WORK, [few]), AdviceError, "fewer than 4");
});

Deno.test("advice refuses contexts without costs, and options out of range", () => {
  const perfect = { alphas: { perfect: () => 1 } };
  assertThrows(() => plantedAdvice(perfect, { context: 9000 }), AdviceError, "64 to 4096 are");
  assertThrows(() => plantedAdvice(perfect, { batch: 0 }), RangeError, "batch");
  assertThrows(() => plantedAdvice(perfect, {}, { slack: 2 }), RangeError, "slack");
  assertThrows(() => gather(WORK, [], []), AdviceError, "no trace is of it");
});
