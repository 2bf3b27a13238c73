// Heads under study: they are measured as any other draft is.
import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { checkIdentities } from "../../lib/analysis/identities.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import type { OnnxModel } from "../../lib/engine/onnx_model.ts";
import { behaviourPreset, planTraces } from "../../lib/study/behaviour_plan.ts";
import { sweepBehaviour } from "../../lib/study/behaviour_sweep.ts";
import { costTimer } from "../../lib/study/cost_timer.ts";
import { pairRecords } from "../../lib/study/pair_records.ts";
import { preparePrompt, warmUp } from "../../lib/study/prepared.ts";
import type { RunRecord } from "../../lib/study/records.ts";
import { runPair } from "../../lib/study/runner.ts";
import type { PairRecords } from "../../lib/study/store.ts";
import { loadSubjects } from "../../lib/study/load_subjects.ts";
import type { Subject } from "../../lib/study/subject.ts";
import { replayTrace } from "../../lib/study/trace.ts";
import { unpackTrace } from "../../lib/study/trace_records.ts";
import { openTraces } from "../../lib/study/trace_store.ts";
import { PROMPTS, PROVENANCE, quiet } from "./tables.ts";
import { ROLES, type TinyHeads, withTinyHeads } from "./tiny_heads.ts";

const RUNNING = { precision: "fp32", threads: 1, exact: true } as const;
const SAMPLING = { topK: 0, topP: 1, seed: 1 } as const;
const MAX_TOKENS = 40;
const LONGEST = 8;

function draftsOf({ draft }: TinyHeads) {
  return ROLES.map((role) =>
    ({ draft: "model", draftModel: draft(role), draftPrecision: "fp32" }) as const
  );
}

/** Calls `use` with the tiny model and its drafts, loaded. */
async function withSubjects(
  heads: TinyHeads,
  use: (target: Subject, drafts: readonly Subject[]) => Promise<void>,
): Promise<void> {
  await using loaded = new AsyncDisposableStack();
  const model = { model: heads.model, ...RUNNING };
  const [target, ...drafts] = await loadSubjects(model, draftsOf(heads), heads, loaded);
  await use(target, drafts);
}

/** Runs a pair of each draft, prompt and setting, and gives their rows. */
async function pairsOf(
  heads: TinyHeads,
  settings: readonly { readonly draftLength: number; readonly temperature: number }[],
): Promise<PairRecords[]> {
  const rows: PairRecords[] = [];
  await withSubjects(heads, async (target, drafts) => {
    for (const prompt of PROMPTS.slice(0, 2)) {
      const reading = { maxTokens: MAX_TOKENS };
      await using prepared = await preparePrompt(prompt, target, drafts, reading);
      for (const draft of prepared.drafts) await warmUp(draft, prepared.tokens, [2, 1, 2]);
      for (const draft of draftsOf(heads)) {
        for (const setting of settings) {
          const fixed = { model: heads.model, ...RUNNING, ...SAMPLING, maxTokens: MAX_TOKENS };
          const condition = { ...fixed, draft, ...setting };
          const named = { pair: "p", key: "k", process: 1, repeat: 0, weight: 1 };
          const planned = { ...named, condition, first: "plain" } as const;
          const result = await runPair(planned, prepared, { meter: quiet });
          rows.push(pairRecords(planned, prepared, result, PROVENANCE));
        }
      }
    }
  });
  return rows;
}

function runOf({ runs }: PairRecords, arm: RunRecord["arm"]): RunRecord {
  return runs.find((run) => run.arm === arm)!;
}

Deno.test("pairs with heads end with rows whose identities hold, and change no greedy token", () =>
  withTinyHeads(async (heads) => {
    const settings = [
      { draftLength: 1, temperature: 0 },
      { draftLength: 4, temperature: 0 },
      { draftLength: 2, temperature: 1 },
    ];
    for (const pair of await pairsOf(heads, settings)) {
      for (const run of pair.runs) {
        assertEquals([run.status, run.error], ["ok", null]);
        assertEquals(checkIdentities(run, pair.rounds.filter(({ arm }) => arm === run.arm)), []);
      }
      const { equalsPlain, temperature, draftHash } = runOf(pair, "speculative");
      assertEquals(equalsPlain, temperature === 0 ? true : null);
      assertEquals(draftHash?.length, 64);
    }
  }));

