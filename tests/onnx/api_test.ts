import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { loadApi } from "../../lib/onnx/api.ts";
import { libraryPath, locateLibrary, OnnxRuntimeError, Runtime } from "../../lib/onnx/mod.ts";

Deno.test("the package carries a library for each system it is looked for on", () => {
  const root = locateLibrary().split("/bin/napi-v6/")[0]!.split("\\bin\\napi-v6\\")[0]!;
  for (
    const [os, arch] of [
      ["linux", "x86_64"],
      ["linux", "aarch64"],
      ["darwin", "aarch64"],
      ["windows", "x86_64"],
      ["windows", "aarch64"],
    ] as const
  ) assert(Deno.statSync(`${root}/${libraryPath(os, arch)}`).isFile);
  assertThrows(() => libraryPath("freebsd", "x86_64"), OnnxRuntimeError, "freebsd");
});

Deno.test("another release is refused by name", () => {
  assertThrows(
    () => loadApi(locateLibrary(), "1.29.0"),
    OnnxRuntimeError,
    "as it is ONNX Runtime 1.30.0: 1.29.0 is needed",
  );
});

Deno.test("a file that is no library is refused by name", () => {
  const file = Deno.makeTempFileSync();
  assertThrows(() => loadApi(file), OnnxRuntimeError, `Cannot load ${file}`);
  Deno.removeSync(file);
});

Deno.test("without permission to call native code the error says which flag is missing", async () => {
  const root = new URL("../../", import.meta.url);
  const script = Deno.makeTempFileSync({ suffix: ".ts" });
  const api = new URL("lib/onnx/api.ts", root).href;
  Deno.writeTextFileSync(script, `import { loadApi } from "${api}"; loadApi();`);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", "deno.json", "--no-prompt", "--allow-read", script],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  Deno.removeSync(script);
  assertEquals(code, 1);
  assertStringIncludes(new TextDecoder().decode(stderr), "add --allow-ffi");
});

Deno.test("there is one runtime a process, and another after it", () => {
  {
    using first = new Runtime({ threads: 2 });
    assertThrows(() => new Runtime({ threads: 1 }), OnnxRuntimeError, "open with 2 threads");
    assertEquals(first.threads, 2);
  }
  using second = new Runtime({ threads: 1, spinning: false });
  assertEquals(second.threads, 1);
  assertThrows(() => new Runtime({ threads: 0 }), RangeError, "threads must be an integer");
});
