import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CatalogEntry, Source } from "../../lib/models/catalog.ts";
import { sha256File } from "../../lib/models/digest.ts";
import { fetchModel, ModelFetchError } from "../../lib/models/fetch.ts";
import { GgufError } from "../../lib/models/gguf.ts";
import { storedModel, storedPaths } from "../../lib/models/stored.ts";
import { serve } from "./fixtures/server.ts";

const file = Uint8Array.from({ length: 300_000 }, (_, i) => i * i >> 3);
const wrong = file.with(1234, file[1234]! ^ 1);

/** An entry for `file`, and a cache of its own. */
async function setUp(...sources: Source[]): Promise<{ entry: CatalogEntry; cache: string }> {
  const cache = await Deno.makeTempDir();
  const path = `${cache}/original`;
  await Deno.writeFile(path, file);
  const sha256 = await sha256File(path);
  const entry = { id: "toy", description: "", file: "toy.gguf", licence: "CC0-1.0" };
  return { entry: { ...entry, bytes: file.length, sha256, sources }, cache };
}

const http = (url: string): Source => ({ kind: "http", url });
const hub = (endpoint: string): Source => (
  { kind: "hub", repository: "ada/toy", file: "toy.gguf", endpoint }
);

async function assertFetched(path: string, entry: CatalogEntry, cache: string): Promise<void> {
  assertEquals(path, storedPaths(entry, cache).file);
  assertEquals(await Deno.readFile(path), file);
  assertEquals(storedModel(entry, cache).state, "verified");
  const left = [...Deno.readDirSync(`${cache}/models`)].map(({ name }) => name).sort();
  assertEquals(left, ["toy.gguf", "toy.gguf.lock", "toy.gguf.verified"]);
}

Deno.test("fetchModel() of a path is that path, if a file is there", async () => {
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  assertEquals(await fetchModel(path), path);
  await assertRejects(() => fetchModel("no/such.gguf"), GgufError, "there is no such file");
  const directory = await Deno.makeTempDir({ suffix: ".gguf" });
  await assertRejects(() => fetchModel(directory), GgufError, "there is no such file");
});

for (const [name, source] of [["http", http], ["hub", hub]] as const) {
  Deno.test(`fetchModel() brings a file from ${name} once`, async () => {
    await using server = serve(file);
    const { entry, cache } = await setUp(source(server.url));
    const seen: number[] = [];
    const path = await fetchModel(entry, {
      cache,
      onProgress: ({ received, total }) => {
        assertEquals(total, file.length);
        seen.push(received);
      },
    });
    await assertFetched(path, entry, cache);
    assertEquals(seen.at(-1), file.length);
    assertEquals(seen, seen.toSorted((a, b) => a - b));
    const requests = server.requests.length;
    await fetchModel(entry, { cache });
    assertEquals(server.requests.length, requests);
  });

  Deno.test(`fetchModel() goes on from where a download from ${name} broke`, async () => {
    await using server = serve(file, { breaksAt: 100_000 });
    const { entry, cache } = await setUp(source(server.url));
    await assertRejects(() => fetchModel(entry, { cache }), ModelFetchError);
    const { state, bytes } = storedModel(entry, cache);
    assertEquals(state, "partial");
    assert(bytes > 0 && bytes <= 100_000, `${bytes} bytes`);
    server.behaviour = {};
    await assertFetched(await fetchModel(entry, { cache }), entry, cache);
    assert(server.requests.at(-1)!.startsWith(`bytes=${bytes}-`), server.requests.at(-1)!);
  });
}

Deno.test("fetchModel() starts over where the server ignores ranges", async () => {
  await using server = serve(file, { ignoresRanges: true });
  const { entry, cache } = await setUp(http(server.url));
  await partial(entry, cache, file.subarray(0, 1000));
  await assertFetched(await fetchModel(entry, { cache }), entry, cache);
});

