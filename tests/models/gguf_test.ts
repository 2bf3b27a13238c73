import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GgufError, openGguf } from "../../lib/models/gguf.ts";
import { temporary, toyGguf, type ToyTensor, type Value } from "./fixtures/toy_gguf.ts";

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const weights: ToyTensor = { name: "w", kind: 0, shape: [2, 3], bytes: floats(1, 2, 3, 4, 5, 6) };
const blocks: ToyTensor = { name: "q", kind: 8, shape: [1, 64], bytes: new Uint8Array(68).fill(1) };
const metadata: Record<string, Value> = {
  "general.architecture": { string: "llama" },
  "llama.block_count": { u32: 2 },
  "big": { u64: 2n ** 40n },
  "tokenizer.ggml.tokens": { strings: ["a", "é", ""] },
  "tokenizer.ggml.token_type": { i32s: [1, 3, -1] },
  "tokenizer.ggml.add_bos_token": { bool: true },
};
const sound = toyGguf(metadata, [weights, blocks]);

async function rejects(bytes: Uint8Array, reason: string): Promise<void> {
  using file = temporary(bytes);
  const error = await assertRejects(() => openGguf(file.path), GgufError);
  assert(error.message.startsWith(`Cannot read ${file.path} as `), error.message);
  assert(error.message.includes(reason), `${error.message} lacks ${reason}`);
}

Deno.test("openGguf() gives back what was written", async () => {
  using file = temporary(sound);
  using gguf = await openGguf(file.path);
  assertEquals(gguf.path, file.path);
  assertEquals(gguf.metadata["llama.block_count"], 2);
  assertEquals(gguf.metadata["big"], 2n ** 40n);
  assertEquals(gguf.metadata["tokenizer.ggml.tokens"], ["a", "é", ""]);
  assertEquals(gguf.metadata["tokenizer.ggml.token_type"], [1, 3, -1]);
  assertEquals(gguf.metadata["tokenizer.ggml.add_bos_token"], true);
  assertEquals([...gguf.tensors.keys()], ["w", "q"]);
  assertEquals(gguf.tensors.get("w")?.shape, [2, 3]);
  assertEquals(gguf.readFloats("w"), Float32Array.of(1, 2, 3, 4, 5, 6));
  assertEquals(gguf.tensors.get("q")?.kind, "Q8_0");
  assertEquals(gguf.read("q"), blocks.bytes);
});

Deno.test("readFloats() of some rows is that part of all rows", async () => {
  const rows = { ...blocks, shape: [4, 32], bytes: new Uint8Array(4 * 34).map((_, i) => i) };
  using file = temporary(toyGguf(metadata, [weights, rows]));
  using gguf = await openGguf(file.path);
  for (const [name, columns, count] of [["w", 3, 2], ["q", 32, 4]] as const) {
    const whole = gguf.readFloats(name);
    for (let from = 0; from <= count; from++) {
      for (let to = from; to <= count; to++) {
        const part = gguf.readFloats(name, from, to);
        assertEquals(part, whole.subarray(from * columns, to * columns));
      }
    }
    for (const [from, to] of [[-1, 1], [0, count + 1], [2, 1], [0.5, 1]] as const) {
      assertThrows(() => gguf.readFloats(name, from, to), RangeError, "Cannot read weights");
    }
  }
});

Deno.test("openGguf() honours general.alignment", async () => {
  using file = temporary(toyGguf({ "general.alignment": { u32: 256 } }, [weights, blocks], 256));
  using gguf = await openGguf(file.path);
  assertEquals(gguf.tensors.get("w")!.offset % 256, 0);
  assertEquals(gguf.readFloats("w")[5], 6);
  assertEquals(gguf.read("q"), blocks.bytes);
});

Deno.test("openGguf() reads a list's last string whole where the reader's buffer cuts it", async () => {
  const border = 2_000_000; // the buffer grows by this many bytes
  const last = "the last one";
  for (let before = 0; before <= last.length; before++) {
    const fillers = [900_000, 900_000, border - before - 60 - 3 * 8 - 1_800_000];
    const strings = [...fillers.map((length) => "x".repeat(length)), last];
    using file = temporary(toyGguf({ list: { strings }, after: { u32: 7 } }));
    using gguf = await openGguf(file.path);
    assertEquals((gguf.metadata["list"] as string[]).at(-1), last);
    assertEquals(gguf.metadata["after"], 7);
  }
});

Deno.test("openGguf() takes keys named as Object's own for keys", async () => {
  using file = temporary(toyGguf([["toString", { u32: 1 }], ["constructor", { u32: 2 }]]));
  using gguf = await openGguf(file.path);
  assertEquals(gguf.metadata["toString"], 1);
  assertEquals(gguf.metadata["hasOwnProperty"], undefined);
});

Deno.test("openGguf() rejects a file cut at any byte", async () => {
  for (let length = 0; length < sound.length; length++) {
    using file = temporary(sound.subarray(0, length));
    await assertRejects(() => openGguf(file.path), GgufError);
  }
});

Deno.test("openGguf() rejects what is missing or no file", async () => {
  await assertRejects(() => openGguf("no/such.gguf"), GgufError, "there is no such file");
  await assertRejects(() => openGguf(Deno.makeTempDirSync()), GgufError, "it is not a file");
});

