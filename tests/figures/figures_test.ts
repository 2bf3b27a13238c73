import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { passesOf } from "../../lib/analysis/located_rounds.ts";
import { type MachineBoundary, measuredMachine } from "../../lib/analysis/machines.ts";
import { joinPairs } from "../../lib/analysis/pairs.ts";
import { costsOfRuns } from "../../lib/analysis/validation_prediction.ts";
import { acceptanceByPosition } from "../../lib/figures/acceptance_by_position.ts";
import { acceptanceByTask } from "../../lib/figures/acceptance_by_task.ts";
import { boundaryMap } from "../../lib/figures/boundary_map.ts";
import { captionOf } from "../../lib/figures/caption.ts";
import { generationTrace } from "../../lib/figures/generation_trace.ts";
import { machineComparison } from "../../lib/figures/machine_comparison.ts";
import { predictedAgainstMeasured } from "../../lib/figures/predicted_against_measured.ts";
import { renderPng } from "../../lib/figures/render.ts";
import { sensitivity } from "../../lib/figures/sensitivity.ts";
import { speedupByAcceptance } from "../../lib/figures/speedup_by_acceptance.ts";
import { speedupByContext } from "../../lib/figures/speedup_by_context.ts";
import { speedupWaterfall } from "../../lib/figures/speedup_waterfall.ts";
import { throughputByBatch } from "../../lib/figures/throughput_by_batch.ts";
import { verificationCost } from "../../lib/figures/verification_cost.ts";
import type { Records } from "../../lib/study/records.ts";
import { readFixture } from "../analysis/fixture.ts";
import { type Layers, readLayers } from "../analysis/layers_fixture.ts";
import { assertSnapshot, assertWordsInside } from "./figure_checks.ts";

/** All layers of a small study. */
interface Study extends Layers {
  readonly records: Records;
}

const NOTHING: Study = { records: { runs: [], rounds: [] }, costs: [], traces: [] };
const MODEL = "table";

const FIGURES: Readonly<Record<string, (study: Study) => string>> = {
  acceptance_by_position: ({ records }) => acceptanceByPosition(records, { stretch: 4 }),
  acceptance_by_task: ({ records }) => acceptanceByTask(records),
  boundary_map: ({ costs, traces }) =>
    boundaryMap(costs, traces, {
      model: MODEL,
      draft: { model: MODEL, precision: "int4" },
      longest: 8,
    }),
  generation_trace: ({ records }) =>
    generationTrace(joinPairs(records).find(({ speculative }) => speculative.draft === "model")!),
  machine_comparison: drawMachines,
  predicted_against_measured: ({ records }) => predictedAgainstMeasured(records),
  sensitivity: ({ costs }) =>
    sensitivity(costs, {
      model: MODEL,
      centre: { ...PLACE, draftLength: 4, batch: 1, precision: "int4", draft: "none" },
      levels: {
        alpha: [0.3, 0.7, 0.9],
        draftLength: [2, 4, 8],
        context: [16, 512, 4096],
        batch: [1, 4],
        precision: ["fp32", "int4"],
        draft: ["none", `${MODEL}@int4`],
      },
    }),
  speedup_by_acceptance: ({ records }) => speedupByAcceptance(records),
  speedup_by_context: ({ records }) => speedupByContext(records),
  speedup_waterfall: ({ records }) => speedupWaterfall(records),
  throughput_by_batch: ({ costs }) =>
    throughputByBatch(costs, { model: MODEL, context: PLACE.context, longest: 8 }),
  verification_cost: ({ records }) =>
    verificationCost(passesOf(records), { caption: captionOf(records.runs) }),
};

const PLACE = { alpha: 0.7, context: 512 } as const;

/** A measured machine between two parts of which one never gains. */
function drawMachines({ costs }: Study): string {
  const run = { model: MODEL, precision: "int4", threads: 1, exact: false } as const;
  const none = { draft: "prompt-lookup", draftModel: null, draftPrecision: null } as const;
  const pair = costsOfRuns(costs)({ ...run, ...none });
  const certain = (estimate: number) => ({ estimate, low: estimate, high: estimate });
  const projected = (name: string, breakEven: number, speedup: number): MachineBoundary => ({
    ...{ basis: "projected", name, market: "consumer", draftLength: 2 },
    breakEven: certain(breakEven),
    speedup: certain(speedup),
  });
  const machines = pair
    ? [
      measuredMachine({ name: costs[0]!.machine, market: null }, pair, { ...PLACE, longest: 8 }),
      projected("a fast part", 0.1, 2.4),
      projected("a slow part", Infinity, 0.8),
    ]
    : [];
  const caption = [`${costs[0]?.cpu}.`, `n = ${costs.length} cells.`];
  return machineComparison(machines, { ...PLACE, models: "A table", caption });
}

let study: Promise<Study> | undefined;

function readStudy(): Promise<Study> {
  return study ??= Promise.all([readFixture(), readLayers()])
    .then(([records, layers]) => ({ records, ...layers }));
}

for (const [name, draw] of Object.entries(FIGURES)) {
  let drawn: Promise<string> | undefined;
  const drawOnce = () => drawn ??= readStudy().then(draw);

  Deno.test(`${name} draws the fixture as it did (UPDATE=1 accepts a change)`, async () => {
    await assertSnapshot(name, await drawOnce());
  });

  Deno.test(`${name} is a whole SVG file that names its fonts, its n and its machine`, async () => {
    const { records } = await readStudy();
    const svg = await drawOnce();
    assert(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
    assertEquals(svg.match(/<svg/g)!.length, svg.match(/<\/svg>/g)!.length);
    assertStringIncludes(svg, "DejaVu Sans");
    assertStringIncludes(svg, "n = ");
    assertStringIncludes(svg, records.runs[0]!.cpu);
  });

  Deno.test(`${name} puts no word over its edge`, async () => {
    assertWordsInside(await drawOnce());
  });

  Deno.test(`${name} of no rows is an error, not an empty figure`, () => {
    assertThrows(() => draw(NOTHING));
  });
}

Deno.test("renderPng() draws text: without its fonts the picture would be another", async () => {
  const svg = speedupByAcceptance(await readFixture());
  const png = renderPng(svg, { scale: 1 });
  const blank = renderPng(svg.replace(/<text[^]*?<\/text>/g, ""), { scale: 1 });
  assert(png.length > blank.length * 1.3);
});
