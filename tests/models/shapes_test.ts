import { assert, assertEquals, assertLess, assertNotEquals, assertThrows } from "@std/assert";
import { UnknownModelError } from "../../lib/models/catalog.ts";
import { randomWeights } from "../../lib/models/random_weights.ts";
import { findShape, parameterCount, shapes } from "../../lib/models/shapes.ts";
import { expectedShapes } from "../../lib/models/tensor_shapes.ts";

/** Parameters as the models' pages on the Hugging Face Hub count them. */
const PUBLISHED: Readonly<Record<string, number>> = {
  "shape:smollm2-135m": 134_515_008,
  "shape:smollm2-360m": 361_821_120,
  "shape:smollm2-1.7b": 1_711_376_384,
  "shape:llama-3.2-1b": 1_235_814_400,
  "shape:llama-3.2-3b": 3_212_749_824,
  "shape:llama-3.1-8b": 8_030_261_248,
  "shape:qwen3-0.6b": 596_049_920,
  "shape:qwen3-1.7b": 1_720_574_976,
  "shape:qwen3-4b": 4_022_468_096,
};

Deno.test("every shape has as many parameters as the model that was published", () => {
  const counted = shapes.map(({ id, architecture }) => [id, parameterCount(architecture)]);
  assertEquals(Object.fromEntries(counted), PUBLISHED);
});

Deno.test("findShape() of an unknown name lists the known ones", () => {
  const error = assertThrows(() => findShape("shape:gpt-5"), UnknownModelError);
  assert(error.message.includes("shape:llama-3.2-1b"));
});

Deno.test("random weights do not depend on the pieces that they are read in", () => {
  const { architecture } = findShape("shape:qwen3-0.6b");
  const { weights } = randomWeights(architecture);
  const name = "blk.3.ffn_down.weight";
  const whole = weights.readFloats(name);
  const { feedForward } = architecture;
  for (const [from, to] of [[0, 1], [341, 343], [1000, 1024]] as const) {
    assertEquals(
      weights.readFloats(name, from, to),
      whole.subarray(from * feedForward, to * feedForward),
    );
  }
});

Deno.test("random weights are of an ordinary size, and no two tensors are equal", () => {
  const { architecture } = findShape("shape:smollm2-135m");
  const { weights } = randomWeights(architecture);
  const beginnings = new Set<number>();
  let matrices = 0;
  for (const [name, shape] of expectedShapes(architecture)) {
    const values = weights.readFloats(name, 0, 1);
    if (shape.length === 1) {
      assertEquals(new Set(values), new Set([1]), name);
    } else {
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
      assertLess(Math.abs(deviation - 0.02), 0.004, name);
      assert(values.every((value) => Math.abs(value) > 1e-10), "a denormal would be slow");
      beginnings.add(values[0]!);
      matrices++;
    }
  }
  assertLess(matrices - beginnings.size, 3);
});

Deno.test("a shape's hash tells it from all others", () => {
  const hashes = shapes.map(({ architecture }) => randomWeights(architecture).sha256);
  assertEquals(new Set(hashes).size, shapes.length);
});

Deno.test("rotary factors leave short waves alone and stretch long ones by the published factor", () => {
  for (const [id, factor] of [["shape:llama-3.2-1b", 32], ["shape:llama-3.1-8b", 8]] as const) {
    const { architecture } = findShape(id);
    const factors = randomWeights(architecture).weights.readFloats("rope_freqs.weight");
    assertEquals([factors.length, factors[0], factors.at(-1)], [
      architecture.headSize / 2,
      1,
      factor,
    ]);
    assertEquals(factors, factors.toSorted());
    assertNotEquals(new Set(factors).size, 2); // some lie between
  }
});