Deno.test("openGguf() rejects other magic numbers, versions and byte orders", async () => {
  const patched = (at: number, ...bytes: number[]) => {
    const copy = sound.slice();
    copy.set(bytes, at);
    return copy;
  };
  await rejects(patched(0, 0x50), "it does not start with GGUF");
  await rejects(patched(4, 1), "its version is 1, not 2 or 3");
  await rejects(patched(4, 9), "its version is 9, not 2 or 3");
  await rejects(patched(4, 0, 0, 0, 3), "it is big-endian");
});

Deno.test("openGguf() rejects counts that the file cannot hold", async () => {
  for (const at of [8, 16]) {
    for (const count of [100n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      const copy = sound.slice();
      new DataView(copy.buffer).setBigUint64(at, count, true);
      await rejects(copy, "it claims");
    }
  }
});

Deno.test("openGguf() rejects lengths that the file cannot hold", async () => {
  for (const length of [2n ** 15n, 2n ** 19n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n]) {
    const key = toyGguf({ k: { string: "v" } });
    new DataView(key.buffer).setBigUint64(24, length, true);
    await rejects(key, length < 2n ** 16n ? "inside the header" : "a name claims");
    const value = toyGguf({ k: { string: "v" } });
    new DataView(value.buffer).setBigUint64(37, length, true);
    await rejects(value, length < 2n ** 20n ? "inside the header" : "a string claims");
    const array = toyGguf({ k: { i32s: [1] } });
    new DataView(array.buffer).setBigUint64(41, length, true);
    await rejects(array, length < 1_000_000n ? "inside the header" : "a metadata array claims");
  }
});

Deno.test("openGguf() rejects metadata of unknown types and arrays nested deeply", async () => {
  const unknown = toyGguf({ k: { u32: 1 } });
  unknown[33] = 13;
  await rejects(unknown, "a metadata value of unknown type 13");
  const arrays = toyGguf({ k: { i32s: Array.from({ length: 60 }, (_, i) => [9, 1, 0][i % 3]!) } });
  arrays[37] = 9; // an array of arrays of arrays …
  new DataView(arrays.buffer).setBigUint64(41, 1n, true);
  await rejects(arrays, "nests arrays too deeply");
});

Deno.test("openGguf() rejects lists that the reader would read over and over", async () => {
  const count = 800_000; // of strings, all empty: eight zeros each
  const file = toyGguf({ list: { i32s: new Array(count * 2).fill(0) } });
  file[40] = 8;
  new DataView(file.buffer).setBigUint64(44, BigInt(count), true);
  await rejects(file, "more lists than can be read");
});

Deno.test("openGguf() rejects keys and tensors that stand twice", async () => {
  await rejects(toyGguf([["k", { u32: 1 }], ["k", { u32: 2 }]]), 'the metadata key "k"');
  await rejects(toyGguf({}, [weights, weights]), 'tensor "w" stands twice');
});

Deno.test("openGguf() rejects tensors of unknown kinds, shapes and places", async () => {
  const tensor = (change: Partial<ToyTensor>) => toyGguf({}, [{ ...weights, ...change }]);
  await rejects(tensor({ kind: 20 }), 'tensor "w" is of kind 20, which is none of F32, F16');
  await rejects(tensor({ shape: [] }), "impossible shape []");
  await rejects(tensor({ shape: [0, 3] }), "impossible shape [0, 3]");
  await rejects(tensor({ shape: [1, 1, 1, 1, 1] }), "impossible shape");
  await rejects(tensor({ shape: [2 ** 27, 2 ** 27] }), "impossible shape");
  await rejects(tensor({ shape: [2, 4] }), "past the file's");
  await rejects(
    tensor({ kind: 8, shape: [1, 48] }),
    "rows of 48 weights, no multiple of Q8_0's 32",
  );
  await rejects(tensor({ offset: 4n }), "offset 4, no multiple of 32");
  await rejects(tensor({ offset: 2n ** 60n }), "offset");
  await rejects(tensor({ offset: 32n }), "past the file's");
});

Deno.test("openGguf() rejects alignments that are no power of two", async () => {
  for (const value of [{ u32: 0 }, { u32: 48 }, { u32: 2 ** 31 }, { string: "32" }, { f32: 0.5 }]) {
    await rejects(toyGguf({ "general.alignment": value }, [weights]), "alignment");
  }
});

Deno.test("Gguf.read() rejects unknown names, and everything once the file is closed", async () => {
  using file = temporary(sound);
  const gguf = await openGguf(file.path);
  assertThrows(() => gguf.read("nope"), GgufError, 'it has no tensor "nope"');
  gguf[Symbol.dispose]();
  gguf[Symbol.dispose]();
  assertThrows(() => gguf.read("w"), GgufError, "it was closed");
});

Deno.test("Gguf.read() of a file cut after it was opened is a GgufError", async () => {
  using file = temporary(sound);
  using gguf = await openGguf(file.path);
  Deno.truncateSync(file.path, sound.length - 1);
  assertEquals(gguf.read("w"), weights.bytes);
  assertThrows(() => gguf.read("q"), GgufError, 'it ends inside tensor "q"');
});
