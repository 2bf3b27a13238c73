import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Condition, conditionKey } from "../../lib/study/conditions.ts";
import { plan, type Stage } from "../../lib/study/plan.ts";
import { presetPrompts } from "../../lib/study/preset_prompts.ts";
import { preset } from "../../lib/study/presets.ts";
import { nextProcess } from "../../lib/study/resume.ts";
import type { Shard } from "../../lib/study/shard.ts";
import { PROMPTS, tableSubject } from "./tables.ts";

const quick = preset("quick", "smollm2-135m-instruct");
const stagesOf = (process: number) => plan(quick, PROMPTS, { process, threads: 2 });

/** Visits of each condition: prompt, place in its block, and which arm runs first. */
function visitsOf(stages: readonly Stage[]) {
  const visits = stages.flatMap(({ blocks }) =>
    blocks.flatMap(({ prompt, pairs }) =>
      pairs.map(({ condition, first }, place) => ({ condition, prompt, place, first }))
    )
  );
  return Object.values(Object.groupBy(visits, (visit) => JSON.stringify(visit.condition)))
    .map((group) => group!);
}

const spread = (counts: number[]) => Math.max(...counts) - Math.min(...counts);

Deno.test("quick visits three tasks with every controlled cell and all prompts with real drafts", () => {
  for (const process of [1, 2, 3, 12]) {
    const cells = visitsOf(stagesOf(process));
    assertEquals(cells.length, 3 * 12 + 3 + 1);
    for (const visits of cells) {
      const controlled = visits[0]!.condition.draft.draft === "replay";
      assertEquals(new Set(visits.map(({ prompt }) => prompt.id)).size, controlled ? 3 : 12);
      assertEquals(new Set(visits.map(({ prompt }) => prompt.task)).size, controlled ? 3 : 6);
    }
  }
});

Deno.test("over the processes, a controlled cell meets every prompt equally often", () => {
  const cells = visitsOf(Array.from({ length: 12 }, (_, i) => stagesOf(i + 1)).flat());
  for (const visits of cells) {
    const counts = PROMPTS.map(({ id }) => visits.filter(({ prompt }) => prompt.id === id).length);
    assertEquals(spread(counts), 0);
  }
});

Deno.test("conditions take every place in a block, and each arm is first, equally often", () => {
  for (const { blocks } of stagesOf(1)) {
    const places = blocks[0]!.pairs.length;
    for (const visits of visitsOf([{ precision: "fp32", blocks }])) {
      assertLessOrEqual(
        spread(
          ["plain", "speculative"].map((arm) => visits.filter(({ first }) => first === arm).length),
        ),
        1,
      );
      if (visits.length < 12) continue;
      const counts = Array.from(
        { length: places },
        (_, place) => visits.filter((visit) => visit.place === place).length,
      );
      assertLessOrEqual(spread(counts), 1);
    }
  }
});

Deno.test("a plan is the same every time, and no pair of it is there twice", () => {
  assertEquals(stagesOf(3), stagesOf(3));
  const pairs = [1, 2, 3].flatMap((process) =>
    stagesOf(process).flatMap(({ blocks }) => blocks.flatMap((block) => block.pairs))
  );
  assertEquals(new Set(pairs.map(({ pair }) => pair)).size, pairs.length);
});

Deno.test("quick fits into five minutes at the costs it was planned for", () => {
  const stages = stagesOf(1);
  const pairs = stages.flatMap(({ blocks }) => blocks.flatMap((block) => block.pairs));
  const seconds = pairs.reduce((sum, { weight }) => sum + weight, 0);
  const recording = PROMPTS.length * quick.maxTokens * (0.025 + 0.012 + 0.010);
  const prefill = PROMPTS.length * 4 * 0.4;
  assertLessOrEqual(seconds + recording + prefill, 300);
});

/** The study of contexts, with bytes for tokens. */
const study = { ...preset("context", "table"), contexts: [2048, 4096], promptsPerCell: 3 };
const documents = await presetPrompts(study, () => Promise.resolve(tableSubject("table", "int8")));
const ofContexts = (process: number, shard?: Shard) =>
  plan(study, documents, { process, threads: 2, ...(shard && { shard }) });

Deno.test("in one process the context preset reads one text at every context, then another", () => {
  const texts = [1, 2, 3, 4].map((process) => {
    const read = ofContexts(process).map(({ blocks }) => blocks.map(({ prompt }) => prompt));
    for (const prompts of read) {
      assertEquals(prompts, read[0]);
      assertEquals(new Set(prompts.map(({ id }) => id)).size, 1);
      assertEquals(new Set(prompts.map(({ text }) => text.length)).size, 3);
      prompts.slice(1).forEach(({ text }, i) => assert(text.length > prompts[i]!.text.length));
    }
    return read[0]![0]!.id;
  });
  assertEquals(new Set(texts).size, 3);
  assertEquals(texts[3], texts[0]);
});

Deno.test("every condition of the context preset visits every context once", () => {
  for (const { blocks } of ofContexts(2)) {
    for (const { pairs } of blocks) {
      assertEquals(new Set(pairs.map(({ condition }) => condition)).size, 3 * 3 + 1);
    }
  }
});

Deno.test("the context preset's processes share no pair, and its shards make it whole", () => {
  const pairsOf = (stages: readonly Stage[]) =>
    stages.flatMap(({ blocks }) => blocks.flatMap(({ pairs }) => pairs.map(({ pair }) => pair)));
  const all = [1, 2, 3, 4].flatMap((process) => pairsOf(ofContexts(process)));
  assertEquals([all.length, new Set(all).size], [4 * 90, 4 * 90]);
  const parts = [1, 2, 3].flatMap((index) => pairsOf(ofContexts(1, { index, count: 3 })));
  assertEquals(parts.sort(), pairsOf(ofContexts(1)).sort());
  const done = [1, 2].flatMap((process) => ofContexts(process)).flatMap(({ blocks }) =>
    blocks.flatMap((b) => b.pairs)
  );
  assertEquals(nextProcess(study, documents, { threads: 2 }, done), 3);
  assertEquals(nextProcess(study, documents, { threads: 2 }, done.slice(1)), 1);
});

Deno.test("keys of conditions do not change between versions", () => {
  const condition: Condition = {
    model: "smollm2-135m-instruct",
    precision: "fp32",
    exact: false,
    threads: 2,
    draft: { draft: "replay", acceptance: 0.7 },
    draftLength: 4,
    maxTokens: 48,
    temperature: 0,
    topK: 0,
    topP: 1,
    seed: 1,
  };
  assertEquals(conditionKey(condition, "abc"), "7a1c78968b55");
  const reordered = Object.fromEntries(Object.entries(condition).reverse()) as unknown as Condition;
  assertEquals(conditionKey(reordered, "abc"), conditionKey(condition, "abc"));
  const ngram = { ...condition, draft: { draft: "ngram" as const } };
  assertEquals(conditionKey(ngram, "abc"), "32d4fe30b2ac");
  for (const change of [{ seed: 2 }, { draft: { draft: "prompt-lookup" as const } }]) {
    assert(conditionKey({ ...condition, ...change }, "abc") !== conditionKey(condition, "abc"));
  }
});
