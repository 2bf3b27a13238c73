import { assert, assertEquals } from "@std/assert";

async function models(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "cli/models.ts", ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("models lists size, licence, state and place", async () => {
  const cache = await Deno.makeTempDir();
  const { code, out } = await models("--cache", cache);
  assertEquals(code, 0);
  assert(out.startsWith("smollm2-135m-instruct  98.4 MB  Apache-2.0  absent\n"), out);
  assert(out.includes(`  ${cache}/models/SmolLM2-135M-Instruct.Q4_1.gguf\n`), out);
});

Deno.test("models lists the shapes in a group of their own, with their parameters", async () => {
  const [files, shapes] = (await models()).out.split("\n\n");
  assert(!files!.includes("shape:"));
  const [title, ...lines] = shapes!.trim().split("\n");
  assert(title!.includes("random weights"));
  assert(lines.every((line) => line.startsWith("shape:")));
  assert(lines.includes(
    "shape:llama-3.2-1b  1.24 B parameters  16 layers of 2048, context 131,072",
  ));
  assertEquals((await models("list", "shape:qwen3-4b")).out.split("  ")[1], "4.02 B parameters");
});

Deno.test("models path says where a model lies, there or not", async () => {
  const { out } = await models("path", "smollm2-135m-instruct", "--cache", "/c");
  assertEquals(out, "/c/models/SmolLM2-135M-Instruct.Q4_1.gguf\n");
});

Deno.test("models clean removes an unfinished download, and nothing else", async () => {
  const cache = await Deno.makeTempDir();
  const partial = `${cache}/models/SmolLM2-135M-Instruct.Q4_1.gguf.partial`;
  await Deno.mkdir(`${cache}/models`);
  await Deno.writeFile(partial, new Uint8Array(2_000_000));
  await Deno.writeTextFile(`${cache}/models/mine`, "");
  assert((await models("--cache", cache)).out.includes("partial, 2.0 MB so far"));
  assertEquals((await models("clean", "--cache", cache)).out, "Removed 2.0 MB\n");
  assertEquals([...Deno.readDirSync(`${cache}/models`)].map(({ name }) => name), ["mine"]);
});

Deno.test("models says in a line what it cannot do", async () => {
  for (
    const [args, code, reason] of [
      [["list", "--nope"], 2, "unknown option '--nope'"],
      [["eat"], 2, "action must be one of list, fetch, path, clean"],
      [["fetch", "gpt-5"], 1, 'Cannot find model "gpt-5"'],
      [["fetch", "no/such.gguf"], 1, "there is no such file"],
      [["clean", "mine.gguf"], 1, 'Cannot find model "mine.gguf"'],
      [["fetch", "shape:qwen3-4b"], 1, "Cannot fetch a file of shape:qwen3-4b as it is a shape"],
      [["list", "shape:qwen9"], 1, 'Cannot find model "shape:qwen9"'],
    ] as const
  ) {
    const result = await models(...args);
    assertEquals([result.code, result.out], [code, ""]);
    assert(result.err.includes(reason), result.err);
    assertEquals(result.err.trim().split("\n").length, 1);
  }
});

Deno.test("models --help shows how to use it", async () => {
  const { code, out } = await models("fetch", "--help");
  assertEquals(code, 0);
  assert(out.includes("Usage: deno task models [action] [model] [flags]"), out);
});
