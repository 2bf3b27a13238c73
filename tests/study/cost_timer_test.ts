import { assert, assertRejects } from "@std/assert";
import { loadModel } from "../../lib/engine/load.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import type { CostShape } from "../../lib/study/cost_plan.ts";
import { costTimer } from "../../lib/study/cost_timer.ts";
import { tinyGguf } from "../faults/tiny_model.ts";

Deno.test("costTimer() times every kind in rows of any number, again and again, up to the limit", async () => {
  const cache = await Deno.makeTempDir();
  const path = `${cache}/tiny.gguf`;
  await Deno.writeFile(path, tinyGguf());
  {
    using runtime = new Runtime({ threads: 1 });
    await using model = await loadModel(path, { runtime, cache });
    for (const batch of [1, 2]) {
      for (const context of [0, 100, model.contextLength - 128]) {
        await using timer = await costTimer(model, context, batch);
        for (const kind of ["pass", "prefill", "host", "host"] as const) {
          for (const width of [1, 5, 17]) {
            assert(await timer.time({ kind, width, context, batch }) > 0);
          }
        }
      }
      const context = model.contextLength - 4;
      await using timer = await costTimer(model, context, batch);
      const shape = (width: number): CostShape => ({ kind: "pass", width, context, batch });
      assert(await timer.time(shape(4)) > 0);
      await assertRejects(() => timer.time(shape(5)), Error, "context length is 4096");
    }
    await using past = await costTimer(model, model.contextLength + 1, 1);
    const shape: CostShape = { kind: "pass", width: 1, context: 0, batch: 1 };
    await assertRejects(() => past.time(shape), RangeError, "Cannot pretend");
  }
  await Deno.remove(cache, { recursive: true });
});
