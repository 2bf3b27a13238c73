import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import {
  canMapFiles,
  MappedFile,
  OnnxRuntimeError,
  Runtime,
  Session,
  SharedWeights,
} from "../../lib/onnx/mod.ts";
import { run, withTwins } from "./twins.ts";

Deno.test({
  name: "graphs over shared weights compute what they compute alone, to the bit",
  ignore: !canMapFiles,
  fn: async () => {
    using runtime = new Runtime({ threads: 1 });
    await withTwins(async (folder, places) => {
      using weights = new SharedWeights(runtime, `${folder}/weights.bin`, places);
      for (const name of ["plain", "negated"]) {
        using alone = new Session(runtime, `${folder}/${name}.onnx`);
        using shared = new Session(runtime, `${folder}/${name}.onnx`, { weights });
        assertEquals(await run(shared), await run(alone));
      }
    });
  },
});

Deno.test({
  name: "more graphs over shared weights take no memory for them",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const script = new URL("./twins.ts", import.meta.url).href;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", script],
      stderr: "inherit",
    }).output();
    const { shared, alone } = JSON.parse(new TextDecoder().decode(stdout));
    assertLess(shared, 2);
    assertGreater(alone, 4); // so the test can see it
  },
});

Deno.test({
  name: "a session may go before the others that share its weights",
  ignore: !canMapFiles,
  fn: async () => {
    using runtime = new Runtime({ threads: 1 });
    await withTwins(async (folder, places) => {
      using weights = new SharedWeights(runtime, `${folder}/weights.bin`, places);
      const first = new Session(runtime, `${folder}/plain.onnx`, { weights });
      using second = new Session(runtime, `${folder}/negated.onnx`, { weights });
      const expected = (await run(first)).map((value) => -value);
      first[Symbol.dispose]();
      assertEquals(await run(second), expected);
      using third = new Session(runtime, `${folder}/negated.onnx`, { weights });
      assertEquals(await run(third), expected);
    });
  },
});

Deno.test({
  name: "a file that cannot be mapped is an error that names it",
  ignore: !canMapFiles,
  fn: () => {
    const empty = Deno.makeTempFileSync();
    assertThrows(() => new MappedFile(empty), OnnxRuntimeError, `Cannot map ${empty}`);
    Deno.removeSync(empty);
    assertThrows(() => new MappedFile(empty), Deno.errors.NotFound);
  },
});
