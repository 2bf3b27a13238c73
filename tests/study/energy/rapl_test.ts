import { assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { openRapl } from "../../../lib/study/energy/rapl.ts";
import { EnergyMeterError } from "../../../lib/study/energy/meter.ts";

const RANGE = 262_143_328_850;

/** A tree of zones in a folder that is deleted with it. */
async function zones(names: Readonly<Record<string, string>>) {
  const folder = await Deno.makeTempDir();
  const set = (zone: string, microjoules: number | string) =>
    Deno.writeTextFileSync(`${folder}/${zone}/energy_uj`, `${microjoules}\n`);
  for (const [zone, name] of Object.entries(names)) {
    Deno.mkdirSync(`${folder}/${zone}`);
    Deno.writeTextFileSync(`${folder}/${zone}/name`, `${name}\n`);
    Deno.writeTextFileSync(`${folder}/${zone}/max_energy_range_uj`, `${RANGE}\n`);
    set(zone, 0);
  }
  return {
    folder,
    set,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("RAPL adds up packages, tells memory apart, and counts no part of a package twice", async () => {
  await using tree = await zones({
    "intel-rapl:0": "package-0",
    "intel-rapl:0:0": "core",
    "intel-rapl:0:1": "dram",
    "intel-rapl:1": "package-1",
    "intel-rapl:1:0": "dram",
    "intel-rapl:2": "psys",
    "intel-rapl-mmio:0": "package-0",
  });
  await using meter = openRapl(tree);
  const before = (await meter.read())!;
  assertEquals([before.joules, before.memoryJoules], [0, 0]);
  tree.set("intel-rapl:0", 3e6);
  tree.set("intel-rapl:1", 4e6);
  tree.set("intel-rapl:0:1", 5e5);
  tree.set("intel-rapl:1:0", 25e4);
  for (const counted of ["intel-rapl:0:0", "intel-rapl:2", "intel-rapl-mmio:0"]) {
    tree.set(counted, 9e6);
  }
  const after = (await meter.read())!;
  assertEquals([after.joules, after.memoryJoules], [7, 0.75]);
  assertGreater(after.seconds, before.seconds);
});

Deno.test("RAPL counts on where a counter wraps around", async () => {
  await using tree = await zones({ "intel-rapl:0": "package-0" });
  tree.set("intel-rapl:0", RANGE - 2e6);
  await using meter = openRapl(tree);
  for (const [counter, total] of [[RANGE - 1e6, 1], [5e6, 7], [6e6, 8], [1e6, 3 + RANGE / 1e6]]) {
    tree.set("intel-rapl:0", counter!);
    assertAlmostEquals((await meter.read())!.joules, total!, 1e-6);
  }
});

Deno.test("memory without a counter of its own is null, not 0", async () => {
  await using tree = await zones({ "intel-rapl:0": "package-0" });
  await using meter = openRapl(tree);
  assertEquals((await meter.read())!.memoryJoules, null);
});

Deno.test("a counter that cannot be read is no meter, and one that fails later reads null", async () => {
  await using tree = await zones({ "intel-rapl:0": "package-0", "intel-rapl:1": "package-1" });
  await using meter = openRapl(tree);
  for (const broken of ["", "-1", "many"]) {
    tree.set("intel-rapl:1", broken);
    assertThrows(() => openRapl(tree), EnergyMeterError, `holds "${broken}"`);
    assertEquals(await meter.read(), null);
  }
  await Deno.remove(`${tree.folder}/intel-rapl:1/energy_uj`);
  assertThrows(() => openRapl(tree), EnergyMeterError, "No such file");
  assertEquals(await meter.read(), null);
});

Deno.test("a tree without packages is no meter", async () => {
  await using tree = await zones({ "intel-rapl:0": "psys" });
  assertThrows(() => openRapl(tree), EnergyMeterError, "has no zone of a package");
});

Deno.test({
  name: "a permission refused is no meter, and the error names the way out",
  permissions: { read: true },
  ignore: Deno.build.os !== "linux",
  fn: () => {
    assertThrows(() => openRapl(), EnergyMeterError, "--allow-all");
  },
});
