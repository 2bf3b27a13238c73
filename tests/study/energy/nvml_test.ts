import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { EnergyMeterError } from "../../../lib/study/energy/meter.ts";
import { openNvml } from "../../../lib/study/energy/nvml.ts";

/** A library that answers as the driver's does; null where there is no C compiler. */
async function compile(folder: string): Promise<string | null> {
  const library = `${folder}/fake_nvml.so`;
  const source = new URL("fake_nvml.c", import.meta.url).pathname;
  try {
    const args = ["-shared", "-fPIC", "-o", library, source];
    const { success } = await new Deno.Command("cc", { args }).output();
    return success ? library : null;
  } catch {
    return null;
  }
}

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const library = await compile(folder);
if (!library) console.warn("NVML is not tested: there is no C compiler (cc) for a fake of it.");

/** A test whose board can do only what `able` says. */
function nvmlTest(name: string, able: string, fn: (library: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !library,
    fn: async () => {
      Deno.env.set("FAKE_NVML", able);
      try {
        await fn(library!);
      } finally {
        Deno.env.delete("FAKE_NVML");
      }
    },
  });
}

nvmlTest("NVML reads a board's energy counter", "all", async (library) => {
  await using meter = openNvml({ library });
  const [before, after] = [await meter.read(), await meter.read()];
  assertEquals([meter.name, after!.joules - before!.joules], ["nvml", 2.5]);
});

nvmlTest(
  "a board without an energy counter is metered by its power, and the name says so",
  "power only",
  async (library) => {
    await using meter = openNvml({ library, everyMs: 5 });
    assertEquals(meter.name, "nvml sampled");
    const before = (await meter.read())!;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const after = (await meter.read())!;
    assertAlmostEquals(after.joules - before.joules, 80 * (after.seconds - before.seconds), 0.01);
  },
);

nvmlTest("energy is not known once a sample of power failed", "lost", async (library) => {
  await using meter = openNvml({ library, everyMs: 1000 });
  assertEquals(await meter.read(), null);
  Deno.env.set("FAKE_NVML", "power only");
  assertEquals([await meter.read(), await meter.read()], [null, null]);
});

nvmlTest("a meter that was disposed of reads null", "all", async (library) => {
  const meter = openNvml({ library });
  await meter[Symbol.asyncDispose]();
  assertEquals(await meter.read(), null);
});

nvmlTest("a driver that refuses is no meter, in its own words", "no driver", (library) => {
  assertThrows(() => openNvml({ library }), EnergyMeterError, "Driver Not Loaded");
  return Promise.resolve();
});

nvmlTest("a board that is not there is no meter", "all", (library) => {
  assertThrows(() => openNvml({ library, index: 1 }), EnergyMeterError, "find the board");
  return Promise.resolve();
});

Deno.test({
  name: "native code not permitted is no meter",
  permissions: { ffi: false },
  fn: () => {
    const error = assertThrows(() => openNvml({ library: "any.so" }), EnergyMeterError);
    assert(error.message.includes("--allow-ffi"));
  },
});
