import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "node:path";
import { startKernel } from "../../tools/notebooks/kernel.ts";
import {
  type Notebook,
  NotebookError,
  type Output,
  readNotebook,
  withOutputs,
  writeNotebook,
} from "../../tools/notebooks/notebook.ts";

const broadcast = (text: string, more = "") =>
  `await Deno.jupyter.broadcast("display_data", { data: { "text/plain": ${text} }, metadata: {}, transient: {${more}} });`;

function textsOf(outputs: readonly Output[]): string[] {
  return outputs.map((output) =>
    [output.output_type === "stream" ? output.text : output.data["text/plain"]!].flat().join("")
  );
}

function notebookOf(...sources: readonly string[]): Notebook {
  const cells = sources.map((source, i) => ({
    cell_type: "code" as const,
    id: `cell-${i}`,
    metadata: {},
    source: [source],
    execution_count: null,
    outputs: [],
  }));
  return { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
}

Deno.test("the kernel keeps variables, and every output of every cell in its place", async () => {
  await using kernel = await startKernel({ folder: "." });
  await kernel.run("let x = 0;");
  for (let i = 1; i <= 20; i++) {
    // Nothing waits here: the word that the cell is done may overtake what it showed.
    const outputs = await kernel.run(`x++; console.log("a", x); void ${broadcast("`b ${x}`")}`
      .replace("void await", "void"));
    assertEquals(textsOf(outputs), [`a ${i}\n`, `b ${i}`]);
  }
});

Deno.test("what is shown under a name is replaced, and printed lines join", async () => {
  await using kernel = await startKernel({ folder: "." });
  const name = 'display_id: "bar"';
  const update = broadcast('"100 %"', name).replace("display_data", "update_display_data");
  const outputs = await kernel.run(
    `${broadcast('"0 %"', name)} console.log(1); console.log(2); ${update}`,
  );
  assertEquals(textsOf(outputs), ["100 %", "1\n2\n"]);
});

Deno.test("a cell that throws is an error with its message, and the kernel lives on", async () => {
  await using kernel = await startKernel({ folder: "." });
  await assertRejects(
    () => kernel.run('throw new TypeError("no such row")'),
    NotebookError,
    "TypeError: no such row",
  );
  assertEquals(textsOf(await kernel.run("console.log(1);")), ["1\n"]);
});

Deno.test("a cell that ends in an expression is refused: notebooks may lose its value", async () => {
  await using kernel = await startKernel({ folder: "." });
  await assertRejects(() => kernel.run("1 + 1"), NotebookError, "ends in an expression");
});

Deno.test("a kernel that ends is an error, not a wait without end", async () => {
  await using kernel = await startKernel({ folder: "." });
  await assertRejects(() => kernel.run("Deno.exit(3)"), NotebookError, "the kernel ended");
});

Deno.test("a cell that takes too long is an error", async () => {
  await using kernel = await startKernel({ folder: ".", timeout: 1 });
  await assertRejects(() => kernel.run("while (true);"), NotebookError, "more than 1 s");
});

Deno.test("a cell without an output is refused, but for imports and parameters", () => {
  const notebook = notebookOf("const x = 1;");
  assertThrows(() => withOutputs(notebook, [[]]), NotebookError, "cell-0 as it showed nothing");
  const cells = notebook.cells.map((cell) => ({ ...cell, metadata: { tags: ["imports"] } }));
  withOutputs({ ...notebook, cells }, [[]]);
});

Deno.test("an output that names a path of this machine is refused", () => {
  const shown: Output = { output_type: "stream", name: "stdout", text: ["at /home/me/x.ts\n"] };
  assertThrows(
    () => withOutputs(notebookOf("f();"), [[shown]], ["/home/me"]),
    NotebookError,
    "a path of this machine",
  );
});

Deno.test("a run of unchanged cells leaves the file as it is; a stale output fails the check", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "a.ipynb");
  await Deno.writeTextFile(
    file,
    writeNotebook(notebookOf('console.log("one");', "console.log(2);")),
  );
  assertEquals(await command(folder), { code: 0, message: "" });
  const first = await Deno.readTextFile(file);
  assertEquals(await command(folder), { code: 0, message: "" });
  assertEquals(await Deno.readTextFile(file), first);
  assertEquals(await command(folder, "--check"), { code: 0, message: "" });

  const stale = first.replace('"one\\n"', '"uno\\n"');
  assertNotEquals(stale, first);
  await Deno.writeTextFile(file, stale);
  const { code, message } = await command(folder, "--check");
  assertEquals(code, 1);
  assertMatch(
    message,
    /^Cannot accept .*a\.ipynb as cells are stale or not formatted: cell-0; run/,
  );
  assertEquals(await Deno.readTextFile(file), stale, "a check writes nothing");
  assertEquals((await readNotebook(file)).cells.length, 2);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a type error in a cell is found, and so is a name of an earlier cell", async () => {
  const folder = await Deno.makeTempDir();
  const check = async (...sources: readonly string[]) => {
    await Deno.writeTextFile(join(folder, "a.ipynb"), writeNotebook(notebookOf(...sources)));
    return (await command(folder, "--types")).code;
  };
  assertEquals(await check("const rows = [1];", "console.log(rows[0]!.toFixed());"), 0);
  assertEquals(await check("const rows = [1];", "const [row]: string[] = rows;"), 1);
  await Deno.remove(folder, { recursive: true });
});

async function command(folder: string, ...flags: readonly string[]) {
  const script = new URL("../../cli/notebooks.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script, "--folder", folder, ...flags],
    stdout: "null",
  }).output();
  return { code, message: new TextDecoder().decode(stderr) };
}
