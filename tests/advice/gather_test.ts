import { assert, assertEquals, assertThrows } from "@std/assert";
import { advise } from "../../lib/advice/advise.ts";
import { AdviceError, type AdviceWork, gather, hasCosts } from "../../lib/advice/gather.ts";
import { policyOf } from "../../lib/advice/policy.ts";
import type { CostRecord } from "../../lib/study/cost_records.ts";
import type { TraceRecord } from "../../lib/study/trace_records.ts";
import { stream } from "../../lib/random.ts";
import { plantedTraces } from "../analysis/planted_machine.ts";
import { pricedCosts } from "./priced_costs.ts";

const WORK: AdviceWork = {
  model: "table",
  threads: 1,
  exact: false,
  temperature: 0,
  maxTokens: 40,
  batch: 1,
};
const [traces, costs] = [await plantedTraces(), await pricedCosts()];

Deno.test("every precision is gathered with its drafts, on the prompts that all of them have", () => {
  const evidence = gather(WORK, traces, costs);
  assertEquals(evidence.map(({ precision }) => precision), ["fp32", "int4", "int8"]);
  const [fp32, int4] = evidence.map(({ drafts }) => drafts.map(({ draft }) => draft));
  assertEquals([fp32!.includes("model"), int4!.includes("model")], [true, false]); // never for itself
  for (const { prompts, drafts, contexts } of evidence) {
    assertEquals(contexts, [16, 4096]);
    for (const { traces } of drafts) {
      assertEquals(
        [...traces.keys()],
        prompts.map(({ hash }) => hash),
      );
    }
  }
});

Deno.test("a prompt that one draft lacks is left out, and so is a draft that lacks most", () => {
  const int8 = (trace: TraceRecord) => trace.precision === "int8" && trace.temperature === 0;
  const table = (trace: TraceRecord) => int8(trace) && trace.draft === "prompt-lookup";
  const of = (kept: readonly TraceRecord[]) =>
    gather({ ...WORK, precision: "int8" }, kept, costs)[0]!;
  const all = of(traces).prompts.length;
  const first = traces.find(table)!;
  assertEquals(of(traces.filter((trace) => trace !== first)).prompts.length, all - 1);
  const alone = of(traces.filter((trace) => !table(trace) || trace === first));
  assertEquals(alone.prompts.length, all);
  assert(alone.drafts.every(({ draft }) => draft !== "prompt-lookup"));
});

Deno.test("a draft that was not timed as far as the work goes keeps no other from going there", () => {
  const short = costs.filter(({ precision, context }) => precision !== "int4" || context <= 1024);
  const of = (context?: number) =>
    gather({ ...WORK, precision: "fp32", ...context && { context } }, traces, short)[0]!;
  const models = (context?: number) => of(context).drafts.filter(({ draft }) => draft === "model");
  assertEquals([models().length, of().contexts], [1, [16, 1024]]);
  assertEquals([models(1024).length, of(1024).contexts], [1, [16, 1024]]);
  assertEquals([models(2048).length, of(2048).contexts], [0, [16, 4096]]);
});

Deno.test("disturbed costs are gone by only where there are no others, and that is told", () => {
  const rough = costs.map((row) => ({ ...row, disturbed: true, ms: row.ms! * 9 }));
  const of = (rows: readonly CostRecord[]) =>
    gather({ ...WORK, precision: "fp32" }, traces, rows)[0]!;
  assertEquals([of(rough).disturbed, of(costs).disturbed], [true, false]);
  const ms = (rows: readonly CostRecord[]) =>
    of(rows).drafts[0]!.costs.target.pass.time(1, 1024).ms;
  assertEquals(ms([...rough, ...costs]), ms(costs));
});

Deno.test("a target has costs in the precision and batch that they were measured in, if often enough", () => {
  const int8 = costs.filter(({ precision }) => precision === "int8");
  assert(hasCosts(WORK, int8) && hasCosts({ ...WORK, precision: "int8" }, int8));
  assert(!hasCosts({ ...WORK, precision: "fp32" }, int8) && !hasCosts({ ...WORK, batch: 2 }, int8));
  assert(!hasCosts(WORK, int8.map((row) => ({ ...row, visits: 1, lowMs: null, highMs: null }))));
});

Deno.test("the order of rows changes no advice", () => {
  const shuffle = <T>(rows: readonly T[], seed: number) => {
    const random = stream(seed, "order");
    return rows.map((row) => [random(), row] as const).toSorted(([a], [b]) => a - b)
      .map(([, row]) => row);
  };
  const answer = (traces: readonly TraceRecord[], costs: readonly CostRecord[]) => {
    const policy = policyOf(advise(WORK, gather(WORK, traces, costs)), "here");
    const rounded = (_: string, value: unknown) =>
      typeof value === "number" ? Number(value.toPrecision(9)) : value;
    return JSON.stringify(policy, rounded);
  };
  const before = answer(traces, costs);
  for (const seed of [1, 2, 3]) {
    assertEquals(answer(shuffle(traces, seed), shuffle(costs, seed)), before);
  }
});

Deno.test("what is not on record is said, with the way out", () => {
  const refuse = (work: Partial<AdviceWork>, reason: string) => {
    const { message } = assertThrows(
      () => gather({ ...WORK, ...work }, traces, costs),
      AdviceError,
    );
    assert(message.startsWith(`Cannot advise on ${work.model ?? "table"} as ${reason}`), message);
  };
  refuse({ model: "other" }, "no trace is of it: give your own prompts with --prompts FILE");
  refuse({ temperature: 0.7 }, "no trace is at temperature 0.7: give");
  refuse({ precision: "fp32", task: "maths", temperature: 9 }, "no trace is at temperature 9");
  refuse({ threads: 3 }, "costs of it with threads 3 and B = 1 are not on record");
  refuse({ batch: 8 }, "costs of it with threads 1 and B = 8 are not on record");
});
