import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { catalog, sourceName } from "../../lib/models/catalog.ts";
import { storedPaths } from "../../lib/models/stored.ts";
import { type Finished, run, taskArguments } from "./child.ts";
import { namesIn } from "./disk.ts";

const model = catalog[0]!;
/** Runs a command where there is no network at all; null where that is not permitted. */
const unshare = await findUnshare();

async function findUnshare(): Promise<string | null> {
  for (const path of ["/usr/bin/unshare", "/bin/unshare"]) {
    try {
      if ((await run(path, ["--net", "--", "/bin/true"])).code === 0) return path;
    } catch {
      // it is not there
    }
  }
  console.warn("A machine without a network cannot be made here: only permissions take it away");
  return null;
}

/** Fetches with no network, no Python and an empty cache, and checks that the answer helps. */
async function assertHelps(
  fetch: (args: readonly string[]) => Promise<Finished>,
  reasons: readonly string[],
): Promise<void> {
  const cache = Deno.makeTempDirSync();
  try {
    const { code, out, err } = await fetch(["fetch", model.id, "--cache", cache]);
    assertEquals([code, out], [1, ""]);
    const lines = err.trimEnd().split("\n");
    assertEquals(
      lines.filter((line) => line.startsWith("Cannot ")),
      [`Cannot fetch ${model.id} as no source delivered it:`],
    );
    model.sources.forEach((source, i) => {
      const line = lines.find((line) => line.startsWith(`- ${sourceName(source)}: `));
      assert(line !== undefined, `${err}\nlacks ${sourceName(source)}`);
      assertStringIncludes(line, reasons[i]!);
    });
    assertStringIncludes(err, `put the file at ${storedPaths(model, cache).file} yourself`);
    assertStringIncludes(err, model.sha256);
    assertEquals(namesIn(cache).filter((name) => !name.endsWith(".lock")), []);

    // The way out that it names: a file put there by hand is looked at.
    Deno.writeTextFileSync(storedPaths(model, cache).file, "another");
    const { err: other } = await fetch(["fetch", model.id, "--cache", cache]);
    assertStringIncludes(other, "the file there is another one, of 7 bytes");
  } finally {
    Deno.removeSync(cache, { recursive: true });
  }
}

const bare = { alone: true, env: { PATH: "", HOME: "/nonexistent" } };

Deno.test({
  name: "without a network or Python, fetch names each source, why it failed, and what to do",
  ignore: unshare === null,
  fn: async () => {
    const task = await taskArguments("models");
    const env = { ...bare.env, DENO_DIR: denoDirectory() };
    await assertHelps(
      (args) => run(unshare!, ["--net", "--", Deno.execPath(), ...task, ...args], { ...bare, env }),
      ["error sending request", "python3 was not found; python was not found; py was not found"],
    );
  },
});

Deno.test("without permission for network and programs, fetch says so of each source", async () => {
  const task = (await taskArguments("models")).filter((argument) =>
    !argument.startsWith("--allow-net") && !argument.startsWith("--allow-run")
  );
  await assertHelps(
    (args) => run(Deno.execPath(), [...task, ...args]),
    ["Requires net access", "Requires run access"],
  );
});

/** Where Deno keeps the modules that it has; without HOME it would look elsewhere. */
function denoDirectory(): string {
  return Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
}
