/** A machine in the head: what is timed takes planted times, and the clock is theirs. */

import {
  type CostPreset,
  costPreset,
  type CostShape,
  type CostStage,
  planCosts,
} from "../../lib/study/cost_plan.ts";
import { type CostStore, openCosts } from "../../lib/study/cost_store.ts";
import { type CostOutcome, type CostSweepOptions, sweepCosts } from "../../lib/study/cost_sweep.ts";
import type { CostLoader } from "../../lib/study/cost_timer.ts";
import { stream } from "../../lib/random.ts";
import { PROVENANCE, quiet } from "./tables.ts";

/** Settings of the machine. */
export interface PlantedOptions {
  /** Milliseconds that a shape takes. */
  readonly ms?: (shape: CostShape) => number;
  /** Standard deviation of a sample's logarithm. */
  readonly noise?: number;
  /** Standard deviation of what the samples of one visit have in common. */
  readonly drift?: number;
  /** Seed of both. */
  readonly seed?: number;
  /** Called before each sample; may throw. */
  readonly before?: (shape: CostShape) => void;
}

/** T = 10 + 2w + 0.01n + 0.001wn, for each row. */
export function plantedMs({ width, context, batch }: CostShape): number {
  return batch * (10 + 2 * width + 0.01 * context + 0.001 * width * context);
}

/** A loader of planted costs, and the clock that they turn. */
export function plant(options: PlantedOptions = {}): { load: CostLoader; clock: () => number } {
  const { ms = plantedMs, noise = 0.01, drift = 0.005, seed = 1, before } = options;
  const random = stream(seed, "noise");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let now = 0;
  const load: CostLoader = (id, { precision }) =>
    Promise.resolve({
      id,
      hash: null,
      precision,
      headPrecision: null,
      attention: null,
      provider: "table",
      limit: 4096,
      open() {
        const visit = drift * normal();
        return Promise.resolve({
          time(shape: CostShape) {
            before?.(shape);
            const taken = ms(shape) * Math.exp(visit + noise * normal());
            now += taken;
            return Promise.resolve(taken);
          },
          [Symbol.asyncDispose]: () => Promise.resolve(),
        });
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  return { load, clock: () => now };
}

/** A grid of 12 cells. */
export const SMALL: CostPreset = {
  ...costPreset("quick"),
  widths: [1, 2, 5],
  contexts: [64, 1024, 4096],
  prefillContexts: [0],
  host: { widths: [1, 5], context: 64 },
};

export function smallPlan(preset: CostPreset = SMALL, process = 1): CostStage[] {
  return planCosts(preset, { model: "planted", drafts: [], threads: 1, process });
}

export function smallSweep(
  store: CostStore,
  planted: ReturnType<typeof plant>,
  options: Partial<CostSweepOptions> = {},
  stages: readonly CostStage[] = smallPlan(),
): Promise<CostOutcome> {
  return sweepCosts(stages, {
    ...planted,
    store,
    provenance: PROVENANCE,
    meter: quiet,
    ...options,
  });
}

/** Opens a cost layer in a folder that is deleted with the store. */
export async function temporaryCosts(): Promise<CostStore & { readonly folder: string }> {
  const folder = await Deno.makeTempDir();
  const store = await openCosts(folder);
  return {
    folder,
    costs: store.costs,
    repaired: store.repaired,
    append: (cost) => store.append(cost),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
