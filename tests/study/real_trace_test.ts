import { assertEquals } from "@std/assert";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { confidence } from "../../lib/decoding/policies/confidence.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import { prefill } from "../../lib/decoding/prefill.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { loadModel } from "../../lib/engine/load.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { replayTrace } from "../../lib/study/trace.ts";
import { recordText, traceModel } from "../../lib/study/trace_recorder.ts";
import { packTrace, unpackTrace } from "../../lib/study/trace_records.ts";
import { MODEL, skipped } from "../engine/real_model.ts";
import { PROMPTS } from "./tables.ts";

Deno.test({
  name: "a trace of real weights, recorded once and stored, has the counts of every live run",
  ignore: skipped,
  async fn() {
    using runtime = new Runtime({ threads: 2 });
    await using target = await loadModel(MODEL, { runtime, precision: "int8", exact: true });
    await using draft = await loadModel(MODEL, { runtime, precision: "int4", exact: true });
    const prompt = target.encodeChat([{ role: "user", content: PROMPTS[0]!.text }]);
    await using reading = target.open();
    await using drafting = draft.open();
    for (const context of [reading, drafting]) await prefill(context, prompt);
    const options = { maxTokens: 24, seed: 1, endOfText: target.tokenizer.endOfText };
    const text = await recordText(reading, prompt, options);
    const trace = unpackTrace(packTrace(await traceModel(text, drafting, { longest: 8 })));
    for (const policy of [fixed(2), fixed(5), fixed(8), confidence({ draftLength: 8 })]) {
      await using context = reading.fork();
      await using draftContext = drafting.fork();
      await using drafter = modelDrafter(draftContext);
      const live = [];
      for await (const round of speculate(context, drafter, prompt, { ...options, policy })) {
        const { drafted, tested, accepted, emitted } = round;
        live.push([drafted.length, tested, accepted, emitted.length]);
      }
      const replayed = replayTrace(trace, { policy, seed: 1 })
        .map(({ drafted, tested, accepted, emitted }) => [drafted, tested, accepted, emitted]);
      assertEquals(replayed, live, policy.name);
    }
  },
});
