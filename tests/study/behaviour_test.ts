import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import {
  confidence,
  fixed,
  type LanguageModel,
  modelDrafter,
  onlineNgram,
  promptLookup,
  speculate,
  tableModel,
} from "@specbound/specbound";
import {
  type BehaviourPreset,
  behaviourPreset,
  planTraces,
  type TraceDraft,
} from "../../lib/study/behaviour_plan.ts";
import { type BehaviourOptions, sweepBehaviour } from "../../lib/study/behaviour_sweep.ts";
import { replayTrace } from "../../lib/study/trace.ts";
import { packTrace, TRACE_COLUMNS, unpackTrace } from "../../lib/study/trace_records.ts";
import { openTraces, readTraces, type TraceStore } from "../../lib/study/trace_store.ts";
import { messagesOf } from "../../lib/study/workload.ts";
import { type loadTable, PROMPTS, PROVENANCE, tableSubject } from "./tables.ts";

const DRAFTS: readonly TraceDraft[] = [
  { draft: "prompt-lookup" },
  { draft: "ngram" },
  { draft: "model", draftModel: "table", draftPrecision: "int4" },
];
const SMALL: BehaviourPreset = {
  ...behaviourPreset("quick"),
  precisions: ["fp32", "int4"],
  maxTokens: 24,
  longest: 6,
};
const prompts = PROMPTS.slice(0, 3);
const stages = planTraces(SMALL, prompts, { model: "table", drafts: DRAFTS });
/** fp32 has three drafts, int4 two, as the third is itself; greedy and T = 1. */
const TOTAL = 3 * 2 * (3 + 2);

/** Text of few kinds of tokens, so that tables of n-grams find something. */
function tableOf(precision: string): LanguageModel {
  return tableModel({ vocabularySize: 256, seed: precision, order: 1, spread: 6 });
}

const load: typeof loadTable = (id, { precision }) =>
  Promise.resolve(tableSubject(id, precision, tableOf(precision)));

function record(store: TraceStore, options: Partial<BehaviourOptions> = {}) {
  return sweepBehaviour(stages, { load, store, provenance: PROVENANCE, threads: 1, ...options });
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await use(folder);
  await Deno.remove(folder, { recursive: true });
}

function withTraces(use: (store: TraceStore, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await using store = await openTraces(folder);
    await use(store, folder);
  });
}

/** Records everything in a folder, and closes it. */
async function fill(folder: string): Promise<void> {
  await using store = await openTraces(folder);
  await record(store);
}

Deno.test("sweepBehaviour() records every trace once, a file a target and draft", () =>
  withTraces(async (store, folder) => {
    assertEquals(await record(store), { ran: TOTAL, left: 0 });
    assertEquals(new Set(store.traces.map(({ key }) => key)).size, TOTAL);
    assertEquals(await record(store), { ran: 0, left: 0 });
    const read = await readTraces(folder);
    const keys = (traces: typeof read) => traces.map(({ key }) => key).sort();
    assertEquals(keys(read), keys([...store.traces]));
    const files = ["fp32/ngram", "fp32/prompt-lookup", "fp32/table-int4"]
      .concat("int4/ngram", "int4/prompt-lookup");
    for (const file of files) await Deno.stat(`${folder}/table-${file}.csv`);
  }));

Deno.test("a prompt is sampled once with each seed, and greedily once", () => {
  const plan = (seeds: number[]) =>
    planTraces({ ...SMALL, seeds }, prompts, { model: "table", drafts: DRAFTS })
      .flatMap(({ blocks }) => blocks.flatMap(({ traces }) => traces));
  const [one, three] = [plan([1]), plan([1, 2, 3])];
  assertEquals(three.length, TOTAL / 2 + 3 * TOTAL / 2);
  assertEquals(new Set(three.map(({ key }) => key)).size, three.length);
  const keys = new Set(three.map(({ key }) => key));
  assert(one.every(({ key }) => keys.has(key)), "what is on record is not recorded again");
  assert(three.every(({ temperature, seed }) => temperature > 0 || seed === 1));
});

Deno.test("texts of two seeds differ, those of one seed are the same for every draft", () =>
  withTraces(async (store) => {
    const preset = { ...SMALL, temperatures: [1], seeds: [1, 2] };
    const plan = planTraces(preset, prompts, { model: "table", drafts: DRAFTS });
    await sweepBehaviour(plan, { load, store, provenance: PROVENANCE, threads: 1 });
    const texts = Map.groupBy(
      store.traces,
      ({ precision, prompt, seed }) => `${precision} ${prompt} ${seed}`,
    );
    assertEquals(texts.size, 2 * prompts.length * 2);
    const distinct = [...texts.values()].map((same) =>
      new Set(same.map(({ tokens }) => `${tokens}`))
    );
    for (const one of distinct) assertEquals(one.size, 1);
    assertEquals(new Set(distinct.flatMap((one) => [...one])).size, texts.size);
  }));

