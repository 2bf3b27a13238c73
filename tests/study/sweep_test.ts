import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { tableModel } from "@specbound/specbound";
import type { EnergyMeter } from "../../lib/study/energy/meter.ts";
import { nextProcess } from "../../lib/study/resume.ts";
import { openRecords, readRecords } from "../../lib/study/store.ts";
import { preset } from "../../lib/study/presets.ts";
import {
  loadTable,
  observed,
  PROMPTS,
  PROVENANCE,
  quiet,
  sized,
  tableSubject,
  temporaryRecords,
  tinyPlan,
  tinySweep,
} from "./tables.ts";

const total = tinyPlan().flatMap(({ blocks }) => blocks.flatMap(({ pairs }) => pairs)).length;

Deno.test("sweep() records every pair once, and speculation changes no token", async () => {
  await using store = await temporaryRecords();
  assertEquals(await tinySweep(store), { ran: total, left: 0 });
  const names = store.runs.map(({ pair, arm }) => `${pair} ${arm}`);
  assertEquals([names.length, new Set(names).size], [2 * total, 2 * total]);
  for (const run of store.runs) {
    assertEquals([run.status, run.equalsPlain], ["ok", run.arm === "plain" ? null : true]);
  }
  assertEquals(await tinySweep(store), { ran: 0, left: 0 });
});

Deno.test("a draft equal to its target is always right", async () => {
  await using store = await temporaryRecords();
  await tinySweep(store);
  const runs = store.runs.filter(({ draft }) => draft === "model");
  assertGreater(runs.length, 0);
  for (const run of runs) assertEquals(run.accepted, run.tested);
});

Deno.test("an n-gram table drafts in pairs, learns within each alone, and changes no token", async () => {
  await using store = await temporaryRecords();
  const stages = tinyPlan().map(({ precision, blocks }) => ({
    precision,
    blocks: blocks.map(({ prompt, pairs }) => ({
      prompt,
      pairs: [0, 1].map((repeat) => ({
        ...pairs[0]!,
        pair: `${precision}-${prompt.id}-${repeat}`,
        repeat,
        condition: { ...pairs[0]!.condition, draft: { draft: "ngram" as const }, maxTokens: 40 },
      })),
    })),
  }));
  await tinySweep(store, {}, stages);
  const runs = store.runs.filter(({ arm }) => arm === "speculative");
  assertGreater(runs.reduce((sum, { drafted }) => sum + drafted!, 0), 0);
  for (const [, [first, second]] of Map.groupBy(runs, (run) => `${run.precision} ${run.prompt}`)) {
    assertEquals([first!.draft, first!.draftModel, first!.equalsPlain], ["ngram", null, true]);
    assertEquals([second!.drafted, second!.accepted], [first!.drafted, first!.accepted]);
  }
});

Deno.test("an aborted sweep keeps whole pairs, and the next one runs the rest", async () => {
  await using store = await temporaryRecords();
  const interruption = new AbortController();
  const stopped = await tinySweep(store, {
    signal: interruption.signal,
    onProgress: ({ done }) => done === 5 && interruption.abort(),
  });
  assertEquals([stopped, store.runs.length], [{ ran: 5, left: total - 5 }, 10]);
  assertEquals(await tinySweep(store), { ran: total - 5, left: 0 });
});

Deno.test("a finished study makes the next sweep another process, an unfinished one does not", async () => {
  await using store = await temporaryRecords();
  const study = preset("tiny", "table");
  const next = () => nextProcess(study, PROMPTS, { threads: 1 }, store.runs);
  assertEquals(next(), 1);
  await tinySweep(store);
  assertEquals(next(), 2);
  const runs = store.runs.slice(0, -2);
  assertEquals(nextProcess(study, PROMPTS, { threads: 1 }, runs), 1);
  assertEquals(nextProcess(study, PROMPTS, { threads: 2 }, store.runs), 1);
});

Deno.test("a failed run is a row without figures, and its partner stands", async () => {
  await using store = await temporaryRecords();
  // It breaks in passes over five tokens, but for the warm-up's, which are all alike.
  const broken = observed(tableModel({ vocabularySize: 256, seed: 1, order: 1 }), (tokens) => {
    if (tokens.length === 5 && new Set(tokens).size > 1) throw new RangeError("out of\nmemory");
  });
  await tinySweep(store, {
    load: (id, { precision }) => Promise.resolve(tableSubject(id, precision, broken)),
  });
  const { runs } = await readRecords(store.folder);
  assertEquals(runs.length, 2 * total);
  const failed = runs.filter(({ status }) => status === "failed");
  assertGreater(failed.length, 0);
  for (const run of failed) {
    assertEquals([run.arm, run.draftLength], ["speculative", 4]);
    assertEquals(run.error, "RangeError: out of memory");
    assertEquals([run.rounds, run.decodeMs, run.prefillMs, run.equalsPlain], Array(4).fill(null));
    const partner = runs.find(({ pair, arm }) => pair === run.pair && arm === "plain")!;
    assertEquals([partner.status, partner.emitted], ["ok", 8]);
  }
  assertEquals(await tinySweep(store), { ran: 0, left: 0 });
});

