import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type EnergyMeter, unusable } from "../../../lib/study/energy/meter.ts";
import { openEnergyMeter } from "../../../lib/study/energy/open.ts";
import { idlePower } from "../../../lib/study/energy/used.ts";

const meter: EnergyMeter = {
  name: "fake",
  read: () => Promise.resolve(null),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

const broken = (name: string) => (): EnergyMeter => {
  throw unusable(name, "it is broken");
};

Deno.test("the first meter that works is taken", async () => {
  const opened = await openEnergyMeter({ openers: [broken("a"), () => meter, broken("b")] });
  assertEquals([opened.meter, opened.why], [meter, null]);
});

Deno.test("no meter is no error, and every reason is told", async () => {
  assertEquals(await openEnergyMeter({ openers: [broken("a"), broken("b")] }), {
    meter: null,
    why: "no meter: Cannot use a as it is broken; Cannot use b as it is broken",
  });
});

Deno.test("a mistake in a meter is not taken for its absence", async () => {
  const faulty = () => Promise.reject(new TypeError("a mistake"));
  await assertRejects(() => openEnergyMeter({ openers: [faulty] }), TypeError, "a mistake");
});

for (const device of ["cpu", "gpu"] as const) {
  Deno.test(`this machine has a meter of its ${device}, or says why not`, async () => {
    const opened = await openEnergyMeter({ device });
    await using _meter = opened.meter;
    if (!opened.meter) assertMatch(opened.why, /^no meter: \S/);
  });
}

Deno.test("power at rest counts memory, and is null where a reading is", async () => {
  let reads = 0;
  const read = () => {
    reads++;
    return Promise.resolve({ joules: 20 * reads, memoryJoules: 4 * reads, seconds: 2 * reads });
  };
  assertEquals(await idlePower({ read }, 0), 12);
  assertEquals(await idlePower(meter, 0), null);
});
