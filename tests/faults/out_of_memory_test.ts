import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { KeyValueCache } from "../../lib/engine/key_value_cache.ts";
import { ContextError } from "../../lib/engine/language_model.ts";
import { type LoadedModel, loadModel } from "../../lib/engine/load.ts";
import { Scratch } from "../../lib/engine/scratch.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { run } from "./child.ts";
import { tinyGguf } from "./tiny_model.ts";

const SHAPE = { layers: 2, rows: 1, heads: 1, headSize: 16, hidden: 0 };
const MODULES = new URL("../../lib/", import.meta.url).href;
/** Asks for 6 GB in pieces of 32 MB. */
const HALF_GRANTED = `
  import { KeyValueCache } from "${MODULES}engine/key_value_cache.ts";
  import { Runtime } from "${MODULES}onnx/mod.ts";
  using runtime = new Runtime({ threads: 1 });
  const before = Deno.memoryUsage().rss;
  const shape = { layers: 96, rows: 1, heads: 1, headSize: 16, hidden: 0 };
  let error = "none";
  try {
    new KeyValueCache(runtime, shape, 2 ** 19);
  } catch (thrown) {
    error = String(thrown);
  }
  new KeyValueCache(runtime, shape, 256).release();
  console.log(JSON.stringify({ error, grown: Deno.memoryUsage().rss - before }));`;
const FIGURES = /^Cannot take memory for .* as that is [\d.]+ GB and [\d.]+ GB is available: /;

/** Loads the tiny model, calls `use`, and removes what that took. */
async function withTiny(use: (model: LoadedModel) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeFileSync(`${folder}/tiny.gguf`, tinyGguf());
    using runtime = new Runtime({ threads: 1 });
    await using model = await loadModel(`${folder}/tiny.gguf`, { runtime, cache: folder });
    await use(model);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Asserts that `take`, of more than memory holds, is refused with the figures and touches none. */
function assertRefused(take: () => unknown): void {
  const before = Deno.memoryUsage().rss;
  const few = Deno.systemMemoryInfo().available / 4; // other tests may take some meanwhile
  const { message } = assertThrows(take, ContextError);
  assertMatch(message, FIGURES);
  assert(Deno.memoryUsage().rss - before < few, "memory was taken");
}

Deno.test("a context that memory cannot hold is refused with the figures, and a smaller one opens", () =>
  withTiny(async (model) => {
    const rowBytes = 2 * 2 * 256 * 16 * 4; // keys and values of two layers, 256 slots of 16 floats
    const { available } = Deno.systemMemoryInfo();
    assertRefused(() => model.open(Math.ceil(1.5 * available / rowBytes)));
    await using context = model.open(2);
    await context.append([[1, 2, 3], [4]]);
    assertEquals([context.length(0), context.length(1)], [3, 1]);
  }));

Deno.test("a text longer than the context is refused before any of it is read", () =>
  withTiny(async (model) => {
    await using context = model.open();
    const tooLong = new Array(model.contextLength + 1).fill(1);
    await assertRejects(() => context.append([tooLong]), ContextError, "context length is 4096");
    assertEquals(context.length(), 0);
    await context.append([tooLong.slice(0, 300)]);
    assertEquals(context.length(), 300);
  }));

Deno.test("a cache that cannot grow stays as it is", () => {
  using runtime = new Runtime({ threads: 1 });
  const cache = new KeyValueCache(runtime, SHAPE, 256);
  cache.layers[0]!.key.data.fill(7);
  const slots = Math.ceil(2 * Deno.systemMemoryInfo().available / (2 * 2 * 16 * 4));
  assertRefused(() => cache.own([200], slots));
  assertEquals(cache.layers[0]!.key.data.every((value) => value === 7), true);
  const grown = cache.own([200], 512);
  assertEquals([grown.capacity, grown.layers[0]!.key.data[200 * 16 - 1]], [512, 7]);
  grown.release();
});

Deno.test("a pass whose logits memory cannot hold is refused, and a narrower one runs", () => {
  using runtime = new Runtime({ threads: 1 });
  using scratch = new Scratch(runtime, "float32");
  scratch.shape([2, 100]);
  assertRefused(() => scratch.shape([Math.ceil(Deno.systemMemoryInfo().available / 200), 100]));
  assertEquals(scratch.shape([4, 100]).data.length, 400);
});

Deno.test({
  name: "what the system grants and then refuses goes back, where memory may not be asked for",
  ignore: Deno.build.os !== "linux", // others do not hold to such limits
  fn: async () => {
    const path = Deno.makeTempFileSync({ suffix: ".ts" });
    try {
      Deno.writeTextFileSync(path, HALF_GRANTED);
      const permissions = ["--no-prompt", "--allow-read", "--allow-ffi"];
      const deno = ["run", "--quiet", "--config", "deno.json", ...permissions, path];
      const limited = ["-c", 'ulimit -d 800000; exec "$@"', "sh", Deno.execPath(), ...deno];
      const { code, out, err } = await run("sh", limited);
      assertEquals(code, 0, err);
      const { error, grown } = JSON.parse(out);
      assert(error.startsWith("OnnxRuntimeError: Cannot call CreateTensorAsOrtValue as "), error);
      assert(grown < 64e6, `${grown} bytes did not come back`);
    } finally {
      Deno.removeSync(path);
    }
  },
});
