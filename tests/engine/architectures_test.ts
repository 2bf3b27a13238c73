import { fileURLToPath } from "node:url";
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { GROUPED, SCATTERED } from "../../lib/engine/form_rule.ts";
import { Graphs } from "../../lib/engine/graphs.ts";
import { OnnxModel } from "../../lib/engine/onnx_model.ts";
import { padTo, probeWidths } from "../../lib/engine/width_probe.ts";
import { type Architecture, architectureOf } from "../../lib/models/architecture.ts";
import { type AttentionForm, FORMS, type Precision, writeGraphs } from "../../lib/models/graph.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import { WeightFile } from "../../lib/models/weight_file.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import reference from "./fixtures/architectures.json" with { type: "json" };
import { laws } from "./laws.ts";

const names = [...new Set(reference.map((row) => row.model))];

/** How a tiny model is built and run. */
interface Options {
  readonly precision?: Precision;
  readonly form?: AttentionForm;
  /** Changes what the file says. */
  readonly change?: Partial<Architecture>;
  /** Pads passes to widths that agree. */
  readonly exact?: boolean;
}

/** Builds a tiny model, calls `use` with it, and leaves nothing behind. */
async function withTiny<T>(
  name: string,
  options: Options,
  use: (model: OnnxModel) => Promise<T>,
): Promise<T> {
  const { precision = "fp32", form = "scattered", change, exact = false } = options;
  const file = new URL(`./fixtures/architectures/${name}.gguf`, import.meta.url);
  using gguf = await openGguf(fileURLToPath(file));
  const architecture = { ...architectureOf(gguf), ...change };
  using runtime = new Runtime({ threads: 1 });
  const folder = await Deno.makeTempDir();
  using weights = new WeightFile(folder);
  writeGraphs(weights, architecture, gguf, { precision, headPrecision: precision });
  const built = {
    graphs: { scattered: `${folder}/scattered.onnx`, grouped: `${folder}/grouped.onnx` },
    softmax: `${folder}/softmax.onnx`,
    weights: `${folder}/weights.bin`,
    places: weights.places,
  };
  const model = (pad?: (width: number) => number): OnnxModel =>
    new OnnxModel(new Graphs(runtime, built), architecture, {
      name,
      attention: form === "grouped" ? GROUPED : SCATTERED,
      ...(pad ? { pad } : {}),
    });
  try {
    if (!exact) {
      await using plain = model();
      return await use(plain);
    }
    await using probed = model();
    const probe = await probeWidths(probed);
    await using padded = model(padTo(probe));
    return await use(padded);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The scores of every token of a text, read in one pass. */
async function scores(model: OnnxModel, tokens: readonly number[]): Promise<Float32Array[]> {
  await using context = model.open();
  const evaluation = await context.evaluate([tokens]);
  return tokens.map((_, index) => evaluation.logits(index).slice());
}

for (const name of names) {
  const rows = reference.filter((row) => row.model === name);

  for (const form of FORMS) {
    Deno.test(`${name}, ${form}: fp32 logits are transformers'`, async () => {
      await withTiny(name, { form }, async (model) => {
        for (const { tokens, top, logits } of rows) {
          (await scores(model, tokens)).forEach((found, position) => {
            assertEquals(found.indexOf(Math.max(...found)), top[position]![0]);
            top[position]!.forEach((token, rank) => {
              assertLess(Math.abs(found[token]! - logits[position]![rank]!), 1e-4);
            });
          });
        }
      });
    });
  }

  for (const [law, check] of Object.entries(laws)) {
    Deno.test(`${name}: ${law}`, async () => {
      const options = { rounds: 3, tolerance: 1e-4 };
      await withTiny(name, {}, (model) => check(model, options));
    });
  }

  for (const precision of ["fp32", "int8", "int4"] as const) {
    Deno.test(`${name} in ${precision}: logits do not depend on the width, to the bit`, async () => {
      const law = laws["logits do not depend on how many tokens a pass reads"]!;
      await withTiny(
        name,
        { precision, exact: true, change: { contextLength: 512 } },
        async (model) => {
          await law(model, { rounds: 4 });
        },
      );
    });
  }
}

for (const precision of ["int8", "int4"] as const) {
  Deno.test(`the grouped form in ${precision} scores as the scattered one does`, async () => {
    for (const name of names) {
      const [scattered, grouped] = await compare(name, FORMS.map((form) => ({ form, precision })));
      assertLess(distance(scattered!, grouped!), 0.05, name);
    }
  });
}

Deno.test("each architecture has two texts of reference logits", () => {
  for (const name of names) assertEquals(reference.filter((row) => row.model === name).length, 2);
  assertEquals(names.length, 7);
});

Deno.test("logits do not depend on how long a context may become, to the bit", async () => {
  for (const name of ["llama3", "qwen3"]) {
    const [short, long] = await compare(
      name,
      [4096, 131_072].map((contextLength) => ({ change: { contextLength } })),
    );
    assertEquals(long, short);
  }
});

Deno.test("what distinguishes an architecture shows in its logits", async () => {
  const changes: Record<string, Partial<Architecture>> = {
    "llama": { ropeStyle: "halves" },
    "llama3": { ropeFactors: false },
    "llama-linear": { ropeScale: 1 },
    "qwen2": { attentionBias: false },
    "qwen3": { queryKeyNorm: false },
  };
  for (const [name, change] of Object.entries(changes)) {
    const [right, wrong] = await compare(name, [{}, { change }]);
    assertGreater(distance(right!, wrong!), 1e-2, name);
  }
});

/** The scores after a model's last text, built in several ways. */
async function compare(name: string, ways: readonly Options[]): Promise<Float32Array[]> {
  const { tokens } = reference.findLast((row) => row.model === name)!;
  const found: Float32Array[] = [];
  for (const options of ways) {
    found.push((await withTiny(name, options, (model) => scores(model, tokens))).at(-1)!);
  }
  return found;
}

/** The largest difference of two lists of scores. */
function distance(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.map((score, i) => Math.abs(score - b[i]!)));
}
