import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { catalog, findModel, UnknownModelError } from "../../lib/models/catalog.ts";

Deno.test("catalog entries are complete and their names differ", () => {
  for (const { id, file, bytes, sha256, licence, sources } of catalog) {
    assertMatch(id, /^[a-z0-9.-]+$/);
    assertMatch(file, /^[\w.-]+\.gguf$/);
    assertMatch(sha256, /^[0-9a-f]{64}$/);
    assert(Number.isSafeInteger(bytes) && bytes > 0 && licence !== "" && sources.length > 0);
  }
  assertEquals(new Set(catalog.map(({ id }) => id)).size, catalog.length);
  assertEquals(new Set(catalog.map(({ file }) => file)).size, catalog.length);
});

Deno.test("findModel() takes what ends in .gguf for a path", () => {
  for (const path of ["a.gguf", "/x/B.GGUF", "smollm2-135m-instruct.gguf"]) {
    assertEquals(findModel(path), path);
  }
});

Deno.test("findModel() of an unknown name lists the known ones and mentions paths", () => {
  for (const id of ["", "SmolLM2-135M-Instruct", "../x", "toString"]) {
    const error = assertThrows(() => findModel(id), UnknownModelError);
    assert(error.message.includes(catalog[0]!.id) && error.message.includes(".gguf file"));
  }
});