Deno.test("a head adds to a pair's memory what is its own", () =>
  withTinyHeads(async (heads) => {
    const pairs = await pairsOf(heads, [{ draftLength: 4, temperature: 0 }]);
    const added = (name: "weightBytes" | "keyValueBytes") =>
      pairs.slice(0, ROLES.length)
        .map((pair) => runOf(pair, "speculative")[name]! - runOf(pair, "plain")[name]!);
    await withSubjects(heads, (target, drafts) => {
      assertEquals(added("weightBytes"), drafts.map(({ model }) => model.weightBytes!));
      for (const weights of added("weightBytes")) assertLess(weights, target.model.weightBytes!);
      return Promise.resolve();
    });
    const [layer, feature, exit] = added("keyValueBytes");
    assertGreater(layer!, 0);
    assertGreater(feature!, layer!); // beside keys and values of a layer, hidden states
    assertEquals(exit, 0); // it reads its target's
  }));

Deno.test("a stored greedy trace of a head gives the counts of live pairs", () =>
  withTinyHeads(async (heads) => {
    const { model, load } = heads;
    await using store = await openTraces(`${heads.folder}/traces`);
    const texts = { precisions: ["fp32"], maxTokens: MAX_TOKENS, longest: LONGEST } as const;
    const preset = { ...behaviourPreset("quick"), ...texts };
    const stages = planTraces(preset, PROMPTS.slice(0, 2), { model, drafts: draftsOf(heads) });
    const options = { load, store, provenance: PROVENANCE, threads: 1 };
    assertEquals(await sweepBehaviour(stages, options), { ran: 2 * 2 * ROLES.length, left: 0 });

    const settings = [1, 2, 5, LONGEST].map((draftLength) => ({ draftLength, temperature: 0 }));
    const runs = (await pairsOf(heads, settings)).map((pair) => runOf(pair, "speculative"));
    for (const run of runs) {
      const trace = store.traces.find(({ draftModel, prompt, temperature }) =>
        draftModel === run.draftModel && prompt === run.prompt && temperature === 0
      )!;
      const rounds = replayTrace(unpackTrace(trace), { policy: fixed(run.draftLength), seed: 1 });
      for (const count of ["drafted", "tested", "accepted", "emitted"] as const) {
        const sum = rounds.reduce((total, round) => total + round[count], 0);
        assertEquals(sum, run[count], `${run.draftModel} ${count} at K = ${run.draftLength}`);
      }
    }
    for (const [draft, same] of Map.groupBy(runs, ({ draftModel }) => draftModel)) {
      const sum = (name: "accepted" | "tested") =>
        same.reduce((total, run) => total + run[name]!, 0);
      assert(0 < sum("accepted") && sum("accepted") < sum("tested"), `${draft} is right at times`);
    }
  }));

Deno.test("passes of heads are timed behind their target, in rows of any number, up to the limit", () =>
  withTinyHeads((heads) =>
    withSubjects(heads, async ({ model: target }, drafts) => {
      for (const { model, follow } of drafts) {
        for (const batch of [1, 2]) {
          for (const context of [0, 100, target.contextLength - 128]) {
            const behind = follow && target as OnnxModel;
            await using timer = await costTimer(model as OnnxModel, context, batch, behind);
            for (const kind of ["pass", "prefill", "host", "host"] as const) {
              for (const width of [1, 2, 17]) {
                const time = () => timer.time({ kind, width, context, batch });
                const unread = kind === "prefill" && behind && !(model as OnnxModel).readsHidden;
                if (unread) await assertRejects(time, RangeError, "its target reads the prompt");
                else assert(await time() > 0);
              }
            }
          }
        }
      }
    })
  ));
