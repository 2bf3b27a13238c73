/**
 * Takes more than memory holds, in a process of its own, whose memory nothing else moves:
 * `refused_child.ts CASE`. Fails if the case does.
 */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { KeyValueCache } from "../../lib/engine/key_value_cache.ts";
import { ContextError } from "../../lib/engine/language_model.ts";
import { type LoadedModel, loadModel } from "../../lib/engine/load.ts";
import { Scratch } from "../../lib/engine/scratch.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { tinyGguf } from "./tiny_model.ts";

const SHAPE = { layers: 2, rows: 1, heads: 1, headSize: 16, hidden: 0 };
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

/** Asserts that `take` is refused with the figures, before memory is touched. */
function assertRefused(take: () => unknown): void {
  const before = Deno.memoryUsage().rss;
  const { message } = assertThrows(take, ContextError);
  assertMatch(message, FIGURES);
  assert(Deno.memoryUsage().rss - before < 32e6, "memory was taken");
}

/** What must hold, by name. */
export const CASES: Readonly<Record<string, () => void | Promise<void>>> = {
  "a context that memory cannot hold is refused with the figures, and a smaller one opens": () =>
    withTiny(async (model) => {
      const rowBytes = 2 * 2 * 256 * 16 * 4; // keys and values of two layers, 256 slots of 16 floats
      const { available } = Deno.systemMemoryInfo();
      assertRefused(() => model.open(Math.ceil(1.5 * available / rowBytes)));
      await using context = model.open(2);
      await context.append([[1, 2, 3], [4]]);
      assertEquals([context.length(0), context.length(1)], [3, 1]);
    }),
  "a text longer than the context is refused before any of it is read": () =>
    withTiny(async (model) => {
      await using context = model.open();
      const tooLong = new Array(model.contextLength + 1).fill(1);
      await assertRejects(() => context.append([tooLong]), ContextError, "context length is 4096");
      assertEquals(context.length(), 0);
      await context.append([tooLong.slice(0, 300)]);
      assertEquals(context.length(), 300);
    }),
  "a cache that cannot grow stays as it is": () => {
    using runtime = new Runtime({ threads: 1 });
    const cache = new KeyValueCache(runtime, SHAPE, 256);
    cache.layers[0]!.key.data.fill(7);
    const slots = Math.ceil(2 * Deno.systemMemoryInfo().available / (2 * 2 * 16 * 4));
    assertRefused(() => cache.own([200], slots));
    assertEquals(cache.layers[0]!.key.data.every((value) => value === 7), true);
    const grown = cache.own([200], 512);
    assertEquals([grown.capacity, grown.layers[0]!.key.data[200 * 16 - 1]], [512, 7]);
    grown.release();
  },
  "a pass whose logits memory cannot hold is refused, and a narrower one runs": () => {
    using runtime = new Runtime({ threads: 1 });
    using scratch = new Scratch(runtime, "float32");
    scratch.shape([2, 100]);
    assertRefused(() => scratch.shape([Math.ceil(Deno.systemMemoryInfo().available / 200), 100]));
    assertEquals(scratch.shape([4, 100]).data.length, 400);
  },
};

if (import.meta.main) await CASES[Deno.args[0]!]!();
