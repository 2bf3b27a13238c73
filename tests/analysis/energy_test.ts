import { assertEquals } from "@std/assert";
import { cpuSecondsPerToken, energyPerToken } from "../../lib/analysis/energy.ts";

const run = { emitted: 10, energyJoules: 100, memoryJoules: null, energySeconds: 2, idleWatts: 20 };
const none = { idleInclusive: null, idleSubtracted: null };

Deno.test("a run that draws no more than a machine at rest costs nothing above it", () => {
  assertEquals(energyPerToken({ ...run, energyJoules: 40 }), {
    idleInclusive: 4,
    idleSubtracted: 0,
  });
});

Deno.test("what was not metered is null, not 0", () => {
  assertEquals(energyPerToken({ ...run, energyJoules: null }), none);
  assertEquals(energyPerToken({ ...run, emitted: null }), none);
  assertEquals(energyPerToken({ ...run, emitted: 0 }), none);
  assertEquals(energyPerToken({ ...run, idleWatts: null }), { ...none, idleInclusive: 10 });
  assertEquals(cpuSecondsPerToken({ cpuSeconds: null, emitted: 3 }), null);
  assertEquals(cpuSecondsPerToken({ cpuSeconds: 3, emitted: 0 }), null);
});
