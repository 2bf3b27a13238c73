import { assert, assertEquals } from "@std/assert";
import { run, runHere } from "./child.ts";
import { CASES } from "./refused_child.ts";

const MODULES = new URL("../../lib/", import.meta.url).href;
/** Asks for 6 GB in pieces of 32 MB. */
const HALF_GRANTED = `
  import { KeyValueCache } from "${MODULES}engine/key_value_cache.ts";
  import { Runtime } from "${MODULES}onnx/mod.ts";
  using runtime = new Runtime({ threads: 1 });
  const before = Deno.memoryUsage().rss;
  const shape = { layers: 96, rows: 1, heads: 1, headSize: 16, hidden: 0 };
  let error = "none";
  try {
    new KeyValueCache(runtime, shape, 2 ** 19);
  } catch (thrown) {
    error = String(thrown);
  }
  new KeyValueCache(runtime, shape, 256).release();
  console.log(JSON.stringify({ error, grown: Deno.memoryUsage().rss - before }));`;

for (const name of Object.keys(CASES)) {
  Deno.test(name, async () => {
    const { code, err } = await runHere("refused_child.ts", [name]);
    assertEquals(code, 0, err);
  });
}

Deno.test({
  name: "what the system grants and then refuses goes back, where memory may not be asked for",
  ignore: Deno.build.os !== "linux", // others do not hold to such limits
  fn: async () => {
    const path = Deno.makeTempFileSync({ suffix: ".ts" });
    try {
      Deno.writeTextFileSync(path, HALF_GRANTED);
      const permissions = ["--no-prompt", "--allow-read", "--allow-ffi"];
      const deno = ["run", "--quiet", "--config", "deno.json", ...permissions, path];
      const limited = ["-c", 'ulimit -d 800000; exec "$@"', "sh", Deno.execPath(), ...deno];
      const { code, out, err } = await run("sh", limited);
      assertEquals(code, 0, err);
      const { error, grown } = JSON.parse(out);
      assert(error.startsWith("OnnxRuntimeError: Cannot call CreateTensorAsOrtValue as "), error);
      assert(grown < 64e6, `${grown} bytes did not come back`);
    } finally {
      Deno.removeSync(path);
    }
  },
});
