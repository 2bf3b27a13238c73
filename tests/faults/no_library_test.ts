import { assertEquals, assertMatch } from "@std/assert";
import { dirname } from "node:path";
import { locateLibrary } from "../../lib/onnx/mod.ts";
import { run, taskArguments } from "./child.ts";
import { noDisk } from "./disk.ts";
import { tinyGguf } from "./tiny_model.ts";

/** A shell in which mounts are nobody else's, and gone when it ends. */
const PRIVATE = ["--mount", "--propagation", "private", "--", "sh", "-ec"];

/** Generates after `prepare`, a line of shell, and expects one line of complaint and nothing else. */
async function assertRefused(
  complaint: RegExp,
  { prepare, without }: { prepare?: string; without?: string },
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeFileSync(`${folder}/tiny.gguf`, tinyGguf());
    const task = (await taskArguments("generate")).filter((argument) => argument !== without);
    const command = [Deno.execPath(), ...task, "--model", `${folder}/tiny.gguf`, "the"];
    const env = { SPECBOUND_CACHE: folder };
    const { code, out, err } = prepare === undefined
      ? await run(command[0]!, command.slice(1), { env })
      : await run("unshare", [...PRIVATE, `${prepare}; exec "$@"`, "sh", ...command], { env });
    assertEquals([code, out], [1, ""], err);
    assertMatch(err, complaint);
    assertEquals(err.trimEnd().split("\n").length, 1, err);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["tiny.gguf"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("without permission for native code, generate says which flag is missing", () =>
  assertRefused(/^Cannot load ONNX Runtime as .* add --allow-ffi/, { without: "--allow-ffi" }));

Deno.test({
  name: "without ONNX Runtime's library, generate says where it was looked for",
  ignore: noDisk !== null,
  fn: () =>
    assertRefused(/^Cannot load ONNX Runtime as .*libonnxruntime\S* cannot be read/, {
      prepare: `mount -t tmpfs none '${dirname(locateLibrary())}'`,
    }),
});

Deno.test({
  name: "an empty library is refused by name",
  ignore: noDisk !== null,
  fn: () =>
    assertRefused(/^Cannot load .*libonnxruntime\S* as an ONNX Runtime library: /, {
      prepare: `mount --bind /dev/null '${locateLibrary()}'`,
    }),
});