Deno.test("a disturbed pair is run again, twice at most, and flagged", async () => {
  let readings = 0;
  // One processor, never idle, and half of its time not ours.
  const busy = () => ({
    wall: ++readings,
    own: readings / 2,
    idle: 0,
    residentBytes: 1,
    peakMemoryBytes: 1,
  });
  await using store = await temporaryRecords();
  await tinySweep(store, { meter: busy, cores: 1 }, tinyPlan().slice(1));
  for (const run of store.runs) {
    assertEquals([run.attempts, run.otherLoad, run.disturbed], [3, 0.5, true]);
  }
});

/** Starts a sweep in a process of its own. */
function spawn(folder: string): Deno.ChildProcess {
  const script = new URL("./sweep_child.ts", import.meta.url);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script.pathname, folder],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Waits until a sweep has reported some pairs, then a little. */
async function wait(child: Deno.ChildProcess, pairs: number, ms: number): Promise<void> {
  let lines = 0;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    lines += text.split("\n").length - 1;
    if (lines >= pairs) break;
  }
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function interrupt(signal: "SIGKILL" | "SIGINT"): Promise<void> {
  const folder = await Deno.makeTempDir();
  for (let i = 0; i < 8; i++) {
    const child = spawn(folder);
    await wait(child, 4 + i % 3, i % 2);
    try {
      child.kill(signal);
    } catch {
      // it was faster
    }
    const { code } = await child.status;
    if (signal === "SIGINT") assert(code === 130 || code === 0, `exit code ${code}`);
    const { runs } = await readRecords(folder);
    assertEquals(runs.length % 2, 0);
  }
  const child = spawn(folder);
  await child.stdout.cancel();
  await child.status;
  await using store = await openRecords(folder);
  const { runs } = await readRecords(folder);
  assertEquals([runs.length, store.repaired], [2 * total, 0]);
  assertEquals(new Set(runs.map(({ pair, arm }) => `${pair} ${arm}`)).size, 2 * total);
  await Deno.remove(folder, { recursive: true });
}

Deno.test("a sweep killed again and again ends with every row once", () => interrupt("SIGKILL"));

Deno.test("a sweep interrupted again and again ends with every row once", () =>
  interrupt("SIGINT"));

Deno.test("a loader's error ends the sweep and keeps what is done", async () => {
  await using store = await temporaryRecords();
  const broken: typeof loadTable = (id, options) =>
    options.precision === "int4" ? Promise.reject(new Error("no weights")) : loadTable(id, options);
  await assertRejects(
    () => tinySweep(store, { load: broken, meter: quiet }, tinyPlan().toReversed()),
    Error,
    "no weights",
  );
});

Deno.test("a run's energy is what the meter counted from its start to its end", async () => {
  await using store = await temporaryRecords();
  let joules = 0;
  const energyMeter: EnergyMeter = {
    name: "fake",
    read: () => Promise.resolve({ joules: joules += 3, memoryJoules: joules / 2, seconds: joules }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const provenance = { ...PROVENANCE, energy: { meter: "fake", idleWatts: 2 } };
  await tinySweep(store, { energyMeter, provenance }, tinyPlan().slice(1));
  for (const run of store.runs) {
    assertEquals([run.energyMeter, run.idleWatts], ["fake", 2]);
    assertEquals([run.energyJoules, run.memoryJoules, run.energySeconds], [3, 1.5, 3]);
  }
});

Deno.test("without a meter energy is empty, and the row says that there was none", async () => {
  await using store = await temporaryRecords();
  await tinySweep(store, {}, tinyPlan().slice(1));
  for (const run of store.runs) {
    assertEquals([run.energyJoules, run.energySeconds, run.idleWatts], [null, null, null]);
    assertMatch(run.energyMeter, /^no meter: /);
  }
});

Deno.test("the runs of a pair differ in memory by the draft alone", async () => {
  await using store = await temporaryRecords();
  const weights = 0.6 * quiet().residentBytes; // two would leave no rest
  const load: typeof loadTable = async (id, options) => {
    const subject = await loadTable(id, options);
    const model = sized(subject.model, weights, 8);
    return { ...subject, model, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
  };
  await tinySweep(store, { load });
  for (const run of store.runs.filter(({ status }) => status === "ok")) {
    const models = run.draft === "model" ? 2 : 1;
    assertEquals([run.weightBytes, run.keyValueBytes], [weights * models, 8 * models]);
    if (run.precision === "int4") assertGreater(run.bufferBytes!, 0); // its stage has no draft model
  }
});
