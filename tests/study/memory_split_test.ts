import { assertEquals } from "@std/assert";
import { splitMemory } from "../../lib/study/memory_split.ts";

const target = { weightBytes: 500, cacheBytes: [40, 10] };
const draft = { weightBytes: 100, cacheBytes: [5] };

Deno.test("the two runs of a pair share one rest, and differ by the draft", () => {
  const plain = splitMemory(700, [target], [draft]);
  const speculative = splitMemory(700, [target, draft]);
  assertEquals(plain, { weightBytes: 500, keyValueBytes: 50, bufferBytes: 45 });
  assertEquals(speculative, { weightBytes: 600, keyValueBytes: 55, bufferBytes: 45 });
});

Deno.test("the parts of a process that holds nothing else are its resident memory", () => {
  const { weightBytes, keyValueBytes, bufferBytes } = splitMemory(1234, [target, draft]);
  assertEquals(weightBytes + keyValueBytes + bufferBytes!, 1234);
});

Deno.test("a rest below zero is null, not 0", () => {
  assertEquals(splitMemory(600, [target, draft]).bufferBytes, null);
});
