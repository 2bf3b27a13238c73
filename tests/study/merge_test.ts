import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { RecordError, type RowOf, type Table } from "../../lib/study/columns.ts";
import { COST_COLUMNS } from "../../lib/study/cost_records.ts";
import { openCosts, readCosts } from "../../lib/study/cost_store.ts";
import { planCosts } from "../../lib/study/cost_plan.ts";
import { mergeRecords } from "../../lib/study/merge.ts";
import { ROUND_COLUMNS, RUN_COLUMNS } from "../../lib/study/records.ts";
import { openRecords, readRecords } from "../../lib/study/store.ts";
import type { Shard } from "../../lib/study/shard.ts";
import { plant, SMALL, smallSweep } from "./planted_costs.ts";
import { PROVENANCE, tinyPlan, tinySweep } from "./tables.ts";

const MACHINE = PROVENANCE.machine.id;
const FILES = ["costs.csv", "machine.json", "rounds.csv", "runs.csv"];

/** A folder of records with runs and costs, of one shard or the whole of the small grids. */
async function swept(root: string, name: string, shard?: Shard): Promise<string> {
  const part = { ...shard && { shard } };
  const folder = `${root}/${name}/${MACHINE}`;
  {
    await using store = await openRecords(folder);
    await tinySweep(store, {}, tinyPlan(part));
  }
  {
    await using store = await openCosts(folder);
    const options = { model: "planted", drafts: [], threads: 1, process: 1, ...part };
    await smallSweep(store, plant(), {}, planCosts(SMALL, options));
  }
  await Deno.writeTextFile(`${folder}/machine.json`, JSON.stringify(PROVENANCE.machine) + "\n");
  return `${root}/${name}`;
}

const sweptShards = (root: string) =>
  Promise.all([1, 2, 3].map((index) => swept(root, `${index}`, { index, count: 3 })));

const bytesOf = (folder: string) =>
  Promise.all(FILES.map((file) => Deno.readTextFile(`${folder}/${MACHINE}/${file}`)));

/** Rows without what may differ when the same is done again. */
function lasting<T extends Table>(table: T, rows: readonly RowOf<T>[]): unknown[] {
  const names = Object.keys(table).filter((name) => !table[name]!.measured);
  return rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
}

async function lastingIn(folder: string): Promise<unknown[][]> {
  const { runs, rounds } = await readRecords(`${folder}/${MACHINE}`);
  const costs = await readCosts(`${folder}/${MACHINE}`);
  return [
    lasting(RUN_COLUMNS, runs),
    lasting(ROUND_COLUMNS, rounds),
    lasting(COST_COLUMNS, costs),
  ];
}

/** Changes a file of a folder of records. */
async function edit(
  folder: string,
  file: string,
  change: (text: string) => string,
): Promise<string> {
  const path = `${folder}/${MACHINE}/${file}`;
  const text = await Deno.readTextFile(path);
  const changed = change(text);
  assert(changed !== text);
  await Deno.writeTextFile(path, changed);
  return text;
}

async function inTemporary(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  await test(root);
  await Deno.remove(root, { recursive: true });
}

Deno.test("merged shards equal the undivided sweep in all that is not measured", () =>
  inTemporary(async (root) => {
    const shards = await sweptShards(root);
    const [merged] = await mergeRecords(shards, `${root}/merged`);
    await mergeRecords([await swept(root, "undivided")], `${root}/sorted`);
    const [runs, rounds, costs] = await lastingIn(`${root}/merged`);
    assertEquals([runs, rounds, costs], await lastingIn(`${root}/sorted`));
    assertEquals(merged, {
      machine: MACHINE,
      rows: {
        "rounds.csv": rounds!.length,
        "runs.csv": runs!.length,
        "costs.csv": costs!.length,
      },
      repeated: 0,
    });
    // And nothing is left to sweep.
    await using store = await openRecords(`${root}/merged/${MACHINE}`);
    assertEquals([store.repaired, (await tinySweep(store)).ran], [0, 0]);
  }));

Deno.test("shards merge to the same bytes in any order, at once or one by one, and again", () =>
  inTemporary(async (root) => {
    const [a, b, c] = await sweptShards(root) as [string, string, string];
    await mergeRecords([a, b, c], `${root}/merged`);
    const bytes = await bytesOf(`${root}/merged`);
    for (const [i, order] of [[c, a, b], [b, b, a, c], [`${root}/merged`, c]].entries()) {
      await mergeRecords(order, `${root}/${i}th`);
      assertEquals(await bytesOf(`${root}/${i}th`), bytes);
    }
    for (const folder of [c, a, b, a]) await mergeRecords([folder], `${root}/grown`);
    assertEquals(await bytesOf(`${root}/grown`), bytes);
  }));

Deno.test("of a pair measured twice the earlier stands, with its own rounds", () =>
  inTemporary(async (root) => {
    const [early, late] = [await swept(root, "early"), await swept(root, "late")];
    const [merged] = await mergeRecords([late, early], `${root}/merged`);
    await mergeRecords([early], `${root}/sorted`);
    const pairs = tinyPlan().flatMap(({ blocks }) => blocks.flatMap(({ pairs }) => pairs)).length;
    assertGreater(merged!.repeated, pairs);
    assertEquals(await bytesOf(`${root}/merged`), await bytesOf(`${root}/sorted`));
  }));

