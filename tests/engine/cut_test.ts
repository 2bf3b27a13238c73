// Models that are loaded in part: their first layers, or the head's rows of a few tokens.
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { ContextError } from "../../lib/engine/language_model.ts";
import { type LoadedModel, loadModel, type LoadOptions } from "../../lib/engine/load.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { tokensOf } from "../decoding/decode.ts";
import { assertGreedyAlike } from "../decoding/laws.ts";
import { tinyGguf, tinyMetadata, tinyTensors } from "../faults/tiny_model.ts";
import { toyGguf } from "../models/fixtures/toy_gguf.ts";
import { laws } from "./laws.ts";
import { noise } from "./exactness.ts";
import { MODEL, skipped, withModel } from "./real_model.ts";

const FORMATS = ["fp32", "int8", "int4"] as const;
const TEXT = noise(12, 262);
/** Some of the tiny model's 262 tokens, in no order. */
const KEPT = [200, 7, 41, 0, 261, 130];

/** What a test works with: a folder, and a way to load what lies there. */
interface Bench {
  /** Loads the tiny model, or another file of the folder. */
  load(options?: Partial<LoadOptions>, file?: string): Promise<LoadedModel>;
  readonly folder: string;
}

/** Gives a test the tiny model of two layers, and a file that has the first of them alone. */
async function withBench(use: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    using runtime = new Runtime({ threads: 1 });
    await Deno.writeFile(`${folder}/two.gguf`, tinyGguf());
    const metadata = { ...tinyMetadata, "llama.block_count": { u32: 1 } };
    const tensors = tinyTensors().filter(({ name }) => !name.startsWith("blk.1."));
    await Deno.writeFile(`${folder}/one.gguf`, toyGguf(metadata, tensors));
    const load: Bench["load"] = (options, file = "two") =>
      loadModel(`${folder}/${file}.gguf`, { runtime, cache: folder, exact: true, ...options });
    await use({ load, folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function logitsOf(model: LoadedModel, text: readonly TokenId[]): Promise<Float32Array[]> {
  await using context = model.open();
  const evaluation = await context.evaluate([text]);
  return text.map((_, index) => evaluation.logits(index).slice());
}

for (const precision of FORMATS) {
  Deno.test(`the first layer of a file scores as a file of that layer does, to the bit (${precision})`, () =>
    withBench(async ({ load }) => {
      await using cut = await load({ precision, layers: 1 });
      await using alone = await load({ precision }, "one");
      assertEquals(await logitsOf(cut, TEXT), await logitsOf(alone, TEXT));
      await using whole = await load({ precision });
      await using all = await load({ precision, layers: 2 });
      assertEquals(await logitsOf(all, TEXT), await logitsOf(whole, TEXT));
      assert((await logitsOf(cut, TEXT))[0]![0] !== (await logitsOf(whole, TEXT))[0]![0]);
    }));

  Deno.test(`a trimmed head scores its tokens as the whole head does, and no other (${precision})`, () =>
    withBench(async ({ load }) => {
      await using whole = await load({ precision });
      await using few = await load({ precision, vocabulary: KEPT });
      await using all = await load({ precision, vocabulary: noise(262, 262).reverse() });
      const expected = await logitsOf(whole, TEXT);
      assertEquals(await logitsOf(all, TEXT), expected);
      (await logitsOf(few, TEXT)).forEach((row, index) => {
        for (const [token, logit] of row.entries()) {
          if (!KEPT.includes(token)) assertEquals(logit, -Infinity);
          // Kernels sum the last few columns in another order.
          else assertLess(Math.abs(logit - expected[index]![token]!), 1e-5);
        }
      });
      assertEquals([few.vocabularySize, few.details.scoredTokens], [262, KEPT.length]);
    }));
}

for (const [law, check] of Object.entries(laws)) {
  Deno.test(`cut and trimmed at once: ${law}`, () =>
    withBench(async ({ load }) => {
      await using model = await load({ layers: 1, vocabulary: noise(100, 262) });
      await check(model, { rounds: 3, tolerance: 1e-4 });
    }));
}

Deno.test("probabilities of a trimmed head are 0 elsewhere and sum to 1", () =>
  withBench(async ({ load }) => {
    await using model = await load({ vocabulary: KEPT });
    await using context = model.open();
    const evaluation = await context.evaluate([TEXT]);
    const p = evaluation.probabilities(3, 0.7);
    assert(p.every((mass, token) => mass > 0 === KEPT.includes(token)));
    assert(Math.abs([...p].reduce((sum, mass) => sum + mass, 0) - 1) < 1e-6);
    assertEquals(evaluation.trimmed!.vocabulary.tokens, KEPT.toSorted((a, b) => a - b));
  }));

Deno.test("a cut model is stored as two small graphs beside the whole one's weights", () =>
  withBench(async ({ load, folder }) => {
    {
      await using _ = await load({ layers: 1 });
    }
    const [stored, ...others] = [...Deno.readDirSync(`${folder}/graphs`)]
      .filter(({ isDirectory }) => isDirectory);
    assertEquals(others, []);
    const names = [...Deno.readDirSync(`${folder}/graphs/${stored!.name}`)].map(({ name }) => name);
    assert(names.includes("scattered.1.onnx") && names.includes("grouped.1.onnx"));
    assert(!names.some((name) => name.endsWith(".partial")));
  }));

Deno.test("models that share weights do not need each other", () =>
  withBench(async ({ load }) => {
    const whole = await load({ precision: "int8" });
    await using cut = await load({ precision: "int8", layers: 1 });
    const before = await logitsOf(cut, TEXT);
    await whole[Symbol.asyncDispose]();
    assertEquals(await logitsOf(cut, TEXT), before);
    await using again = await load({ precision: "int8" });
    assertEquals((await logitsOf(again, TEXT)).length, TEXT.length);
  }));

for (const exact of [true, false]) {
  const mode = exact ? "exact" : "fast";
  Deno.test(`who follows a context drafts as if it had read the text itself (${mode})`, () =>
    withBench(async ({ load }) => {
      await using whole = await load({ exact });
      await using cut = await load({ exact, layers: 1 });
      await using leader = whole.open();
      await leader.append([TEXT.slice(0, -1)]);
      await using follower = cut.follow(leader);
      assertEquals(follower.length(), TEXT.length - 1);
      const request = { limit: 5, sampling: {}, random: Math.random };
      for (
        const kind of [
          modelDrafter,
          (model: Parameters<typeof modelDrafter>[0]) => treeDrafter(model, { widths: [2, 2] }),
        ]
      ) {
        await using own = kind(cut);
        assertEquals(await kind(follower).propose(TEXT, request), await own.propose(TEXT, request));
        follower.truncate(TEXT.length - 1);
      }
    }));

  Deno.test(`greedy text does not depend on who follows the target's context (${mode})`, () =>
    withBench(async ({ load }) => {
      await using whole = await load({ exact });
      for (const layers of [1, 2]) {
        await using cut = await load({ exact, layers });
        for (const maxTokens of [1, 2, 7, 300]) {
          const options = { maxTokens, seed: 1 };
          await using plain = whole.open();
          await using context = whole.open();
          await using follower = cut.follow(context);
          const speculated = speculate(context, modelDrafter(follower), TEXT, options);
          assertEquals(
            await tokensOf(speculated),
            await tokensOf(autoregress(plain, TEXT, options)),
          );
        }
      }
    }));
}

Deno.test("all layers that follow draft what the target says, whatever the temperature", () =>
  withBench(async ({ load }) => {
    await using whole = await load();
    for (const temperature of [0, 1]) {
      await using context = whole.open();
      await using follower = whole.follow(context);
      const options = { maxTokens: 40, seed: 1, sampling: { temperature } };
      const rounds = speculate(context, modelDrafter(follower), TEXT, options);
      for await (const { accepted, drafted } of rounds) assertEquals(accepted, drafted.length);
    }
  }));

Deno.test("forks of a context are safe from who follows it", () =>
  withBench(async ({ load }) => {
    await using whole = await load();
    await using cut = await load({ layers: 1 });
    await using context = whole.open();
    await context.append([TEXT]);
    await using fork = context.fork();
    context.truncate(4); // from here on, slots of the fork's text would be overwritten
    await using follower = cut.follow(context);
    await using aside = follower.fork();
    await follower.append([noise(9, 200)]);
    assertEquals([aside.length(), follower.length(), context.length()], [4, 13, 4]);
    const after = await fork.evaluate([[5]]);
    assertEquals(after.logits(0), (await logitsOf(whole, [...TEXT, 5])).at(-1));
  }));

Deno.test("who follows forgets its own tokens when the leader moves, and never the leader's", () =>
  withBench(async ({ load }) => {
    await using whole = await load();
    await using cut = await load({ layers: 1 });
    await using context = whole.open();
    await context.append([TEXT]);
    await using follower = cut.follow(context);
    await follower.append([[1, 2, 3]]);
    assertEquals([follower.length(), context.length()], [TEXT.length + 3, TEXT.length]);
    assertThrows(() => follower.truncate(TEXT.length - 1), RangeError, "truncate");
    const drafted = await follower.evaluate([[4]]);
    const evaluation = await context.evaluate([[8, 9]]);
    assertThrows(() => drafted.logits(0), ContextError, "not the context's newest");
    assertThrows(() => follower.commit(evaluation, [1]), ContextError, "not the context's newest");
    assertEquals(follower.length(), TEXT.length);
    context.commit(evaluation, [2]);
    assertEquals(follower.length(), TEXT.length + 2);
  }));

Deno.test("what cannot be cut, trimmed or followed is refused", () =>
  withBench(async ({ load }) => {
    await assertRejects(() => load({ layers: 3 }), RangeError, "layers must be an integer from 1");
    await assertRejects(() => load({ vocabulary: [] }), RangeError, "the number of tokens");
    await assertRejects(() => load({ vocabulary: [1, 262] }), RangeError, "current value is 262");
    await assertRejects(
      () => load({ vocabulary: [1, 2, 1] }),
      RangeError,
      "token 1 is given twice",
    );
    await using cut = await load({ layers: 1 });
    await using whole = await load();
    const context = cut.open();
    assertThrows(() => whole.follow(context), ContextError, "not made of its first layers");
    await using follower = cut.follow(context);
    await context[Symbol.asyncDispose]();
    await assertRejects(() => follower.evaluate([[1]]), ContextError, "closed");
  }));

Deno.test({
  name: "the target's first layers, following it or not, leave its greedy text as it is",
  ignore: skipped,
  fn: () =>
    withModel({ precision: "int4", exact: true }, async (target) => {
      const { runtime } = target.session("scattered");
      const options = { runtime, precision: "int4", exact: true, layers: 20 } as const;
      await using cut = await loadModel(MODEL, options);
      const prompt = target.encodeChat([{ role: "user", content: "What is a lighthouse?" }]);
      await using own = modelDrafter(cut);
      const rounds = await assertGreedyAlike(target, own, prompt, { maxTokens: 24, seed: 1 });
      await using context = target.open();
      await using follower = cut.follow(context);
      const following = speculate(context, modelDrafter(follower), prompt, {
        maxTokens: 24,
        seed: 1,
      });
      assertEquals(await tokensOf(following), rounds.flatMap(({ emitted }) => emitted));
    }),
});
