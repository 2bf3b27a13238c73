import { assertEquals, assertThrows } from "@std/assert";
import { ArgumentError } from "../../../cli/arguments.ts";
import { openPeer, readPeers } from "../../../cli/peers/choice.ts";
import { cacheDirectory } from "../../../lib/models/cache.ts";

const llama = new URL("../../engine/fixtures/architectures/llama.gguf", import.meta.url).pathname;

Deno.test("--peer names engines in order, and where they lie", () => {
  assertEquals(readPeers("genai:C:\\models,llama.cpp"), [
    { engine: "genai", folder: "C:\\models" },
    { engine: "llama.cpp", folder: `${cacheDirectory()}/peers/llama.cpp` },
  ]);
});

for (const peer of ["", "genai", "genai:", "vllm", "some/folder", "llama.cpp,"]) {
  Deno.test(`--peer "${peer}" is an error that says what there is`, () => {
    assertThrows(() => readPeers(peer), ArgumentError, "give llama.cpp, llama.cpp:FOLDER or genai");
  });
}

Deno.test("a peer that has nothing near a precision is left out of it, and never started", async () => {
  const subject = { model: llama, threads: 1 };
  const choices = readPeers("genai:nowhere,llama.cpp:nowhere");
  assertEquals(await openPeer(choices[0]!, { ...subject, precision: "int8" }), null);
  assertEquals(await openPeer(choices[1]!, { ...subject, precision: "int4" }), null);
});
