import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { architectureOf } from "../../lib/models/architecture.ts";
import { buildGraphs } from "../../lib/models/build.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import type { WeightSource } from "../../lib/models/graph.ts";
import { randomWeights } from "../../lib/models/random_weights.ts";

const OPTIONS = { precision: "int4", headPrecision: "int8" } as const;

/** Builds from real weights, calls `use`, and leaves nothing behind. */
async function withFixture(
  name: string,
  use: (source: Parameters<typeof buildGraphs>[0], cache: string) => Promise<void>,
): Promise<void> {
  const file = new URL(`../engine/fixtures/architectures/${name}.gguf`, import.meta.url);
  using gguf = await openGguf(fileURLToPath(file));
  const cache = await Deno.makeTempDir();
  try {
    await use({ sha256: name, architecture: architectureOf(gguf), weights: gguf }, cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

for (const name of ["llama", "llama-plain", "llama3", "qwen2", "qwen3"]) {
  Deno.test(`${name}: random weights fill the graphs that real ones do`, async () => {
    await withFixture(name, async (source, cache) => {
      for (const precision of ["fp32", "int8", "int4"] as const) {
        const options = { cache, precision, headPrecision: precision };
        const real = await buildGraphs(source, options);
        const { architecture } = source;
        const random = await buildGraphs({ architecture, ...randomWeights(architecture) }, options);
        assertNotEquals(random.hash, real.hash);
        assertEquals(random.places, real.places);
        for (const form of ["scattered", "grouped"] as const) {
          assertEquals(
            Deno.readFileSync(random.graphs[form]),
            Deno.readFileSync(real.graphs[form]),
          );
        }
      }
    });
  });
}

Deno.test("what was built is not built again", async () => {
  await withFixture("llama", async (source, cache) => {
    const built = await buildGraphs(source, { cache, ...OPTIONS });
    const weights: WeightSource = {
      readFloats: () => {
        throw new Error("read again");
      },
    };
    assertEquals(await buildGraphs({ ...source, weights }, { cache, ...OPTIONS }), built);
    const other = { ...source, weights, sha256: "other" };
    await assertRejects(() => buildGraphs(other, { cache, ...OPTIONS }), Error, "read again");
    const names = [...Deno.readDirSync(`${cache}/graphs`)].map(({ name }) => name);
    assert(!names.some((name) => name.endsWith(".partial")));
  });
});

Deno.test("tensors lie apart in the file of weights, each at the beginning of a page", async () => {
  await withFixture("llama", async (source, cache) => {
    const { places, weights } = await buildGraphs(source, { cache, ...OPTIONS });
    let end = 0;
    for (const { name, offset, bytes } of places) {
      assertEquals(offset % 4096, 0, name);
      const alias = name.startsWith("token_embd.row_");
      assert(alias || offset >= end, name);
      if (!alias) end = offset + bytes;
    }
    assertEquals(Deno.statSync(weights).size, end);
  });
});
