import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  nextValidation,
  planValidation,
  VALIDATION_LEVELS,
  validationCells,
  type ValidationDesign,
} from "../../lib/study/validation_plan.ts";
import { PROMPTS } from "./tables.ts";

const DESIGN: ValidationDesign = {
  ...VALIDATION_LEVELS,
  model: "m",
  drafts: [
    { draft: "prompt-lookup" },
    { draft: "model", draftModel: "m", draftPrecision: "int4" },
  ],
  prompts: [PROMPTS.slice(0, 6), PROMPTS.slice(6, 8), PROMPTS.slice(8, 10)],
};
const pairsOf = (process: number) =>
  planValidation(DESIGN, { process, threads: 2 })
    .flatMap(({ blocks }) => blocks.flatMap(({ pairs }) => pairs));

Deno.test("the design has 60 cells, with every corner of precision, context, draft and draft length", () => {
  const cells = validationCells(DESIGN, { threads: 2 });
  assertEquals(cells.length, 15 * 4); // int4 does not draft for itself
  const corners = new Set(
    cells.filter(({ condition }) => condition.temperature === 0).map(({ condition, prompt }) => {
      const context = DESIGN.prompts.findIndex((prompts) => prompts.includes(prompt));
      return [condition.precision, context, condition.draft.draft, condition.draftLength].join();
    }),
  );
  assertEquals(corners.size, 15 * 3);
  const sampled = cells.filter(({ condition }) => condition.temperature > 0);
  for (const [name, levels] of [["temperature", 3], ["draftLength", 3]] as const) {
    assertEquals(new Set(sampled.map(({ condition }) => condition[name])).size, levels);
  }
});

Deno.test("draft lengths and temperatures meet on several prompts of each context", () => {
  const cells = validationCells(DESIGN, { threads: 2 });
  for (const prompts of DESIGN.prompts) {
    const here = cells.filter(({ prompt }) => prompts.includes(prompt));
    const groups = Map.groupBy(
      here,
      ({ condition: { draftLength, temperature } }) =>
        temperature > 0 ? "sampled" : `K ${draftLength}`,
    );
    for (const [group, same] of groups) {
      assertGreater(new Set(same.map(({ prompt }) => prompt.id)).size, 1, group);
    }
  }
});

Deno.test("a cell has three pairs in every process, of other seeds where it samples", () => {
  const [one, two] = [pairsOf(1), pairsOf(2)];
  assertEquals(one.length, (45 + 15) * 3 + 3 * 6);
  assertEquals(new Set([...one, ...two].map(({ pair }) => pair)).size, 2 * one.length);
  const greedy = (pairs: typeof one) =>
    pairs.filter(({ condition }) => condition.temperature === 0).map(({ key }) => key).sort();
  assertEquals(greedy(one), greedy(two));
  const seeds = (pairs: typeof one) =>
    new Set(
      pairs.filter(({ condition }) => condition.temperature > 0).map((p) => p.condition.seed),
    );
  assertEquals(seeds(one).isDisjointFrom(seeds(two)), true);
});

Deno.test("each arm runs first as often as the other, and in the other order in the next process", () => {
  const [one, two] = [pairsOf(1), pairsOf(2)];
  const plain = one.filter(({ first }) => first === "plain").length;
  assert(Math.abs(plain - one.length / 2) <= one.length / 10, `${plain} of ${one.length}`);
  for (const { key, repeat, first, condition } of one) {
    if (condition.temperature > 0) continue;
    assert(two.find((pair) => pair.key === key && pair.repeat === repeat)!.first !== first);
  }
});

Deno.test("fewer cells are spread evenly over all factors, and are among more", () => {
  const drafts = [...DESIGN.drafts, { draft: "ngram" as const }];
  const cellsOf = (cells: number) =>
    validationCells({ ...DESIGN, drafts, cells }, { threads: 2 }).map(({ condition, prompt }) => {
      const { precision, draft, draftLength, temperature } = condition;
      const context = DESIGN.prompts.findIndex((prompts) => prompts.includes(prompt));
      const level = temperature > 0 ? "sampled" : `K ${draftLength}`;
      return [`${precision} ${context} ${draft.draft}`, precision, level].map(String);
    });
  const [few, some] = [cellsOf(48), cellsOf(72)];
  assertEquals([few.length, some.length, cellsOf(1000).length], [48, 72, 24 * 4]);
  const names = (cells: string[][]) => new Set(cells.map(String));
  assert(names(few).isSubsetOf(names(some)));
  assertEquals(new Set(few.map(([combination]) => combination)).size, 24);
  for (const [name, level, total] of [["precision", 1, 48], ["draft length", 2, 48]] as const) {
    const groups = Map.groupBy(few, (cell) => cell[level]);
    for (const [value, same] of groups) {
      const share = cellsOf(1000).filter((cell) => cell[level] === value).length / 96;
      assert(Math.abs(same.length - share * total) <= 2, `${name} ${value}: ${same.length}`);
    }
  }
});

Deno.test("null pairs stand on every short prompt in every precision", () => {
  const nulls = pairsOf(1).filter(({ condition }) => condition.draftLength === 0);
  assertEquals(nulls.length, 3 * 6);
});

Deno.test("a finished process makes the next one due, an unfinished one does not", () => {
  const done = pairsOf(1);
  assertEquals(nextValidation(DESIGN, { threads: 2 }, done), 2);
  assertEquals(nextValidation(DESIGN, { threads: 2 }, done.slice(1)), 1);
});