Deno.test("a pair or cell that differs in what is not measured is refused, and nothing is written", () =>
  inTemporary(async (root) => {
    const [ours, theirs] = [await swept(root, "ours"), await swept(root, "theirs")];
    const out = `${root}/merged`;
    for (
      const [file, from, to, columns] of [
        ["runs.csv", ",0.1.0,", ",0.1.1,", "specbound of runs.csv"],
        ["costs.csv", ",int4,", ",int8,", "precision of costs.csv"],
        ["rounds.csv", /^(\d+,[^,]+,plain,0,)0,0,0,1,/m, "$10,0,0,2,", "emitted of rounds.csv"],
      ] as const
    ) {
      const text = await edit(theirs, file, (text) => text.replace(from, to));
      for (const folders of [[ours, theirs], [theirs, ours]]) {
        const error = await assertRejects(
          () => mergeRecords(folders, out),
          RecordError,
          `differs in ${columns}: find out`,
        );
        for (const part of [`${ours}/${MACHINE}`, `${theirs}/${MACHINE}`]) {
          assert(error.message.includes(part), error.message);
        }
        assert(/ as (pair|cell) [0-9a-f]{12}-p1/.test(error.message), error.message);
        await assertRejects(() => Deno.stat(out), Deno.errors.NotFound);
      }
      // What stands already is a side like any other, and stays as it is.
      const before = await bytesOf(ours);
      await assertRejects(() => mergeRecords([theirs], ours), RecordError, columns);
      assertEquals(await bytesOf(ours), before);
      await edit(theirs, file, () => text);
    }
  }));

Deno.test("what is torn, half there, of another schema or machine is refused, and nothing is written", () =>
  inTemporary(async (root) => {
    const shards = await sweptShards(root);
    const [, broken] = shards as [string, string, string];
    const out = `${root}/merged`;
    for (
      const [file, change, reason] of [
        ["runs.csv", (text) => text.slice(0, -5), "its last line is torn"],
        ["rounds.csv", (text) => text.slice(0, -1), "its last line is torn"],
        ["costs.csv", (text) => text + "1,", "its last line is torn"],
        ["runs.csv", (text) => text.replace(/[^\n]+\n$/, ""), "is not whole there"],
        ["rounds.csv", (text) => text.replace(/[^\n]+\n$/, ""), "is not whole there"],
        ["runs.csv", (text) => text.replaceAll(/^\d+,/gm, "99,"), "its schema is 99"],
        ["costs.csv", (text) => text.replaceAll(/^\d+,/gm, "99,"), "its schema is 99"],
        ["costs.csv", (text) => text.replace(MACHINE, "other"), "a row is of machine other"],
      ] as [string, (text: string) => string, string][]
    ) {
      const text = await edit(broken, file, change);
      const error = await assertRejects(() => mergeRecords(shards, out), RecordError, reason);
      assert(error.message.includes(`${broken}/${MACHINE}`), error.message);
      await assertRejects(() => Deno.stat(out), Deno.errors.NotFound);
      await edit(broken, file, () => text);
    }
    await Deno.writeTextFile(`${broken}/${MACHINE}/later.csv`, "schema,key\n1,a\n");
    await assertRejects(() => mergeRecords(shards, out), RecordError, "knows no later.csv");
    await Deno.remove(`${broken}/${MACHINE}/later.csv`);
    await mergeRecords(shards, out);
  }));

Deno.test("a merge killed between its files leaves what stood, and the next completes it", () =>
  inTemporary(async (root) => {
    const [a, b, c] = await sweptShards(root) as [string, string, string];
    const out = `${root}/merged`;
    await mergeRecords([a], out);
    const before = (await readRecords(`${out}/${MACHINE}`)).runs;
    await mergeRecords([a, b, c], `${root}/whole`);
    await Deno.copyFile(`${root}/whole/${MACHINE}/rounds.csv`, `${out}/${MACHINE}/rounds.csv`);
    assertEquals((await readRecords(`${out}/${MACHINE}`)).runs, before);
    await mergeRecords([b, c], out);
    assertEquals(await bytesOf(out), await bytesOf(`${root}/whole`));
  }));

Deno.test("machines are merged apart, and a folder of none is refused", () =>
  inTemporary(async (root) => {
    const [a, b] = [await swept(root, "a"), await swept(root, "b")];
    await Deno.rename(`${b}/${MACHINE}`, `${b}/other`);
    for (const file of FILES) {
      const path = `${b}/other/${file}`;
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replaceAll(MACHINE, "other"));
    }
    const merged = await mergeRecords([a, b], `${root}/merged`);
    assertEquals(merged.map(({ machine }) => machine), ["other", MACHINE]);
    await assertRejects(
      () => mergeRecords([a, `${a}/${MACHINE}`], `${root}/more`),
      RecordError,
      "holds no machine's records",
    );
    await using _store = await openRecords(`${root}/merged/other`);
    await assertRejects(
      () => mergeRecords([b], `${root}/merged`),
      RecordError,
      "another process writes there",
    );
  }));
