import { assertEquals, assertGreater } from "@std/assert";
import { fuzz } from "./fuzz.ts";
import { mutate } from "./mutate.ts";
import { tinyGguf } from "./tiny_model.ts";

Deno.test("2,000 hostile files are read or refused: no crash, no hang, no great allocation", async () => {
  const { outcomes } = await fuzz(0, 2000);
  // The damage must reach every depth, else the test proves little.
  for (const outcome of ["read", "GgufError", "ArchitectureError", "TokenizerError"]) {
    assertGreater(outcomes[outcome] ?? 0, 50, outcome);
  }
});

Deno.test("a seed repeats its damage, and other seeds do other damage", () => {
  const sound = tinyGguf();
  assertEquals(mutate(sound, 7), mutate(sound, 7));
  const texts = Array.from({ length: 200 }, (_, seed) => mutate(sound, seed).join());
  assertGreater(new Set(texts).size, 150);
});
