import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { RecordError } from "../../lib/study/columns.ts";
import { mergeRecords } from "../../lib/study/merge.ts";
import { type Machine, machineId, writeMachine } from "../../lib/study/provenance.ts";

const zen4: Machine = {
  id: "amd-epyc-2c-avx512vnni",
  os: "linux",
  osRelease: "6.1",
  architecture: "x86_64",
  cpu: "AMD EPYC",
  cores: 2,
  memoryBytes: 2 ** 34,
  instructionSets: ["avx512_vnni", "avx512f", "avx2"],
  gpu: null,
};
const zen5: Machine = {
  ...zen4,
  instructionSets: ["avx512_vnni", "avx_vnni", "avx512f", "avx2"],
};

Deno.test("processors of one brand that multiply otherwise have other names", () => {
  const nameOf = ({ cpu, cores, instructionSets }: Machine) =>
    machineId(cpu, cores, instructionSets);
  assertEquals(nameOf(zen4), "amd-epyc-2c-avx512vnni");
  assertEquals(nameOf(zen5), "amd-epyc-2c-avx512vnni-avxvnni");
  const sapphire = ["amx_int8", "avx512_vnni", "avx_vnni"];
  assertEquals(machineId("Intel(R) Xeon(R) Processor", 2, sapphire), "intel-xeon-2c-amxint8");
});

Deno.test("a machine's folder takes no rows of another processor, though it has the same name", async () => {
  const folder = await Deno.makeTempDir();
  await writeMachine(folder, zen4);
  await assertRejects(() => writeMachine(folder, zen5), RecordError, "two machines of one name");
  const read = async () => JSON.parse(await Deno.readTextFile(join(folder, "machine.json")));
  assertEquals(await read(), zen4);
  const updated = { ...zen4, osRelease: "6.2", memoryBytes: 2 ** 35 };
  await writeMachine(folder, updated);
  assertEquals(await read(), updated);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a description that was torn in writing is written anew", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "machine.json"), '{\n  "id": "amd-e');
  await writeMachine(folder, zen5);
  assertEquals(JSON.parse(await Deno.readTextFile(join(folder, "machine.json"))), zen5);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("shards of two processors of one name are not merged", async () => {
  const root = await Deno.makeTempDir();
  const source = "tests/analysis/fixture";
  for (const [shard, machine] of [["a", zen4], ["b", zen5]] as const) {
    const runs = await Deno.readTextFile(`${source}/runs.csv`);
    const [head, first] = runs.split("\n");
    const id = first!.split(",")[head!.split(",").indexOf("machine")]!;
    const folder = join(root, shard, id);
    await Deno.mkdir(folder, { recursive: true });
    for (const file of ["runs.csv", "rounds.csv"]) {
      await Deno.copyFile(`${source}/${file}`, join(folder, file));
    }
    await writeMachine(folder, { ...machine, id });
  }
  const merge = () => mergeRecords([join(root, "a"), join(root, "b")], join(root, "out"));
  await assertRejects(merge, RecordError, "avx_vnni");
  await assertRejects(() => Deno.stat(join(root, "out")), Deno.errors.NotFound);
  await Deno.remove(root, { recursive: true });
});