Deno.test("fetchModel() starts over once where what an earlier one left is bad", async () => {
  await using server = serve(file);
  const { entry, cache } = await setUp(http(server.url));
  for (const left of [wrong.subarray(0, 2000), wrong, new Uint8Array(file.length + 1)]) {
    await partial(entry, cache, left);
    await assertFetched(await fetchModel(entry, { cache }), entry, cache);
    await Deno.remove(storedPaths(entry, cache).file);
  }
});

Deno.test("fetchModel() takes a finished download that was never given its name", async () => {
  const { entry, cache } = await setUp(http("http://127.0.0.1:1"));
  await partial(entry, cache, file);
  await assertFetched(await fetchModel(entry, { cache }), entry, cache);
});

Deno.test("fetchModel() throws a wrong file away and tries the next source", async () => {
  const longer = new Uint8Array([...file, 0]);
  const shorter = file.subarray(1);
  for (const bad of [wrong, longer, shorter]) {
    await using liar = serve(bad);
    await using server = serve(file);
    const { entry, cache } = await setUp(http(liar.url), http(server.url));
    await assertFetched(await fetchModel(entry, { cache }), entry, cache);
  }
});

Deno.test("fetchModel() tries the next source when one fails, is silent or stalls", async () => {
  for (const behaviour of [{ status: 404 }, { status: 503 }, { mute: true }, { stallsAt: 5000 }]) {
    for (const source of [http, hub]) {
      await using broken = serve(file, behaviour);
      await using server = serve(file);
      const { entry, cache } = await setUp(source(broken.url), http(server.url));
      const path = await fetchModel(entry, { cache, patience: 200, stall: 200 });
      await assertFetched(path, entry, cache);
      assert(broken.requests.length > 0);
    }
  }
});

Deno.test("fetchModel() finds a page out that came in the file's place, and is whole the next time", async () => {
  const page = new TextEncoder().encode("<!doctype html><title>Sign in to this network</title>");
  await using portal = serve(page);
  const { entry, cache } = await setUp(http(portal.url));
  const error = await assertRejects(() => fetchModel(entry, { cache }), ModelFetchError);
  const reason = `it ended at ${page.length} of ${file.length} bytes`;
  assertEquals(error.attempts.map((attempt) => attempt.reason), [reason]);
  await using server = serve(file);
  const next = { ...entry, sources: [http(server.url)] };
  await assertFetched(await fetchModel(next, { cache }), next, cache);
});

Deno.test("fetchModel() passes over a server that answers another range than was asked for", async () => {
  await using confused = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    const range = `bytes 0-${file.length - 1}/${file.length}`;
    return new Response(file, { status: 206, headers: { "Content-Range": range } });
  });
  await using server = serve(file);
  const { entry, cache } = await setUp(
    http(`http://127.0.0.1:${confused.addr.port}`),
    http(server.url),
  );
  await partial(entry, cache, file.subarray(0, 1000));
  await assertFetched(await fetchModel(entry, { cache }), entry, cache);
  assertEquals(server.requests, ["bytes=1000-"]);
});

Deno.test("fetchModel() tells of every source that failed, and how to do without", async () => {
  await using liar = serve(wrong);
  await using gone = serve(file, { status: 410 });
  await using mute = serve(file, { mute: true });
  const nowhere = "http://127.0.0.1:1/m.gguf";
  const { entry, cache } = await setUp(
    http(liar.url),
    http(gone.url),
    http(nowhere),
    hub(mute.url),
    { kind: "hub", repository: "ada/none", file: "m.gguf", endpoint: gone.url },
  );
  const error = await assertRejects(
    () => fetchModel(entry, { cache, patience: 200 }),
    ModelFetchError,
  );
  assertEquals(error.attempts.length, 5);
  const { message } = error;
  assert(message.startsWith("Cannot fetch toy as no source delivered it:"));
  for (
    const part of [
      `${liar.url}: it has another file of that name (SHA-256 `,
      `${gone.url}: the server answered 410 Gone`,
      `${nowhere}: `,
      "Hugging Face Hub ada/toy: no answer within 0.2 s",
      "Hugging Face Hub ada/none: ",
      storedPaths(entry, cache).file,
      entry.sha256,
      "--model path.gguf",
    ]
  ) assert(message.includes(part), `${message}\nlacks ${part}`);
  assertEquals(storedModel(entry, cache).state, "absent");
});