Deno.test("an aborted recording keeps whole traces, and the next one records the rest", () =>
  withTraces(async (store) => {
    const interruption = new AbortController();
    const stopped = await record(store, {
      signal: interruption.signal,
      onProgress: ({ done }) => done === 4 && interruption.abort(),
    });
    assertEquals([stopped, store.traces.length], [{ ran: 4, left: TOTAL - 4 }, 4]);
    assertEquals(await record(store), { ran: TOTAL - 4, left: 0 });
  }));

Deno.test("a line that a killed writer left torn is dropped, and its trace recorded again", () =>
  withFolder(async (folder) => {
    await fill(folder);
    const path = `${folder}/table-fp32/ngram.csv`;
    const whole = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, whole.slice(0, -20));
    await using reopened = await openTraces(folder);
    assertEquals([reopened.repaired, reopened.traces.length], [1, TOTAL - 1]);
    assertEquals(await record(reopened), { ran: 1, left: 0 });
  }));

Deno.test("two recordings of one plan hold the same traces", () =>
  withTraces((first) =>
    withTraces(async (second) => {
      await record(first);
      await record(second);
      const packed = ({ traces }: TraceStore) =>
        traces.map(({ key, tokens, drafts }) => [key, tokens, drafts]);
      assertEquals(packed(first), packed(second));
    })
  ));

Deno.test("a stored greedy trace gives the counts of live runs, thresholds in hundredths included", () =>
  withTraces(async (store) => {
    await record(store);
    const greedy = store.traces.filter(({ temperature }) => temperature === 0);
    assertGreater(greedy.length, 0);
    for (const row of greedy) {
      const prompt = prompts.find(({ id }) => id === row.prompt)!;
      const { encode, endOfText } = tableSubject("table", "fp32");
      for (const policy of [fixed(1), fixed(4), fixed(6), ...[0.02, 0.29, 0.57].map(thresholdOf)]) {
        const drafter = row.draft === "model"
          ? modelDrafter(tableOf("int4"))
          : row.draft === "ngram"
          ? onlineNgram()
          : promptLookup();
        const options = { maxTokens: row.maxTokens, endOfText, seed: 1, policy };
        const target = tableOf(row.precision).open();
        const live = [];
        for await (const round of speculate(target, drafter, encode(messagesOf(prompt)), options)) {
          live.push([round.drafted.length, round.tested, round.accepted, round.emitted.length]);
        }
        const replayed = replayTrace(unpackTrace(row), { policy, seed: 1 })
          .map(({ drafted, tested, accepted, emitted }) => [drafted, tested, accepted, emitted]);
        assertEquals(replayed, live, `${row.draft} ${policy.name}`);
      }
    }
  }));

function thresholdOf(threshold: number) {
  return confidence({ threshold, draftLength: 6 });
}

Deno.test("every confidence is stored so that each threshold in hundredths decides as before", () => {
  for (let hundredth = 0; hundredth < 100; hundredth++) {
    for (
      const confidence of [hundredth / 100, hundredth / 100 + 1e-12, (hundredth + 1) / 100 - 1e-12]
    ) {
      const draft = { offered: 2, right: 0, confidences: [confidence] };
      const traced = { tokens: [7], stop: "length", maxTokens: 1, longest: 2 } as const;
      const trace = unpackTrace(packTrace({ choice: "chosen", ...traced, drafts: [draft] }));
      assert(trace.choice === "chosen");
      const stored = trace.drafts[0]!.confidences[0]!;
      for (let threshold = 0; threshold < 100; threshold++) {
        assertEquals(stored >= threshold / 100, confidence >= threshold / 100);
      }
    }
  }
});

Deno.test("a drawn trace is stored with what a head's further tokens have for chances, if any", () => {
  const draft = { chance: 0.973, overlap: 0.981, confidence: 0.45, acceptance: 1 };
  const traced = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 4 } as const;
  const drafts = [{ ...draft, further: [0.5, 1] }, { ...draft, further: [0.002] }, draft];
  const packed = packTrace({ choice: "drawn", ...traced, drafts });
  assertEquals(TRACE_COLUMNS.drafts.read(packed.drafts), packed.drafts);
  assertEquals(unpackTrace(packed).drafts, drafts);
});

Deno.test("a malformed trace is refused, and so is another version", async () => {
  const { drafts, tokens } = TRACE_COLUMNS;
  for (const cell of ["1/3:9829 0/0", "973/981/450/1000", "0/16"]) {
    assertEquals(drafts.read(cell), cell);
  }
  for (const cell of ["", "1", "1/3:982", "1/3 973/981/450/1000", "1/2/3/4:", "a/b"]) {
    assertEquals(drafts.read(cell), undefined);
  }
  assertEquals([tokens.read("1 2"), tokens.read("1,2")], ["1 2", undefined]);
  await withFolder(async (folder) => {
    await fill(folder);
    const path = `${folder}/table-fp32/ngram.csv`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(/\n1,/g, "\n99,"));
    await assertRejects(() => openTraces(folder), Error, "its schema is 99");
    await Deno.writeTextFile(path, text);
    await using reopened = await openTraces(folder);
    assertEquals(reopened.traces.length, TOTAL);
  });
});
