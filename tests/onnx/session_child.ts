/**
 * Makes and drops sessions, bindings and tensors, in a process of its own: prints the bytes by which
 * resident memory grew once all was warm.
 */

import { Binding, Runtime, Session, Tensor } from "../../lib/onnx/mod.ts";
import { mixer, withGraph } from "./graphs.ts";

using runtime = new Runtime({ threads: 1 });
await withGraph(mixer, async (path) => {
  const cycle = async (): Promise<void> => {
    using session = new Session(runtime, path);
    using x = Tensor.allocate(runtime, "float32", [50_000, 4]);
    using y = Tensor.allocate(runtime, "float32", [50_000, 4]);
    using binding = new Binding(session);
    x.data.fill(1);
    binding.input("x", x);
    binding.output("y", y);
    await binding.run();
  };
  for (let i = 0; i < 50; i++) await cycle();
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 200; i++) await cycle(); // 320 MB if nothing came back
  console.log(Deno.memoryUsage().rss - before);
});
