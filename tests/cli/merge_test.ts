import { assert, assertEquals } from "@std/assert";
import { openRecords } from "../../lib/study/store.ts";
import { PROVENANCE, tinyPlan, tinySweep } from "../study/tables.ts";
import { sweep } from "./sweep_command.ts";

const run = (...args: string[]) => sweep(args);

Deno.test("sweep merge makes one folder of many, and says what is there", async () => {
  const root = await Deno.makeTempDir();
  const { id } = PROVENANCE.machine;
  const folders = [1, 2].map((index) => `${root}/${index}`);
  for (const [i, folder] of folders.entries()) {
    await using store = await openRecords(`${folder}/${id}`);
    await tinySweep(store, {}, tinyPlan({ shard: { index: i + 1, count: 2 } }));
  }
  const merged = await run("merge", ...folders, "--out", `${root}/merged`);
  assertEquals([merged.code, merged.err], [0, ""]);
  const runs = (await Deno.readTextFile(`${root}/merged/${id}/runs.csv`)).trim().split("\n");
  assert(merged.out.includes(`${runs.length - 1} rows of runs.csv`), merged.out);
  await Deno.remove(root, { recursive: true });
});

Deno.test("sweep merge and --shard say in a line what they cannot do", async () => {
  for (
    const [args, code, reason] of [
      [["merge"], 1, "--out is missing"],
      [["merge", "--out", "/tmp/none"], 2, "folders is missing"],
      [["merge", "no/shard", "--out", "/tmp/none"], 1, "no/shard as it holds no machine's records"],
      [["--shard", "4/3"], 1, "a shard must be from 1/3 to 3/3: current value is 4/3"],
      [["costs", "--shard", "0/0"], 1, "a shard must be i/n with i from 1 to n"],
    ] as const
  ) {
    const result = await run(...args);
    assertEquals([result.code, result.out], [code, ""]);
    assert(result.err.includes(reason), result.err);
    assertEquals(result.err.trim().split("\n").length, 1);
  }
});
