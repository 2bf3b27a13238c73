import { assert, assertEquals } from "@std/assert";
import { readNotebook, writeNotebook } from "../../tools/notebooks/notebook.ts";
import { committedProject, HAS_GIT } from "../committed.ts";

const FOLDER = new URL("../../notebooks/", import.meta.url);
const FILES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb")).sort();

Deno.test("there are notebooks", () => assert(FILES.length > 0));

for (const name of FILES) {
  const file = new URL(name, FOLDER).pathname;

  Deno.test(`${name} is written as a clean run writes it`, async () => {
    const notebook = await readNotebook(file);
    assertEquals(writeNotebook(notebook), await Deno.readTextFile(file));
    const code = notebook.cells.filter((cell) => cell.cell_type === "code");
    assertEquals(code.map((cell) => cell.execution_count), code.map((_, i) => i + 1));
  });

  Deno.test(`${name} has at most 15 cells, and no logic in them`, async () => {
    const { cells } = await readNotebook(file);
    assert(cells.length <= 15, `${cells.length} cells`);
    for (const { id, cell_type, source, metadata } of cells) {
      if (cell_type !== "code" || metadata.tags) continue;
      assert(source.length <= 5, `cell ${id} has ${source.length} lines: move them to lib`);
    }
  });

  Deno.test(`${name} types no result into its prose: cells print them`, async () => {
    for (const { id, cell_type, source } of (await readNotebook(file)).cells) {
      if (cell_type !== "markdown") continue;
      const typed = source.join("").match(/\d[.,]\d|\d ?[×%]/);
      assert(!typed, `cell ${id} says ${typed?.[0]}`);
    }
  });
}

Deno.test("what the notebooks show is what today's code makes of the committed rows", {
  ignore: !HAS_GIT, // a sweep may have added to the records
}, async () => {
  await using project = await committedProject();
  const { success, stderr } = await run("--check", project.folder);
  assert(success, new TextDecoder().decode(stderr));
});

Deno.test("cells pass the checks of types and style that modules pass", async () => {
  const { success, stderr } = await run("--types", new URL("../../", import.meta.url).pathname);
  assert(success, new TextDecoder().decode(stderr));
});

function run(flag: string, cwd: string): Promise<Deno.CommandOutput> {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "cli/notebooks.ts", flag],
    cwd,
    stdout: "null",
  }).output();
}
