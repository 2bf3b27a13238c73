import { assertEquals, assertThrows } from "@std/assert";
import { BLOCKS, dequantize, type GgufKind } from "../../lib/models/dequantize.ts";
import fixture from "./fixtures/dequantize.json" with { type: "json" };

const kinds = Object.keys(BLOCKS) as GgufKind[];

/** Bits, not numbers: -0 must stay -0. */
const bits = (floats: Float32Array) => new Uint32Array(floats.buffer);

for (const kind of kinds) {
  Deno.test(`dequantize() unpacks ${kind} bit for bit as ggml's Python package`, () => {
    const bytes = Uint8Array.fromBase64(fixture[kind].bytes);
    const expected = new Float32Array(Uint8Array.fromBase64(fixture[kind].floats).buffer);
    assertEquals(bits(dequantize(kind, bytes, expected.length)), bits(expected));
  });

  Deno.test(`dequantize() of ${kind} does not depend on where the bytes lie in their buffer`, () => {
    const bytes = Uint8Array.fromBase64(fixture[kind].bytes);
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    const count = bytes.length / BLOCKS[kind].bytes * BLOCKS[kind].size;
    assertEquals(bits(dequantize(kind, shifted, count)), bits(dequantize(kind, bytes, count)));
  });

  Deno.test(`dequantize() of ${kind} rejects a wrong number of bytes`, () => {
    const { size, bytes } = BLOCKS[kind];
    assertThrows(
      () => dequantize(kind, new Uint8Array(bytes - 1), size),
      RangeError,
      `Cannot dequantize as ${size} weights of ${kind} take ${bytes} bytes: current length is`,
    );
  });
}

Deno.test("dequantize() of nothing is nothing", () => {
  for (const kind of kinds) assertEquals(dequantize(kind, new Uint8Array(0), 0).length, 0);
});

Deno.test("dequantize() rejects a count that is no whole number of blocks", () => {
  for (const count of [1, -32, 16, 1.5, NaN, Infinity]) {
    assertThrows(() => dequantize("Q4_1", new Uint8Array(20), count), RangeError, "multiple of 32");
  }
});
