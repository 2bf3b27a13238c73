// Drafts that borrow from their target: a feature-level head, an exit head, layers without tokens.
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";
import type { Round } from "../../lib/decoding/round.ts";
import { distribution } from "../../lib/decoding/sampling.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { ContextError } from "../../lib/engine/language_model.ts";
import type { OnnxContext } from "../../lib/engine/onnx_model.ts";
import { type LoadedModel, loadModel, type LoadOptions } from "../../lib/engine/load.ts";
import {
  DraftError,
  type DraftOptions,
  type LoadedDraft,
  openDraft,
  readHidden,
} from "../../lib/engine/open_draft.ts";
import { ArchitectureError } from "../../lib/models/architecture.ts";
import { sha256File } from "../../lib/models/digest.ts";
import type { DraftRole } from "../../lib/models/draft_file.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { tokensOf } from "../decoding/decode.ts";
import { gTest } from "../decoding/statistics.ts";
import { tinyGguf, tinyMetadata, tinyTensors } from "../faults/tiny_model.ts";
import { toyGguf } from "../models/fixtures/toy_gguf.ts";
import { tinyDraft, tinyDraftTensors } from "./draft_files.ts";
import { noise } from "./exactness.ts";
import {
  feedForward,
  layer,
  type Network,
  normalise,
  product,
  rowsOf,
  type Vector,
} from "./naive_llama.ts";
import { MODEL, skipped, withModel } from "./real_model.ts";

const ROLES: readonly DraftRole[] = ["draft", "feature", "exit"];
const FORMATS = ["fp32", "int8", "int4"] as const;
const TEXT = noise(12, 262);
const KEPT = noise(60, 262);

/** What a test works with: a folder with the tiny model and its drafts. */
interface Bench {
  readonly folder: string;
  readonly sha256: string;
  /** Loads the tiny model with its hidden states. */
  target(options?: Partial<LoadOptions>): Promise<LoadedModel>;
  /** Opens a draft. */
  draft(role: string, target: LoadedModel, options?: Partial<DraftOptions>): Promise<LoadedDraft>;
}

