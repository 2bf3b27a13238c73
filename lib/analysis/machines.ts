/**
 * Machines side by side: where the boundary lies on each, measured or projected.
 *
 * @module
 */

import type { HardwarePart } from "../study/hardware.ts";
import { requireInteger } from "../validate.ts";
import { type CostPair, type Predicted, speedupAt } from "./boundary.ts";
import { contour, speedupMap } from "./map.ts";
import { type EfficienciesByKind, projectCosts, storedOn } from "./projection.ts";
import type { NetworkSizes, NumberFormat } from "./work.ts";

/** Where the boundary lies on one machine. */
export interface MachineBoundary {
  /** Whether its costs were measured, or follow from published figures. */
  readonly basis: "measured" | "projected";
  /** The machine or part. */
  readonly name: string;
  /** Whom it is made for; null if not known. */
  readonly market: HardwarePart["market"] | null;
  /** The least α at which any K pays; Infinity where none does. A projection has no interval. */
  readonly breakEven: Predicted;
  /** S at α and the best K, at least 1. */
  readonly speedup: Predicted;
  /** That K. */
  readonly draftLength: number;
}

/** Where machines are compared. */
export interface MachinePlace {
  /** α at which S is given. */
  readonly alpha: number;
  /** n. */
  readonly context: number;
  /** The longest K. Default 16. */
  readonly longest?: number;
}

/**
 * Where the boundary lies, by measured costs.
 *
 * @param machine The machine's name and market.
 * @param pair Costs of target and draft on it.
 * @param place α, n, the longest K.
 * @returns The boundary.
 * @throws {CostModelError} If the place lies outside of what was measured.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const layer = (ms: number) => ({ pass: constant(ms), host: constant(0) });
 * const pair = { target: layer(20), draft: layer(5) };
 * const machine = { name: "a", market: null };
 * const { breakEven, draftLength } = measuredMachine(machine, pair, { alpha: 0.5, context: 64 });
 * assertAlmostEquals(breakEven.estimate, 0.25);
 * assertEquals(draftLength, 1);
 * ```
 */
export function measuredMachine(
  { name, market }: Pick<MachineBoundary, "name" | "market">,
  pair: CostPair,
  place: MachinePlace,
): MachineBoundary {
  return { basis: "measured", name, market, ...boundaryOf(pair, place) };
}

/** What is projected, and from what. */
export interface MachineProjection extends MachinePlace {
  /** The target's sizes. */
  readonly target: NetworkSizes;
  /** The draft's sizes; null for drafts that cost nothing. */
  readonly draft: NetworkSizes | null;
  /** How the weights of both are stored. */
  readonly format: NumberFormat;
  /** Efficiencies, fitted on a part of each kind. */
  readonly efficiencies: EfficienciesByKind;
}

/**
 * Where the boundary would lie on parts that were not measured. Left out are those of a kind for
 * which no efficiency of the format was fitted.
 *
 * @param parts The processors.
 * @param options Models, format, efficiencies and place.
 * @returns A boundary a part.
 * @throws {RooflineError} If a part's throughput is not published.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { findShape, readHardware } from "@specbound/specbound";
 * const parts = readHardware(await Deno.readTextFile("data/hardware.csv"));
 * const ideal = { memory: 1, compute: { fp16: 1 }, attention: 1, launchMs: 0 };
 * const [row] = projectedMachines(parts.filter(({ id }) => id === "h100-sxm"), {
 *   target: findShape("shape:llama-3.1-8b").architecture,
 *   draft: null,
 *   format: "fp16",
 *   efficiencies: { cpu: ideal, gpu: ideal },
 *   alpha: 0.7,
 *   context: 1024,
 * });
 * assertEquals(row!.basis, "projected");
 * assert(row!.breakEven.estimate < 0.1);
 * ```
 */
export function projectedMachines(
  parts: readonly HardwarePart[],
  options: MachineProjection,
): MachineBoundary[] {
  const { target, draft, format, efficiencies, ...place } = options;
  return parts.flatMap((part): MachineBoundary[] => {
    const reached = efficiencies[part.kind];
    if (reached.compute[format] === undefined) return [];
    const layer = (sizes: NetworkSizes) =>
      projectCosts(part, reached, storedOn(part, sizes, format));
    const pair = { target: layer(target), draft: draft && layer(draft) };
    const { name, market } = part;
    return [{ basis: "projected", name, market, ...boundaryOf(pair, place) }];
  });
}

function boundaryOf(
  pair: CostPair,
  { alpha, context, longest = 16 }: MachinePlace,
): Pick<MachineBoundary, "breakEven" | "speedup" | "draftLength"> {
  requireInteger("compare machines", "longest", longest, 1);
  const [pays] = contour(pair, { contexts: [context], longest });
  const [best] = speedupMap(pair, { contexts: [context], longest, alphas: [alpha] });
  const { draftLength } = best!;
  const speedup = speedupAt(pair, { alpha, draftLength, context });
  return { breakEven: pays!.alpha, speedup, draftLength };
}
