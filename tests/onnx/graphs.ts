/** Small graphs for the tests of lib/onnx. */

import { join } from "node:path";
import { OnnxFile } from "../../lib/models/onnx_file.ts";
import { WeightFile } from "../../lib/models/weight_file.ts";

/** Writes a graph to a temporary folder, calls `use` with its path, and removes it. */
export async function withGraph(
  describe: (file: OnnxFile) => void,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    {
      using weights = new WeightFile(folder);
      const file = new OnnxFile(weights);
      describe(file);
      file.finish("model.onnx");
    }
    await use(join(folder, "model.onnx"));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** y = softmax(x · w + x), over rows of four. */
export function mixer(file: OnnxFile): void {
  const w = file.vector("w", [4, 4], () => Float32Array.from({ length: 16 }, (_, i) => i / 7));
  const x = file.input("x", "float32", ["N", 4]);
  const sum = file.node("Add", [file.node("MatMul", [x, w]), x]);
  file.node("Softmax", [sum], { attributes: { axis: -1 }, outputs: ["y"] });
  file.output("y", "float32", ["N", 4]);
}

/** Scatters new slots into a cache. */
export function scatter(file: OnnxFile): void {
  const shape = ["B", 1, "P", 2] as const;
  const cache = file.input("cache", "float32", shape);
  const update = file.input("update", "float32", ["B", 1, "S", 2]);
  const slots = file.input("slots", "int64", ["B"]);
  file.node("TensorScatter", [cache, update, slots], {
    attributes: { axis: -2 },
    outputs: ["new"],
  });
  file.output("new", "float32", shape);
}

/** Many products of a square matrix with itself: a run of some milliseconds. */
export function slow(file: OnnxFile): void {
  let x = file.input("x", "float32", ["N", "N"]);
  for (let i = 0; i < 40; i++) {
    x = file.node("MatMul", [x, "x"], i === 39 ? { outputs: ["y"] } : {});
  }
  file.output("y", "float32", ["N", "N"]);
}
