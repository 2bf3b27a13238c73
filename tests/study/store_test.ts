import { assert, assertEquals, assertRejects } from "@std/assert";
import { RecordError } from "../../lib/study/columns.ts";
import type { RunRecord } from "../../lib/study/records.ts";
import { openRecords, type PairRecords, readRecords } from "../../lib/study/store.ts";
import { temporaryRecords, tinySweep } from "./tables.ts";

/** The first pairs of a tiny sweep. */
async function pairs(count: number): Promise<PairRecords[]> {
  await using store = await temporaryRecords();
  await tinySweep(store);
  const { runs, rounds } = await readRecords(store.folder);
  return Object.values(Object.groupBy(runs, (run) => run.pair)).slice(0, count).map((group) => {
    const [first, second] = group as [RunRecord, RunRecord];
    return { runs: [first, second], rounds: rounds.filter(({ pair }) => pair === first.pair) };
  });
}

const files = ["runs.csv", "rounds.csv"] as const;

Deno.test("openRecords() repairs a file that was cut off at any byte of an append", async () => {
  const [first, second, third] = await pairs(3) as [PairRecords, PairRecords, PairRecords];
  const folder = await Deno.makeTempDir();
  const read = () => Promise.all(files.map((file) => Deno.readFile(`${folder}/${file}`)));
  const fill = async (...added: PairRecords[]) => {
    await using store = await openRecords(folder);
    for (const pair of added) await store.append(pair);
  };
  await fill(first, second);
  const [runsBefore, roundsBefore] = await read();
  await fill(third);
  const [runsAfter, roundsAfter] = await read();
  const check = async (runs: Uint8Array, rounds: Uint8Array) => {
    await Deno.writeFile(`${folder}/runs.csv`, runs);
    await Deno.writeFile(`${folder}/rounds.csv`, rounds);
    {
      await using store = await openRecords(folder);
      assertEquals(store.runs, [...first.runs, ...second.runs]);
    }
    assertEquals(await read(), [runsBefore, roundsBefore]);
  };
  // Rounds are written first, so a kill cuts the rounds, or finds them whole and cuts the runs.
  for (let cut = roundsBefore!.length; cut < roundsAfter!.length; cut += 3) {
    await check(runsBefore!, roundsAfter!.subarray(0, cut));
  }
  for (let cut = runsBefore!.length; cut < runsAfter!.length; cut += 3) {
    await check(runsAfter!.subarray(0, cut), roundsAfter!);
  }
  await fill(third);
  assertEquals(await read(), [runsAfter, roundsAfter]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openRecords() refuses to drop what no killed sweep can have left", async () => {
  await using store = await temporaryRecords();
  await tinySweep(store);
  const rounds = await Deno.readTextFile(`${store.folder}/rounds.csv`);
  const copy = await Deno.makeTempDir();
  await Deno.copyFile(`${store.folder}/runs.csv`, `${copy}/runs.csv`);
  await Deno.writeTextFile(`${copy}/rounds.csv`, rounds.slice(0, rounds.length / 2));
  await assertRejects(() => openRecords(copy), RecordError, "pairs lack a run or rounds");
  await Deno.remove(`${copy}/rounds.csv`);
  await assertRejects(() => openRecords(copy), RecordError, "pairs lack a run or rounds");
  assert((await Deno.readTextFile(`${copy}/runs.csv`)).length > 0);
  await Deno.remove(copy, { recursive: true });
});

Deno.test("openRecords() lets one process write at a time", async () => {
  await using store = await temporaryRecords();
  await assertRejects(() => openRecords(store.folder), RecordError, "another process writes there");
});
