/** A study in virtual time: the real sweep over tables whose passes cost what passes might. */

import { stream, tableModel } from "@specbound/specbound";
import { plan } from "../../lib/study/plan.ts";
import { type Preset, preset } from "../../lib/study/presets.ts";
import type { Records } from "../../lib/study/records.ts";
import { readRecords } from "../../lib/study/store.ts";
import {
  observed,
  PROMPTS,
  PROVENANCE,
  quiet,
  tableSubject,
  temporaryRecords,
  tinySweep,
} from "../study/tables.ts";

const COSTS = {
  fp32: { pass: 24, growth: 0.075 },
  int8: { pass: 12, growth: 0.22 },
  int4: { pass: 10, growth: 0.26 },
};

export interface FakeStudy {
  /** Changes to the quick preset. */
  readonly changes?: Partial<Preset>;
  /** Prompts taken. */
  readonly prompts?: number;
  /** Replicates. */
  readonly processes?: number;
  /** Spread of a pair's times, in logarithms. Default 0.05. */
  readonly noise?: number;
  /** Seed of the noise. */
  readonly seed?: number;
}

export async function fakeStudy(options: FakeStudy = {}): Promise<Records> {
  const { changes = {}, prompts = 12, processes = 1, noise = 0.05, seed = 1 } = options;
  const random = stream(seed, "noise");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let now = 0;
  const clock = () => now += 0.05;
  await using store = await temporaryRecords();
  for (let process = 1; process <= processes; process++) {
    const study = { ...preset("quick", "table-135m"), ...changes };
    await tinySweep(store, {
      clock,
      meter: quiet,
      provenance: { ...PROVENANCE, study: "quick" },
      load: (id, { precision }) => {
        const { pass, growth } = COSTS[precision];
        const table = tableModel({ vocabularySize: 256, seed: "table", order: 3, spread: 8 });
        const model = observed(table, ({ length }) => {
          now += pass * (1 + growth * (length - 1)) * Math.exp(noise * normal());
        });
        return Promise.resolve(tableSubject(id, precision, model));
      },
    }, plan(study, PROMPTS.slice(0, prompts), { process, threads: 2 }));
  }
  return await readRecords(store.folder);
}
