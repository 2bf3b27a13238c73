/** Costs of tables, reading of prompts included. */

import type { CostRecord } from "../../lib/study/cost_records.ts";
import { planCosts } from "../../lib/study/cost_plan.ts";
import { plant, SMALL, smallSweep, temporaryCosts } from "../study/planted_costs.ts";

const SPEED = { fp32: 24, int8: 12, int4: 3 };

/** A machine on which checking is cheap and int4 quick. */
export async function pricedCosts(): Promise<CostRecord[]> {
  const preset = {
    ...SMALL,
    precisions: ["fp32", "int8", "int4"] as const,
    widths: [1, 2, 3, 5, 9],
    contexts: [16, 1024, 4096],
    prefillContexts: [0, 4096],
    host: { widths: [1, 9], context: 16 },
  };
  await using store = await temporaryCosts();
  let now = 0;
  await smallSweep(
    store,
    {
      clock: () => now += 50,
      load: (id, options) =>
        plant({
          ms: ({ kind, width }) =>
            kind === "host"
              ? 0.001
              : SPEED[options.precision] * (1 + (kind === "prefill" ? 2 : 0.1 * (width - 1))),
          noise: 0.001,
          drift: 0,
        }).load(id, options),
    },
    {},
    planCosts(preset, { model: "table", drafts: [], threads: 1, process: 1 }),
  );
  return [...store.costs];
}
