/**
 * Two graphs over one file of weights, and what more sessions of one take.
 *
 * @module
 */

import { OnnxFile } from "../../lib/models/onnx_file.ts";
import { WeightFile } from "../../lib/models/weight_file.ts";
import {
  Binding,
  Runtime,
  Session,
  type SessionOptions,
  SharedWeights,
  Tensor,
} from "../../lib/onnx/mod.ts";

const SIZE = 2048;
const WEIGHT_MB = SIZE * SIZE * 4 / 1e6;

/** Writes y = x · w, and the same negated, over one file of weights. */
export async function withTwins(
  use: (folder: string, places: WeightFile["places"]) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    using weights = new WeightFile(folder);
    for (const name of ["plain", "negated"]) {
      const file = new OnnxFile(weights);
      const w = file.vector(
        "w",
        [SIZE, SIZE],
        () => Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i * 7919 % 1009 - 504) / 5e4),
      );
      const x = file.input("x", "float32", ["N", SIZE]);
      const product = { outputs: [name === "plain" ? "y" : "product"] };
      file.node("MatMul", [x, w], product);
      if (name === "negated") file.node("Neg", ["product"], { outputs: ["y"] });
      file.output("y", "float32", ["N", SIZE]);
      file.finish(`${name}.onnx`);
    }
    weights.finish();
    await use(folder, weights.places);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** y of an x. */
export async function run(session: Session): Promise<Float32Array> {
  using x = Tensor.allocate(session.runtime, "float32", [1, SIZE]);
  using y = Tensor.allocate(session.runtime, "float32", [1, SIZE]);
  using binding = new Binding(session);
  x.data.forEach((_, i) => x.data[i] = Math.sin(i));
  binding.input("x", x);
  binding.output("y", y);
  await binding.run();
  return y.data.slice();
}

/** Megabytes that the process holds and no file does. */
function privateMegabytes(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(status.match(/RssAnon:\s+(\d+)/)![1]) * 1024 / 1e6;
}

/** What six more sessions take, in weights. */
async function taken(runtime: Runtime, graph: string, options: SessionOptions): Promise<number> {
  using sessions = new DisposableStack();
  const before = privateMegabytes();
  for (let i = 0; i < 6; i++) await run(sessions.use(new Session(runtime, graph, options)));
  return (privateMegabytes() - before) / WEIGHT_MB;
}

// In a process of its own: what other tests freed would be taken again, and count.
if (import.meta.main) {
  using runtime = new Runtime({ threads: 1 });
  await withTwins(async (folder, places) => {
    using weights = new SharedWeights(runtime, `${folder}/weights.bin`, places);
    using first = new Session(runtime, `${folder}/plain.onnx`, { weights });
    await run(first);
    const shared = await taken(runtime, `${folder}/negated.onnx`, { weights });
    const alone = await taken(runtime, `${folder}/negated.onnx`, {});
    console.log(JSON.stringify({ shared, alone }));
  });
}
