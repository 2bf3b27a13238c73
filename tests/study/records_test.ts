import { assertEquals, assertThrows } from "@std/assert";
import { RecordError, writeHeader } from "../../lib/study/columns.ts";
import { describeRecords } from "../../lib/study/dictionary.ts";
import {
  readRounds,
  readRuns,
  ROUND_COLUMNS,
  RUN_COLUMNS,
  SCHEMA,
  writeRuns,
} from "../../lib/study/records.ts";
import { readRecords } from "../../lib/study/store.ts";
import { temporaryRecords, tinySweep } from "./tables.ts";

Deno.test("runs survive being written and read", async () => {
  await using store = await temporaryRecords();
  await tinySweep(store);
  const { runs } = await readRecords(store.folder);
  assertEquals(runs, [...store.runs]);
  const [run] = runs;
  const awkward = { ...run!, cpu: 'a "quoted", name', error: "first\n  second", decodeMs: null };
  assertEquals(readRuns(writeHeader(RUN_COLUMNS) + writeRuns([awkward])), [
    { ...awkward, error: "first second" },
  ]);
});

Deno.test("a value that does not fit its column is not written", async () => {
  await using store = await temporaryRecords();
  await tinySweep(store);
  const run = store.runs[0]!;
  assertThrows(() => writeRuns([{ ...run, rounds: 1.5 }]), RecordError, "rounds must be integer");
  assertThrows(
    () => writeRuns([{ ...run, decodeMs: NaN }]),
    RecordError,
    "decodeMs must be number",
  );
});

Deno.test("a file of another schema or with other columns is refused by name", () => {
  const header = Object.keys(ROUND_COLUMNS).join();
  assertThrows(
    () => readRounds(`${header},more\n${SCHEMA + 1},a\n`, "old.csv"),
    RecordError,
    `Cannot read old.csv as its schema is ${SCHEMA + 1}`,
  );
  const row = `${SCHEMA},p,plain,0,0,0,0,0,0,1,0,0\n`;
  assertThrows(
    () => readRounds(`${header}\n${row}99${row.slice(1)}`, "mixed.csv"),
    RecordError,
    "Cannot read line 3 of mixed.csv as its schema is 99",
  );
  assertThrows(() => readRounds(header.replace("arm", "leg") + "\n"), RecordError, "leg, not arm");
  assertThrows(() => readRounds(`${header},more\n`), RecordError, "column 13 is more, not absent");
  assertThrows(() => readRounds(`${header}\n${SCHEMA},p,plain\n`), RecordError, "3 cells for 12");
  assertThrows(
    () => readRounds(`${header}\n${SCHEMA},p,plain,0,0,0,0,,0,1,0,0\n`),
    RecordError,
    'emitted must be integer: it is ""',
  );
});

Deno.test("data/README.md is what the column tables say (UPDATE=1 rewrites it)", async () => {
  const path = new URL("../../data/README.md", import.meta.url);
  if (Deno.env.has("UPDATE")) await Deno.writeTextFile(path, describeRecords());
  assertEquals(await Deno.readTextFile(path), describeRecords());
});
