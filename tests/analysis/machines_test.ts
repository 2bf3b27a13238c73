import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { measuredMachine, projectedMachines } from "../../lib/analysis/machines.ts";
import { contour, speedupMap } from "../../lib/analysis/map.ts";
import { findShape } from "../../lib/models/shapes.ts";
import { readHardware } from "../../lib/study/hardware.ts";
import { plantedPair } from "./planted_pair.ts";

const pair = plantedPair();
const longest = 8;

Deno.test("a machine's boundary is the contour's at its context, and S there the map's", () => {
  const place = { alpha: 0.7, context: 1024, longest };
  const machine = measuredMachine({ name: "a", market: null }, pair, place);
  const [point] = contour(pair, { contexts: [1024], longest });
  const [cell] = speedupMap(pair, { contexts: [1024], longest, alphas: [0.7] });
  assertEquals(machine.breakEven, point!.alpha);
  assertEquals(machine.draftLength, cell!.draftLength);
  assertAlmostEquals(machine.speedup.estimate, cell!.speedup, 1e-12);
});

Deno.test("a projection says that it is one, has no interval, and wants an efficiency of its format", async () => {
  const parts = readHardware(
    await Deno.readTextFile(new URL("../../data/hardware.csv", import.meta.url)),
  );
  const efficiency = { memory: 1, attention: 1, launchMs: 0 };
  const rows = projectedMachines(parts.filter(({ fp16 }) => fp16 !== null), {
    target: findShape("shape:llama-3.1-8b").architecture,
    draft: findShape("shape:llama-3.2-1b").architecture,
    format: "fp16",
    efficiencies: {
      gpu: { ...efficiency, compute: { fp16: 1 } },
      cpu: { ...efficiency, compute: { int8: 1 } },
    },
    alpha: 0.7,
    context: 1024,
  });
  const names = parts.filter(({ kind, fp16 }) => kind === "gpu" && fp16 !== null)
    .map(({ name }) => name);
  assertEquals(rows.map(({ name }) => name), names);
  for (const { basis, breakEven, speedup } of rows) {
    assertEquals(basis, "projected");
    assertEquals([breakEven.low, breakEven.high], [breakEven.estimate, breakEven.estimate]);
    assert(breakEven.estimate < 0.7 && speedup.estimate > 1);
  }
});
