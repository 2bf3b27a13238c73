import { assertEquals, assertGreater } from "@std/assert";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { confidence } from "../../lib/decoding/policies/confidence.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import { prefill } from "../../lib/decoding/prefill.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { type LoadedModel, loadModel } from "../../lib/engine/load.ts";
import type { Context } from "../../lib/engine/language_model.ts";
import { openDraft } from "../../lib/engine/open_draft.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { type RecordedText, recordText } from "../../lib/study/recorded_text.ts";
import { replayTrace, type Trace } from "../../lib/study/trace.ts";
import { traceHead } from "../../lib/study/trace_heads.ts";
import { traceModel } from "../../lib/study/trace_recorder.ts";
import { packTrace, unpackTrace } from "../../lib/study/trace_records.ts";
import { MODEL, skipped } from "../engine/real_model.ts";
import { PROMPTS } from "./tables.ts";

const HEAD = new URL("../../data/models/draft-feature.gguf", import.meta.url).pathname;
const LONGEST = 8;

/** A draft: what traces it beside a target, and what opens a context of it behind one of the target. */
interface Traced {
  readonly trace: (text: RecordedText, target: Context) => Promise<Trace>;
  readonly open: (target: Context) => Context;
}

/** Asserts that a draft's stored trace has the counts of live runs of every policy. */
async function assertReplays(
  target: LoadedModel,
  read: Context,
  prompt: readonly number[],
  { trace, open }: Traced,
): Promise<void> {
  const options = { maxTokens: 24, seed: 1, endOfText: target.tokenizer.endOfText };
  const text = await recordText(read, prompt, options);
  const stored = unpackTrace(packTrace(await trace(text, read)));
  let accepted = 0;
  for (const policy of [fixed(2), fixed(5), fixed(LONGEST), confidence({ draftLength: LONGEST })]) {
    await using context = read.fork();
    await using draft = open(context);
    const live = [];
    for await (
      const round of speculate(context, modelDrafter(draft), prompt, { ...options, policy })
    ) {
      live.push([round.drafted.length, round.tested, round.accepted, round.emitted.length]);
      accepted += round.accepted;
    }
    const replayed = replayTrace(stored, { policy, seed: 1 })
      .map(({ drafted, tested, accepted, emitted }) => [drafted, tested, accepted, emitted]);
    assertEquals(replayed, live, policy.name);
  }
  assertGreater(accepted, 0);
}

Deno.test({
  name: "a trace of real weights, recorded once and stored, has the counts of every live run",
  ignore: skipped,
  async fn() {
    using runtime = new Runtime({ threads: 2 });
    const shared = { runtime, exact: true };
    await using target = await loadModel(MODEL, { ...shared, precision: "int8", hidden: true });
    const prompt = target.encodeChat([{ role: "user", content: PROMPTS[0]!.text }]);
    await using reading = target.open();
    await prefill(reading, prompt);

    await using model = await loadModel(MODEL, { ...shared, precision: "int4" });
    await using drafting = model.open();
    await prefill(drafting, prompt);
    await assertReplays(target, reading, prompt, {
      trace: (text) => traceModel(text, drafting, { longest: LONGEST }),
      open: () => drafting.fork(),
    });

    await using head = await openDraft(HEAD, target, shared);
    const follow = (context: Context) => head.open(context);
    await assertReplays(target, reading, prompt, {
      trace: (text) => traceHead(text, { target: reading, follow }, { longest: LONGEST }),
      open: follow,
    });
  },
});
