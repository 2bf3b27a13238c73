import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { OnnxFile } from "../../lib/models/onnx_file.ts";
import { WeightFile } from "../../lib/models/weight_file.ts";
import {
  Binding,
  canMapFiles,
  MappedFile,
  OnnxRuntimeError,
  Runtime,
  Session,
  type SessionOptions,
  SharedWeights,
  Tensor,
} from "../../lib/onnx/mod.ts";

const SIZE = 2048;
const WEIGHT_MB = SIZE * SIZE * 4 / 1e6;

/** Writes y = x · w, and the same negated, over one file of weights. */
async function withTwins(
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

async function run(session: Session): Promise<Float32Array> {
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

Deno.test({
  name: "graphs over shared weights compute what they compute alone, to the bit",
  ignore: !canMapFiles,
  fn: async () => {
    using runtime = new Runtime({ threads: 1 });
    await withTwins(async (folder, places) => {
      using weights = new SharedWeights(runtime, `${folder}/weights.bin`, places);
      for (const name of ["plain", "negated"]) {
        using alone = new Session(runtime, `${folder}/${name}.onnx`);
        using shared = new Session(runtime, `${folder}/${name}.onnx`, { weights });
        assertEquals(await run(shared), await run(alone));
      }
    });
  },
});

Deno.test({
  name: "more graphs over shared weights take no memory for them",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using runtime = new Runtime({ threads: 1 });
    await withTwins(async (folder, places) => {
      /** What six more sessions take, in weights. */
      const taken = async (options: SessionOptions): Promise<number> => {
        using sessions = new DisposableStack();
        const before = privateMegabytes();
        for (let i = 0; i < 6; i++) {
          const session = new Session(runtime, `${folder}/negated.onnx`, options);
          await run(sessions.use(session));
        }
        return (privateMegabytes() - before) / WEIGHT_MB;
      };
      using weights = new SharedWeights(runtime, `${folder}/weights.bin`, places);
      using first = new Session(runtime, `${folder}/plain.onnx`, { weights });
      await run(first);
      assertLess(await taken({ weights }), 2);
      assertGreater(await taken({}), 4); // so the test can see it
    });
  },
});

Deno.test({
  name: "a session may go before the others that share its weights",
  ignore: !canMapFiles,
  fn: async () => {
    using runtime = new Runtime({ threads: 1 });
    await withTwins(async (folder, places) => {
      using weights = new SharedWeights(runtime, `${folder}/weights.bin`, places);
      const first = new Session(runtime, `${folder}/plain.onnx`, { weights });
      using second = new Session(runtime, `${folder}/negated.onnx`, { weights });
      const expected = (await run(first)).map((value) => -value);
      first[Symbol.dispose]();
      assertEquals(await run(second), expected);
      using third = new Session(runtime, `${folder}/negated.onnx`, { weights });
      assertEquals(await run(third), expected);
    });
  },
});

Deno.test({
  name: "a file that cannot be mapped is an error that names it",
  ignore: !canMapFiles,
  fn: () => {
    const empty = Deno.makeTempFileSync();
    assertThrows(() => new MappedFile(empty), OnnxRuntimeError, `Cannot map ${empty}`);
    Deno.removeSync(empty);
    assertThrows(() => new MappedFile(empty), Deno.errors.NotFound);
  },
});
