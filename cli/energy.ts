/**
 * The energy meter of a sweep.
 *
 * @module
 */

import type { EnergyMeter } from "../lib/study/energy/meter.ts";
import { openEnergyMeter } from "../lib/study/energy/open.ts";
import { idlePower } from "../lib/study/energy/used.ts";

/** What a sweep is told of energy. */
export interface SweepEnergy extends AsyncDisposable {
  /** For its options: the meter, if there is one. */
  readonly options: { readonly energyMeter?: EnergyMeter };
  /** For its provenance: the meter's name and the power at rest, or why there is none. */
  readonly provenance: { readonly meter: string; readonly idleWatts: number | null };
}

/** Opens this machine's meter and reads it over a second of rest. */
export async function openEnergy(): Promise<SweepEnergy> {
  const { meter, why } = await openEnergyMeter();
  return {
    options: meter ? { energyMeter: meter } : {},
    provenance: meter
      ? { meter: meter.name, idleWatts: await idlePower(meter) }
      : { meter: why, idleWatts: null },
    [Symbol.asyncDispose]: async () => await meter?.[Symbol.asyncDispose](),
  };
}
