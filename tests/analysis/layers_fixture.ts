/** A small cost layer and behaviour layer on file: a table in two precisions, drafting for itself. */

import { COST_COLUMNS, type CostRecord, readCostRows } from "../../lib/study/cost_records.ts";
import type { CostShape } from "../../lib/study/cost_plan.ts";
import { planCosts } from "../../lib/study/cost_plan.ts";
import { readRows, writeHeader, writeRows } from "../../lib/study/columns.ts";
import { TRACE_COLUMNS, type TraceRecord } from "../../lib/study/trace_records.ts";
import { plant, SMALL, smallSweep, temporaryCosts } from "../study/planted_costs.ts";
import { plantedTraces } from "./planted_machine.ts";

const FOLDER = new URL("./fixture/", import.meta.url);
const PASS_MS = { fp32: 24, int8: 12, int4: 8 };
const PRECISIONS = ["fp32", "int4"] as const;

/** Both layers. */
export interface Layers {
  readonly costs: readonly CostRecord[];
  readonly traces: readonly TraceRecord[];
}

/** Reads the fixture; UPDATE=1 makes it anew. */
export async function readLayers(): Promise<Layers> {
  const [costs, traces] = [new URL("costs.csv", FOLDER), new URL("traces.csv", FOLDER)];
  if (Deno.env.has("UPDATE")) {
    const behaviour = (await plantedTraces()).filter(({ precision, temperature }) =>
      temperature === 0 && PRECISIONS.some((name) => name === precision)
    );
    await Deno.writeTextFile(
      costs,
      writeHeader(COST_COLUMNS) + writeRows(COST_COLUMNS, await plantedLayer()),
    );
    await Deno.writeTextFile(
      traces,
      writeHeader(TRACE_COLUMNS) + writeRows(TRACE_COLUMNS, behaviour),
    );
  }
  return {
    costs: readCostRows(await Deno.readTextFile(costs)),
    traces: readRows(TRACE_COLUMNS, await Deno.readTextFile(traces), "traces.csv"),
  };
}

/** A cost layer, its times known to `noise`. */
export async function plantedLayer(noise = 0.01): Promise<CostRecord[]> {
  let now = 0;
  const preset = {
    ...SMALL,
    precisions: PRECISIONS,
    widths: [1, 2, 3, 5, 9],
    contexts: [16, 512, 4096],
    prefillContexts: [],
    batches: [1, 4],
    host: { widths: [1, 9], context: 16 },
  };
  await using store = await temporaryCosts();
  await smallSweep(
    store,
    {
      clock: () => now += 50,
      load: (id, options) =>
        plant({
          ms: (shape) => millisecondsOf(PASS_MS[options.precision], shape),
          noise,
          drift: noise,
        })
          .load(id, options),
    },
    {},
    planCosts(preset, { model: "table", drafts: [], threads: 1, process: 1 }),
  );
  return [...store.costs];
}

/** Weights are read once a pass, and attention and arithmetic are paid by each row and token. */
function millisecondsOf(pass: number, { kind, width, context, batch }: CostShape): number {
  if (kind === "host") return 0.02 * batch;
  return pass + batch * (1.5 * (width - 1) + 0.001 * context * (1 + 0.2 * width));
}