async function withBench(use: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    using runtime = new Runtime({ threads: 1 });
    const path = `${folder}/target.gguf`;
    await Deno.writeFile(path, tinyGguf());
    const sha256 = await sha256File(path);
    for (const role of ROLES) {
      await Deno.writeFile(`${folder}/${role}.gguf`, tinyDraft(role, sha256));
    }
    const shared = { runtime, cache: folder, exact: true };
    await use({
      folder,
      sha256,
      target: (options) => loadModel(path, { ...shared, hidden: true, ...options }),
      draft: (role, target, options) =>
        openDraft(`${folder}/${role}.gguf`, target, { ...shared, precision: "fp32", ...options }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const precision of FORMATS) {
  Deno.test(`scores are the same to the bit with and without hidden states (${precision})`, () =>
    withBench(async ({ target }) => {
      for (const exact of [true, false]) {
        await using plain = await target({ precision, exact, hidden: false });
        await using open = await target({ precision, exact });
        assertEquals(open.details, plain.details);
        assertEquals(await logitsOf(open, TEXT), await logitsOf(plain, TEXT));
      }
    }));

  Deno.test(`hidden states do not depend on how many tokens a pass reads, to the bit (${precision})`, () =>
    withBench(async ({ target }) => {
      await using model = await target({ precision });
      await using wide = model.open();
      await wide.append([TEXT]);
      for (const width of [1, 5]) {
        await using narrow = model.open();
        for (let from = 0; from < TEXT.length; from += width) {
          await narrow.append([TEXT.slice(from, from + width)]);
        }
        for (const i of TEXT.keys()) assertEquals(narrow.hidden(i), wide.hidden(i));
      }
    }));
}

Deno.test("hidden states stay with their tokens: in rows, forks, tree paths and longer caches", () =>
  withBench(async ({ target }) => {
    await using model = await target();
    await using alone = model.open();
    await alone.append([TEXT]);
    await using context = model.open(2);
    await context.append([[5], TEXT.slice(0, 3)]);
    const tree = [TEXT.slice(3, 4), [9, TEXT[3]!, TEXT[4]!]];
    const evaluation = await context.evaluate(tree, [[-1], [-1, -1, 1]]);
    context.commit(evaluation, [1, [1, 2]]);
    await using fork = context.fork();
    await context.append([noise(300, 262), []]);
    await fork.append([[], [7]]); // its own from here on
    for (const i of [0, 2, 3, 4]) assertClose(context.hidden(i, 1), alone.hidden(i));
  }));

Deno.test("hidden states are what the head multiplies: their products with it are the logits", () =>
  withBench(async ({ target, folder }) => {
    await using model = await target();
    using gguf = await openGguf(`${folder}/target.gguf`);
    await using context = model.open();
    const evaluation = await context.evaluate([TEXT]);
    const logits = TEXT.map((_, i) => evaluation.logits(i).slice());
    context.commit(evaluation, [TEXT.length]);
    for (const i of TEXT.keys()) {
      assertClose(logits[i]!, product(gguf, "token_embd.weight", [...context.hidden(i)]));
    }
  }));

Deno.test("a feature-level head scores as its formulas do, in the text and past it", () =>
  withBench(async ({ target, draft, folder }) => {
    await using model = await target();
    await using head = await draft("feature", model);
    using file = await openGguf(`${folder}/target.gguf`);
    using own = await openGguf(`${folder}/feature.gguf`);
    const { architecture } = model;
    const text = TEXT.slice(0, 9); // the target has read all but the newest
    const states = statesOf({ architecture, weights: file }, text.slice(0, -1));
    const drafted = [33, 4, 150];
    const expected = foretold(own, rowsOf(file, "token_embd.weight", [...text, ...drafted]), states)
      .map((state) => product(file, "token_embd.weight", state));

    await using leader = model.open();
    await leader.append([text.slice(0, -1)]);
    await using context = head.open(leader);
    const evaluation = await context.evaluate([text]);
    for (const i of text.keys()) assertClose(evaluation.logits(i), expected[i]!);
    context.commit(evaluation, [text.length]);
    for (const [i, token] of drafted.entries()) {
      const next = await context.evaluate([[token]]);
      assertClose(next.logits(0), expected[text.length + i]!);
      context.commit(next, [1]);
    }

    /** The head's states over a text of which the target knows the first. */
    function foretold(
      weights: Network["weights"],
      embedded: readonly Vector[],
      known: readonly Vector[],
    ): Vector[] {
      const network = { architecture: { ...architecture, layers: 1 }, weights };
      const read: Vector[] = [];
      const found: Vector[] = [];
      for (const [at, embedding] of embedded.entries()) {
        const before = at === 0 ? embedding.map(() => 0) : known[at - 1] ?? found[at - 1]!;
        read.push(product(weights, "fc.weight", [...embedding, ...before]));
        const sees = (position: number, other: number): boolean =>
          other <= position && (other > 0 || position === 0);
        const stream = layer(network, 0, read, sees).at(-1)!;
        found.push(normalise(network, "output_norm.weight", stream));
      }
      return found;
    }
  }));

Deno.test("an exit head scores as its formulas do, alone and behind its target", () =>
  withBench(async ({ target, draft, folder }) => {
    await using model = await target();
    await using head = await draft("exit", model);
    using file = await openGguf(`${folder}/target.gguf`);
    using own = await openGguf(`${folder}/exit.gguf`);
    const { architecture } = model;
    const embedded = rowsOf(file, "token_embd.weight", TEXT);
    const network = { architecture, weights: own };
    const expected = layer({ architecture, weights: file }, 0, embedded).map((stream) => {
      const left = feedForward(network, "blk.0", stream);
      const state = normalise(network, "output_norm.weight", left);
      return product(file, "token_embd.weight", state);
    });
    (await logitsOf(head.model, TEXT)).forEach((row, i) => assertClose(row, expected[i]!));
    await using leader = model.open();
    await leader.append([TEXT.slice(0, -1)]);
    await using context = head.open(leader);
    assertClose((await context.evaluate([TEXT.slice(-1)])).logits(0), expected.at(-1)!);
  }));

for (const precision of ["fp32", "int8"] as const) {
  Deno.test(`layers that borrow an embedding score as with a copy of it, to the bit (${precision})`, () =>
    withBench(async ({ target, draft, folder, sha256 }) => {
      await using model = await target({ precision });
      await using borrowing = await draft("draft", model, { precision });
      const embedding = tinyTensors().find(({ name }) => name === "token_embd.weight")!;
      const copy = toyGguf(
        { ...tinyMetadata, "llama.block_count": { u32: 1 } },
        [embedding, ...tinyDraftTensors("draft")],
      );
      await Deno.writeFile(`${folder}/copy.gguf`, copy);
      await using whole = await draft("copy", model, { precision });
      assertEquals([whole.role, borrowing.role], [null, "draft"]);
      assertEquals(await logitsOf(borrowing.model, TEXT), await logitsOf(whole.model, TEXT));
      assertEquals(model.details.sha256, sha256);
    }));
}

Deno.test("no weights of the target are copied, but for a head in another precision", () =>
  withBench(async ({ target, draft, folder }) => {
    await using model = await target({ precision: "int8" });
    const table = model.vocabularySize * model.architecture.hidden;
    for (const role of ROLES) {
      await using same = await draft(role, model, { precision: "int8" });
      const options = { precision: "int8", headPrecision: "fp32" } as const;
      await using other = await draft(role, model, options);
      assertLess(same.model.weightBytes + 4 * table, other.model.weightBytes + 1);
    }
    const folders = [...Deno.readDirSync(`${folder}/graphs`)].filter(({ isDirectory }) =>
      isDirectory
    );
    assertEquals(folders.length, 1);
  }));

for (const role of ROLES) {
  Deno.test(`greedy speculation with a ${role} emits what plain decoding emits, however far it drafts`, () =>
    withBench(async ({ target, draft }) => {
      for (const precision of ["fp32", "int4"] as const) {
        await using model = await target({ precision });
        await using plain = model.open();
        const options = { maxTokens: 280, seed: 1 };
        const expected = await tokensOf(autoregress(plain, TEXT, options));
        for (const vocabulary of [undefined, KEPT]) {
          await using opened = await draft(role, model, { vocabulary });
          for (const length of [1, 2, 4, 8]) {
            await using context = model.open();
            await using own = opened.open(context);
            const rounds = speculate(context, modelDrafter(own), TEXT, {
              ...options,
              policy: fixed(length),
            });
            assertEquals(await tokensOf(rounds), expected, `${precision}, ${length} a round`);
          }
        }
      }
    }));

  Deno.test(`a ${role} that followed a text drafts as a fresh one does, whatever was rejected`, () =>
    withBench(async ({ target, draft }) => {
      await using model = await target();
      await using opened = await draft(role, model);
      await using leader = model.open();
      await leader.append([TEXT.slice(0, -1)]);
      await using context = opened.open(leader);
      const drafter = modelDrafter(context);
      const request = { limit: 4, sampling: {}, random: Math.random };
      const text = [...TEXT];
      await drafter.begin!(text);
      for (const accepted of [0, 1, 4, 2, 0]) {
        const { tokens } = await drafter.propose(text, request);
        const emitted = [...tokens.slice(0, accepted), 77];
        await leader.append([[text.at(-1)!, ...emitted.slice(0, -1)]]);
        text.push(...emitted);
        drafter.observe!(NOTHING, text);
        await using again = model.open(); // a follower of the same context would end its evaluation
        await again.append([text.slice(0, -1)]);
        await using fresh = opened.open(again);
        const expected = await modelDrafter(fresh).propose(text, request);
        assertEquals(await drafter.propose(text, request), expected, `${accepted} accepted`);
        assertClose(await scoresAfter(context, text), await scoresAfter(fresh, text));
      }
    }));
}

Deno.test("sampled speculation with heads draws the target's joint distribution", () =>
  withBench(async ({ target, draft }) => {
    await using model = await target();
    const sampling = { temperature: 1, topK: 2 };
    const [prompt, runs, count] = [TEXT.slice(0, 3), 3000, 3];
    await using context = model.open();
    const expected = new Map<string, number>();
    const spread = async (text: readonly TokenId[], probability: number): Promise<void> => {
      if (text.length === count) return void expected.set(text.join(" "), probability);
      context.truncate(0);
      const read = [...prompt, ...text];
      const p = distribution((await context.evaluate([read])).logits(read.length - 1), sampling);
      for (const [token, mass] of p.entries()) {
        if (mass > 0) await spread([...text, token], probability * mass);
      }
    };
    await spread([], 1);
    for (const role of ROLES) {
      await using opened = await draft(role, model);
      const counts = new Map<string, number>();
      context.truncate(0);
      await using own = opened.open(context);
      for (let seed = 0; seed < runs; seed++) {
        context.truncate(0);
        if (role !== "exit") own.truncate(0);
        const options = { maxTokens: count, seed, sampling };
        const text = (await tokensOf(speculate(context, modelDrafter(own), prompt, options))).join(
          " ",
        );
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
      assert(gTest(counts, expected).pValue > 1e-3 / ROLES.length, role);
    }
  }));

Deno.test("who cannot draft says why", () =>
  withBench(async ({ target, draft, folder, sha256 }) => {
    await using model = await target();
    const write = (name: string, ...args: Parameters<typeof tinyDraft>): Promise<void> =>
      Deno.writeFile(`${folder}/${name}.gguf`, tinyDraft(...args));
    const refused: readonly [string, Parameters<typeof tinyDraft>][] = [
      ["made for another target", ["feature", "00ff"]],
      ["specbound.role is tree", ["exit", sha256, {
        metadata: { "specbound.role": { string: "tree" } },
      }]],
      ["specbound.exit.layers is 2", [
        "exit",
        sha256,
        { metadata: { "specbound.exit.layers": { u32: 2 } } },
      ]],
      ["tensor fc.weight is missing", ["feature", sha256, { shapes: { "fc.weight": null } }]],
      ["tensor output_norm.weight is missing", [
        "draft",
        sha256,
        { shapes: { "output_norm.weight": null } },
      ]],
      ["tensor blk.0.ffn_up.weight has shape [64, 32], not [96, 32]", [
        "exit",
        sha256,
        { shapes: { "blk.0.ffn_up.weight": [64, 32] } },
      ]],
      ["an exit head has no tensor", ["exit", sha256, { shapes: { "fc.weight": [32, 64] } }]],
    ];
    for (const [reason, file] of refused) {
      await write("refused", ...file);
      await assertRejects(() => draft("refused", model), ArchitectureError, reason);
    }
    await using blind = await target({ hidden: false });
    await assertRejects(() => draft("feature", blind), DraftError, "loaded without hidden states");
    await using context = blind.open();
    await context.append([[1]]);
    assertThrows(() => context.hidden(0), ContextError, "load it with hidden: true");

    await using head = await draft("feature", model);
    assertThrows(() => head.model.open(), ContextError, "follow a context of the target");
    await using leader = model.open();
    await leader.append([TEXT]);
    assertThrows(() => leader.hidden(TEXT.length), RangeError, "index");
    await using own = head.open(leader);
    await assertRejects(() => own.evaluate([[...TEXT, 1, 2]]), ContextError, "one by one");
    const tree = treeDrafter(own, { widths: [2, 2, 1] });
    const request = { limit: 3, sampling: {}, random: Math.random };
    await assertRejects(() => tree.propose([...TEXT, 1], request), ContextError, "one by one");
  }));

Deno.test("a file says whether it reads hidden states", () =>
  withBench(async ({ folder }) => {
    const wanting = [];
    for (const role of [...ROLES, "target"]) {
      if (await readHidden([`${folder}/${role}.gguf`], { cache: folder })) wanting.push(role);
    }
    assertEquals(wanting, ["feature"]);
  }));

Deno.test({
  name: "real weights score the same to the bit with and without hidden states",
  ignore: skipped,
  fn: () =>
    withModel({ precision: "int4", exact: true }, async (plain) => {
      const { runtime } = plain.session("scattered");
      const options = { runtime, precision: "int4", exact: true, hidden: true } as const;
      await using open = await loadModel(MODEL, options);
      const text = noise(40, plain.vocabularySize);
      assertEquals(await logitsOf(open, text), await logitsOf(plain, text));
    }),
});

async function logitsOf(model: LoadedModel, text: readonly TokenId[]): Promise<Float32Array[]> {
  await using context = model.open();
  const evaluation = await context.evaluate([text]);
  return text.map((_, index) => evaluation.logits(index).slice());
}

/** A round of which nothing is looked at. */
const NOTHING = {} as Round;

/** What a context of a draft says comes after a text. */
async function scoresAfter(context: OnnxContext, text: readonly TokenId[]): Promise<Float32Array> {
  context.truncate(Math.min(context.length(), text.length - 1));
  const unread = text.slice(context.length());
  const evaluation = await context.evaluate([unread], undefined, "last");
  return evaluation.logits(unread.length - 1).slice();
}

/** The target's hidden states, by its formulas. */
function statesOf(network: Network, text: readonly TokenId[]): Vector[] {
  let streams: readonly Vector[] = rowsOf(network.weights, "token_embd.weight", text);
  for (let at = 0; at < network.architecture.layers; at++) streams = layer(network, at, streams);
  return streams.map((stream) => normalise(network, "output_norm.weight", stream));
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assertLess(Math.abs(actual[i]! - expected[i]!), 1e-4, `entry ${i}`);
  }
}
