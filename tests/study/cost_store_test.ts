import { assertEquals, assertRejects } from "@std/assert";
import { RecordError } from "../../lib/study/columns.ts";
import { nextCostProcess } from "../../lib/study/cost_plan.ts";
import { COST_SCHEMA } from "../../lib/study/cost_records.ts";
import { openCosts, readCosts } from "../../lib/study/cost_store.ts";
import { openRecords } from "../../lib/study/store.ts";
import { plant, SMALL, smallSweep, temporaryCosts } from "./planted_costs.ts";

Deno.test("openCosts() repairs a file that was cut off at any byte of an append", async () => {
  await using store = await temporaryCosts();
  await smallSweep(store, plant());
  const whole = await Deno.readTextFile(`${store.folder}/costs.csv`);
  const folder = await Deno.makeTempDir();
  const path = `${folder}/costs.csv`;
  const last = whole.trimEnd().lastIndexOf("\n") + 1;
  for (let cut = last; cut < whole.length; cut += 7) {
    await Deno.writeTextFile(path, whole.slice(0, cut));
    {
      await using opened = await openCosts(folder);
      assertEquals([opened.repaired, [...opened.costs]], [cut > last, store.costs.slice(0, -1)]);
      await opened.append(store.costs.at(-1)!);
    }
    assertEquals(await Deno.readTextFile(path), whole);
    assertEquals(await readCosts(folder), [...store.costs]);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a cost layer of another schema, or with a broken row, is refused by name", async () => {
  await using store = await temporaryCosts();
  await smallSweep(store, plant());
  const path = `${store.folder}/costs.csv`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replaceAll(`\n${COST_SCHEMA},`, `\n${COST_SCHEMA + 1},`));
  await assertRejects(
    () => readCosts(store.folder),
    RecordError,
    `its schema is ${COST_SCHEMA + 1}`,
  );
  await Deno.writeTextFile(path, text.replace(",pass,", ",walk,"));
  await assertRejects(
    () => readCosts(store.folder),
    RecordError,
    "kind must be pass | prefill | host",
  );
});

Deno.test("runs and costs of a machine have one writer", async () => {
  await using store = await temporaryCosts();
  await assertRejects(() => openRecords(store.folder), RecordError, "another process writes there");
});

Deno.test("a finished cost layer makes the next sweep another process", async () => {
  await using store = await temporaryCosts();
  const next = () =>
    nextCostProcess(SMALL, { model: "planted", drafts: [], threads: 1 }, store.costs);
  assertEquals(next(), 1);
  await smallSweep(store, plant());
  assertEquals(next(), 2);
});
