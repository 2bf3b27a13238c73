/**
 * The energy meter of a sweep.
 *
 * @module
 */

import type { EnergyMeter } from "./meter.ts";
import { type EnergyMeterOptions, openEnergyMeter } from "./open.ts";
import { idlePower } from "./used.ts";

/** What a sweep is told of energy. Disposing of it closes the meter. */
export interface SweepEnergy extends AsyncDisposable {
  /** For its options: the meter, if there is one. */
  readonly options: { readonly energyMeter?: EnergyMeter };
  /** For its provenance: the meter's name and the power at rest, or why there is none. */
  readonly provenance: { readonly meter: string; readonly idleWatts: number | null };
}

/**
 * Opens this machine's meter and reads it over a second of rest.
 *
 * @param options What is to be metered.
 * @returns What a sweep's options and provenance say of it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * await using energy = await openSweepEnergy({ openers: [] });
 * assertEquals([energy.options, energy.provenance.idleWatts], [{}, null]);
 * ```
 */
export async function openSweepEnergy(options: EnergyMeterOptions = {}): Promise<SweepEnergy> {
  const { meter, why } = await openEnergyMeter(options);
  return {
    options: meter ? { energyMeter: meter } : {},
    provenance: meter
      ? { meter: meter.name, idleWatts: await idlePower(meter) }
      : { meter: why, idleWatts: null },
    [Symbol.asyncDispose]: async () => await meter?.[Symbol.asyncDispose](),
  };
}