Deno.test("fetchModel() that is aborted keeps what came and tries no further", async () => {
  await using server = serve(file, { stallsAt: 50_000 });
  await using other = serve(file);
  const { entry, cache } = await setUp(http(server.url), http(other.url));
  const abort = new AbortController();
  const reason = new Error("enough");
  const fetching = fetchModel(entry, {
    cache,
    signal: abort.signal,
    onProgress: () => abort.abort(reason),
  });
  assertEquals(await assertRejects(() => fetching), reason);
  assertEquals(other.requests, []);
  const { state, bytes } = storedModel(entry, cache);
  assertEquals([state, bytes > 0], ["partial", true]);
  await assertRejects(() => fetchModel(entry, { cache, signal: AbortSignal.abort(reason) }));
});

Deno.test("fetchModel() many times at once downloads once", async () => {
  await using server = serve(file);
  const { entry, cache } = await setUp(http(server.url));
  const paths = await Promise.all(Array.from({ length: 5 }, () => fetchModel(entry, { cache })));
  assertEquals(new Set(paths).size, 1);
  assertEquals(server.requests.length, 1);
  await assertFetched(paths[0]!, entry, cache);
});

Deno.test("fetchModel() in several processes at once downloads once", async () => {
  await using server = serve(file);
  const { entry, cache } = await setUp(http(server.url));
  const module = new URL("../../lib/models/fetch.ts", import.meta.url).href;
  const script = `import { fetchModel } from ${JSON.stringify(module)};
    console.log(await fetchModel(${JSON.stringify(entry)}, { cache: ${JSON.stringify(cache)} }));`;
  const runs = [1, 2, 3].map(() =>
    new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", script],
      cwd: new URL("../..", import.meta.url),
    }).output()
  );
  for (const { success, stdout, stderr } of await Promise.all(runs)) {
    assert(success, new TextDecoder().decode(stderr));
    assertEquals(new TextDecoder().decode(stdout).trim(), storedPaths(entry, cache).file);
  }
  assertEquals(server.requests.length, 1);
  await assertFetched(storedPaths(entry, cache).file, entry, cache);
});

Deno.test("fetchModel() takes a right file that was put in the cache by hand", async () => {
  const { entry, cache } = await setUp();
  await Deno.mkdir(`${cache}/models`);
  await Deno.writeFile(storedPaths(entry, cache).file, file);
  assertEquals(storedModel(entry, cache).state, "unverified");
  assertEquals(await fetchModel(entry, { cache }), storedPaths(entry, cache).file);
  assertEquals(storedModel(entry, cache).state, "verified");
});

Deno.test("fetchModel() says that a file put in the cache by hand is another one", async () => {
  const { entry, cache } = await setUp();
  await Deno.mkdir(`${cache}/models`);
  await Deno.writeFile(storedPaths(entry, cache).file, wrong);
  await assertRejects(
    () => fetchModel(entry, { cache }),
    ModelFetchError,
    `toy.gguf: the file there is another one, of ${file.length} bytes`,
  );
});

Deno.test("fetchModel() replaces a file that was changed after it was verified", async () => {
  await using server = serve(file);
  const { entry, cache } = await setUp(http(server.url));
  const path = await fetchModel(entry, { cache });
  await Deno.writeFile(path, wrong);
  await Deno.utime(path, 1, 1);
  await assertFetched(await fetchModel(entry, { cache }), entry, cache);
});

Deno.test("fetchModel() rejects times that are no times", async () => {
  const { entry, cache } = await setUp();
  for (const bad of [0, -1, NaN, Infinity]) {
    await assertRejects(() => fetchModel(entry, { cache, patience: bad }), RangeError, "patience");
    await assertRejects(() => fetchModel(entry, { cache, stall: bad }), RangeError, "stall");
  }
});

async function partial(entry: CatalogEntry, cache: string, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(`${cache}/models`, { recursive: true });
  await Deno.writeFile(storedPaths(entry, cache).partial, bytes);
}
