import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { passWork, totalWork } from "../../lib/analysis/work.ts";
import { findShape } from "../../lib/models/shapes.ts";

const SHAPE = { width: 1, context: 0, batch: 1 };

Deno.test("work equals a count by hand", () => {
  const sizes = {
    layers: 2,
    hidden: 4,
    heads: 2,
    keyValueHeads: 1,
    headSize: 2,
    feedForward: 6,
    vocabularySize: 10,
  };
  const formats = { weights: "fp32", head: "fp16", cache: "fp32" } as const;
  // A layer: queries and output 4 × 4, keys and values 2 × 4, feed-forward 3 times 4 × 6.
  const weights = 2 * (16 + 16 + 8 + 8 + 3 * 24);
  // A token keeps 2 keys and 2 values a layer; 3 of each row are written, 5 + 3 read.
  const stored = 2 * 2 * (2 + 2) * (3 + 8);
  // Queries see 6, 7 and 8 keys; each costs a head 2 × 2 operations, and its value as many.
  const operations = 2 * 2 * 2 * (6 + 7 + 8) * (4 + 4);
  assertEquals(passWork(sizes, { width: 3, context: 5, batch: 2 }, formats), {
    layers: { bytes: 4 * weights, operations: 2 * weights * 6 },
    head: { bytes: 2 * 40, operations: 2 * 40 * 6 },
    attention: { bytes: 4 * stored, operations },
  });
});

Deno.test("a pass reads every published parameter once", () => {
  const published = [
    ["shape:llama-3.2-1b", 1_235_814_400],
    ["shape:llama-3.1-8b", 8_030_261_248],
    ["shape:smollm2-135m", 134_515_008],
  ] as const;
  for (const [id, count] of published) {
    const { architecture } = findShape(id);
    const { layers, hidden, vocabularySize, tiedHead } = architecture;
    const work = passWork(architecture, SHAPE, { weights: "fp16", cache: "fp16" });
    const norms = (2 * layers + 1) * hidden;
    const embedding = tiedHead ? 0 : vocabularySize * hidden;
    assertEquals((work.layers.bytes + work.head.bytes) / 2 + norms + embedding, count);
  }
});

Deno.test("a pass costs two operations a weight and token", () => {
  const { architecture } = findShape("shape:llama-3.2-1b");
  const { operations } = totalWork(passWork(architecture, SHAPE, {
    weights: "fp32",
    cache: "fp32",
  }));
  assertAlmostEquals(operations / (2 * 1_235_814_400), 1, 0.001);
});

Deno.test("weights are read once whatever the width and the batch, keys and values by each row", () => {
  const { architecture } = findShape("shape:llama-3.2-1b");
  const formats = { weights: "int4", cache: "fp32" } as const;
  const at = (width: number, batch: number) =>
    passWork(architecture, { width, context: 100, batch }, formats);
  assertEquals(at(8, 4).layers.bytes, at(1, 1).layers.bytes);
  assertEquals(at(8, 4).layers.operations, 32 * at(1, 1).layers.operations);
  assertEquals(at(1, 4).attention.bytes, 4 * at(1, 1).attention.bytes);
  assertThrows(() => at(0, 1), RangeError, "width must be an integer of at least 1");
});

Deno.test("blocks of 32 codes share a scale of four bytes", () => {
  const { architecture } = findShape("shape:llama-3.2-1b");
  const bytes = (weights: "fp32" | "int8" | "int4") =>
    passWork(architecture, SHAPE, { weights, cache: "fp32" }).layers.bytes;
  assertEquals(bytes("int8") / bytes("fp32"), (32 + 4) / (32 * 4));
  assertEquals(bytes("int4") / bytes("fp32"), (16 + 4) / (32 * 4));
});
