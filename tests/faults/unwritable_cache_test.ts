import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fetchModel } from "../../lib/models/fetch.ts";
import { StorageError } from "../../lib/models/storage.ts";
import { storedPaths } from "../../lib/models/stored.ts";
import { serve } from "../models/fixtures/server.ts";
import { type Finished, run, taskArguments } from "./child.ts";
import { mountDisk, namesIn, noDisk } from "./disk.ts";
import { entryOf, randomFile } from "./entry.ts";
import { tinyGguf } from "./tiny_model.ts";

const ignore = noDisk !== null;

async function generate(cache: string): Promise<Finished> {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/tiny.gguf`;
  try {
    Deno.writeFileSync(path, tinyGguf());
    const args = [...await taskArguments("generate"), "--model", path, "--exact", "the"];
    return await run(Deno.execPath(), args, { env: { SPECBOUND_CACHE: cache } });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test({
  name: "a read-only cache refuses a fetch by name, and serves what it holds",
  ignore,
  async fn() {
    const file = randomFile(10_000);
    await using server = serve(file);
    const entry = entryOf(file, { kind: "http", url: server.url });
    using disk = mountDisk(256);
    const absent = { ...entry, file: "absent.gguf" };
    const unstamped = { ...entry, file: "unstamped.gguf" };
    const path = await fetchModel(entry, { cache: disk.path });
    Deno.copyFileSync(path, storedPaths(unstamped, disk.path).file);
    const before = namesIn(disk.path);
    disk.forbidWriting();
    assertEquals(await fetchModel(entry, { cache: disk.path }), path);
    assertEquals(
      await fetchModel(unstamped, { cache: disk.path }),
      storedPaths(unstamped, disk.path).file,
    );
    await assertRejects(
      () => fetchModel(absent, { cache: disk.path }),
      StorageError,
      `Cannot fetch m as ${disk.path}/models cannot be written (Read-only file system`,
    );
    assertEquals([namesIn(disk.path), server.requests.length], [before, 1]);
  },
});

Deno.test({
  name: "a read-only cache refuses to build in a line, and what was built there runs",
  ignore,
  async fn() {
    using empty = mountDisk(64);
    empty.forbidWriting();
    const refused = await generate(empty.path);
    assertEquals([refused.code, refused.out], [1, ""]);
    assertMatch(
      refused.err,
      /^Cannot build the fp32 graph as .*graphs cannot be written \(Read-only .*SPECBOUND_CACHE.*\n$/,
    );

    using built = mountDisk(64_000);
    const first = await generate(built.path);
    assertEquals(first.code, 0, first.err);
    Deno.removeSync(`${built.path}/probes`, { recursive: true }); // as made on another machine
    built.forbidWriting();
    const again = await generate(built.path);
    assertEquals([again.code, again.out], [0, first.out], again.err);
  },
});

Deno.test("a file in the cache's place is a line that names it, and stays", async () => {
  const file = Deno.makeTempFileSync();
  try {
    for (const place of [file, `${file}/deeper`]) {
      const args = [...await taskArguments("models"), "fetch", "--cache", place];
      const { code, out, err } = await run(Deno.execPath(), args);
      assertEquals([code, out], [1, ""]);
      assertMatch(err, /^Cannot fetch \S+ as \S+ cannot be written \(.*SPECBOUND_CACHE to .*\n$/);
      assertEquals(err.includes(place), true, err);
    }
    assertEquals(Deno.statSync(file).size, 0);
  } finally {
    Deno.removeSync(file);
  }
});
