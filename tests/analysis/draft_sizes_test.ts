// A family of drafts on a planted machine: rows of the target's own int4 weights under other names.
import { assert, assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { draftParameters } from "../../lib/analysis/draft_manifest.ts";
import { type DraftRows, type DraftSize, draftSizes } from "../../lib/analysis/draft_sizes.ts";
import { summarise } from "../../lib/analysis/summary.ts";
import { findShape, parameterCount } from "../../lib/models/shapes.ts";
import type { CostRecord } from "../../lib/study/cost_records.ts";
import { replayTrace } from "../../lib/study/trace.ts";
import { type TraceRecord, unpackTrace } from "../../lib/study/trace_records.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import { plantedCosts, plantedRecords, plantedTraces } from "./planted_machine.ts";

const rows: DraftRows = {
  costs: await plantedCosts(),
  traces: await plantedTraces(),
  records: await plantedRecords({ processes: 1 }),
};
const { architecture } = findShape("shape:smollm2-135m");
const shape = {
  ...{ layers: 2, hidden: 64, heads: 2, kv_heads: 1, head_size: 32, feed_forward: 192 },
  vocabulary: architecture.vocabularySize,
};
const manifest = {
  drafts: {
    cheap: { parameters: 3e6, shape },
    dear: { parameters: 6e6, shape },
    head: { parameters: 1e6, role: "feature", shape },
  },
};
const options = { target: { model: "table", architecture }, manifest, threads: 1 };
const K = { draftLengths: [1, 2, 4, 8] };

/** Traces of a draft that says what the target's int4 weights say, but offers less. */
const tracesOf = (name: string, change = (drafts: string) => drafts): TraceRecord[] =>
  rows.traces.filter(({ draft, temperature }) => draft === "model" && temperature === 0).map((
    row,
  ) => ({
    ...row,
    draftModel: `models/${name}.gguf`,
    drafts: change(row.drafts),
  }));

/** Costs of a model that takes a share of the time of int4. */
const costsOf = (model: string, share: number): CostRecord[] =>
  rows.costs.filter(({ precision }) => precision === "int4").map((row) => ({
    ...row,
    model,
    ms: row.ms! * share,
    lowMs: row.lowMs! * share,
    highMs: row.highMs! * share,
  }));

const family: DraftRows = {
  ...rows,
  costs: [
    ...rows.costs,
    ...costsOf("models/cheap.gguf", 0.1),
    ...costsOf("models/dear.gguf", 0.2),
    ...costsOf("models/dear.gguf#12288", 0.11),
  ],
  traces: [...rows.traces, ...tracesOf("cheap"), ...tracesOf("dear")],
};
const sizes = draftSizes(family, { ...options, ...K });
const find = (precision: string, name: string): DraftSize =>
  sizes.find((size) => size.precision === precision && size.name === name)!;

Deno.test("S of a free draft is its tokens over what its passes take, prompt by prompt", () => {
  const { lengths } = find("fp32", "prompt lookup");
  for (const { draftLength, prompts } of lengths) {
    for (const { prompt, ratio } of prompts) {
      const trace = unpackTrace(
        rows.traces.find((row) =>
          row.prompt === prompt && row.draft === "prompt-lookup" && row.precision === "fp32" &&
          row.temperature === 0
        )!,
      );
      const passes = replayTrace(trace, { policy: fixed(draftLength), seed: 1 })
        .reduce((sum, { drafted }) => sum + 1 + 0.2 * drafted, 0);
      assertAlmostEquals(ratio * passes / trace.tokens.length, 1, 0.005);
    }
  }
});

Deno.test("c is the ratio of passes, so a faster target makes the same draft dearer", () => {
  for (const [precision, pass] of [["fp32", 24], ["int8", 12]] as const) {
    const { c } = find(precision, "dear");
    assertAlmostEquals(c.estimate * pass / 1.2, 1, 0.005);
    assert(c.low < c.estimate && c.estimate < c.high);
  }
  assertEquals(find("fp32", "n-gram").c.estimate, 0);
});

Deno.test("of two drafts that say the same the cheaper is faster at every K", () => {
  for (const precision of ["fp32", "int8"]) {
    const [cheap, dear] = [find(precision, "cheap"), find(precision, "dear")];
    assertEquals(cheap.alpha, dear.alpha);
    assertEquals(cheap.places, dear.places);
    for (const [i, { tau, predicted }] of cheap.lengths.entries()) {
      assertEquals(tau, dear.lengths[i]!.tau);
      assertGreater(predicted.estimate, dear.lengths[i]!.predicted.estimate);
    }
  }
});

Deno.test("a predicted S has its own interval about it, wider than that of its costs alone", () => {
  for (const { best: { predicted: { estimate, low, high } } } of sizes) {
    assert(low! < estimate && estimate < high!);
    assertGreater(high! / low!, 1.002);
  }
});

Deno.test("the best K is that of the greatest S", () => {
  for (const { best, lengths } of sizes) {
    assert(lengths.every(({ predicted }) => predicted.estimate <= best.predicted.estimate));
  }
});

Deno.test("measured S is that of the pairs with the same draft and K", () => {
  const cells = summarise(rows.records)
    .filter(({ draft, temperature, policy }) =>
      draft !== "none" && temperature === 0 && policy.startsWith("fixed")
    );
  const shown = sizes.flatMap(({ lengths }) => lengths.flatMap(({ measured }) => measured ?? []));
  assertGreater(shown.length, 5);
  for (const { estimate } of shown) {
    assert(cells.some(({ speedup }) => speedup?.estimate === estimate));
  }
});

Deno.test("sizes are shares of the target, and what is borrowed of it counts as read, not as held", () => {
  const whole = parameterCount(architecture);
  assertEquals(find("fp32", "dear").ratio, 6e6 / whole);
  assertEquals(find("fp32", "own int4").ratio, 1);
  assertEquals(draftParameters(manifest.drafts.head), 1e6 + 49152 * 64);
  const named = (name: string) => {
    const traces = tracesOf(name);
    const costs = [...rows.costs, ...costsOf(`models/${name}.gguf`, 0.1)];
    return draftSizes({ ...rows, costs, traces }, { ...options, ...K })[0]!;
  };
  const [own, borrowed] = [named("cheap"), named("head")];
  // Beside int4 layers the head is int8: a byte, and a scale for 32.
  assertEquals(own.extraBytes.weights - borrowed.extraBytes.weights, 49152 * 64 * (1 + 4 / 32));
  assertEquals(own.extraBytes.keyValues, borrowed.extraBytes.keyValues);
  assertThrows(() => named("unknown"), RangeError, "names no such draft");
});

Deno.test("a drafted token splits into what grows with the vocabulary and what does not", () => {
  const { split } = find("fp32", "dear");
  // 1.2 ms with 49,152 tokens, 0.66 with 12,288: 0.72 of the first is the head's.
  assertAlmostEquals(split!.headMs, 0.72, 0.01);
  assertAlmostEquals(split!.layersMs, 0.48, 0.01);
  assertEquals(find("fp32", "cheap").split, null);
});

Deno.test("drafts of a target are judged on the prompts that all of them were traced on", () => {
  const one = family.traces.find(({ draft, precision }) =>
    draft === "ngram" && precision === "fp32"
  )!;
  const without = (share: number) =>
    draftSizes({
      ...family,
      traces: family.traces.filter((row) =>
        row.draftModel !== "models/dear.gguf" || row.precision !== "fp32" ||
        (share < 1 ? row.promptHash !== one.promptHash : false)
      ),
    }, { ...options, ...K }).filter(({ precision }) => precision === "fp32");
  const fewer = without(0.1);
  assertEquals(fewer.length, sizes.filter(({ precision }) => precision === "fp32").length);
  for (const { best } of fewer) {
    assertEquals(best.prompts.length, find("fp32", "dear").best.prompts.length - 1);
  }
  assert(without(1).every(({ name }) => name !== "dear"));
});

Deno.test("costs of older weights are forgotten", () => {
  const older = costsOf("models/cheap.gguf", 0.7).map((row) => ({ ...row, modelHash: "old" }));
  const again = draftSizes({ ...family, costs: [...older, ...family.costs] }, { ...options, ...K });
  assertEquals(again, sizes);
});
