import { assert, assertMatch } from "@std/assert";

/** Node.js, which a user of `npx deno` has; null where there is none. */
const node = await find("node");

async function find(command: string): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command(command, { args: ["-p", "process.execPath"] })
      .output();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return null;
  }
}

Deno.test({
  name: "llama.cpp without its binaries and without npm is a line that says how to install them",
  ignore: node === null,
  async fn() {
    const folder = await Deno.makeTempDir();
    const script = new URL("../../../tools/peers/llama_cpp.mjs", import.meta.url).pathname;
    const { success, stdout } = await new Deno.Command(node!, {
      args: [script, "no.gguf", "1", folder],
      env: { PATH: folder },
    }).output();
    assert(success);
    const { error } = JSON.parse(new TextDecoder().decode(stdout));
    assertMatch(error, /^(npm cannot be run|node-llama-cpp has no binary without a GPU)/);
    assertMatch(error, /: (install them by hand, npm install .*@\d+\.\d+\.\d+|leave it out)$/);
  },
});
