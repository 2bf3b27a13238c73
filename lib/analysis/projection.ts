/**
 * Where speculation would pay on processors that were not measured: published peaks, fitted
 * efficiencies, and the same boundary as measured costs have. A projection is no measurement, and
 * its rows say so.
 *
 * @module
 */

import type { HardwarePart } from "../study/hardware.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import { breakEven, type CostLayer, type CostPair, speedupAt } from "./boundary.ts";
import { type Efficiencies, passTime, type Peak, type StoredNetwork } from "./roofline.ts";
import { type NetworkSizes, type NumberFormat, passWork, totalWork } from "./work.ts";

/** What stands for the efficiency of parts that were not measured. */
export type EfficienciesByKind = Readonly<Record<HardwarePart["kind"], Efficiencies>>;

/** What is projected. */
export interface ProjectionOptions {
  /** The target's sizes. */
  readonly target: NetworkSizes;
  /** The draft's sizes. */
  readonly draft: NetworkSizes;
  /** How the weights of both are stored. */
  readonly format: NumberFormat;
  /** Efficiencies, fitted on a part of each kind. */
  readonly efficiencies: EfficienciesByKind;
  /** α at which S and the best K are given. Default 0.7. */
  readonly alpha?: number;
  /** Contexts of the boundary; S and the best K are at the first. Default 1,024 and 8,192. */
  readonly contexts?: readonly number[];
  /** Batches at which S is given. Default 1, 8 and 32. */
  readonly batches?: readonly number[];
  /** The longest K. Default 16. */
  readonly longest?: number;
}

/** A point of the boundary: the least acceptance that pays. */
export interface ProjectedBreakEven {
  /** n. */
  readonly context: number;
  /** α where S = 1; Infinity where no draft length pays even at α = 1. */
  readonly alpha: number;
  /** The K that pays first. */
  readonly draftLength: number;
}

/** S at the best draft length, which is never 0: below 1, plain decoding is faster. */
export interface ProjectedSpeedup {
  /** B. */
  readonly batch: number;
  /** The best K. */
  readonly draftLength: number;
  /** S. */
  readonly speedup: number;
}

/** What is projected for one part. */
export interface ProjectedBoundary {
  /** Says that none of this was measured. */
  readonly basis: "projection";
  /** The part. */
  readonly part: HardwarePart;
  /** T_p(1) at the first context and B = 1, in milliseconds. */
  readonly passMs: number;
  /** c there. */
  readonly c: number;
  /** v(5) there: a pass over five tokens. */
  readonly v: number;
  /** Whether weights, and keys and values at the longest context, B = 1, fit; null if not known. */
  readonly fits: boolean | null;
  /** The boundary at B = 1. */
  readonly breakEven: readonly ProjectedBreakEven[];
  /** S for each batch at the first context. */
  readonly speedups: readonly ProjectedSpeedup[];
}

/**
 * The cost layer that a roofline gives, in the form that measured costs have. The host's share is
 * taken as 0: it is the engine's, not the part's.
 *
 * @param part The processor.
 * @param efficiencies What it reaches.
 * @param network Sizes and formats.
 * @returns The layer. Its times have no interval: how far off they are, held-out cells and published
 * speed-ups tell.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findShape } from "@specbound/specbound";
 * const part = { id: "p", kind: "gpu", bandwidth: 1000, fp32: 10, fp16: 100, int8: null } as const;
 * const ideal = { memory: 1, compute: { fp16: 1 }, attention: 1, launchMs: 0 };
 * const { architecture: sizes } = findShape("shape:llama-3.1-8b");
 * const { host } = projectCosts(part, ideal, { sizes, formats: { weights: "fp16", cache: "fp16" } });
 * assertEquals(host.time(1, 0).ms, 0);
 * ```
 */
export function projectCosts(
  part: Peak,
  efficiencies: Efficiencies,
  network: StoredNetwork,
): CostLayer {
  const layer = (timeOf: (width: number, context: number, batch: number) => number) => ({
    time(width: number, context: number, batch = 1) {
      const ms = timeOf(width, context, batch);
      return { ms, low: ms, high: ms, error: 0 };
    },
  });
  return {
    pass: layer((width, context, batch) =>
      passTime(part, efficiencies, network, { width, context, batch }).total
    ),
    host: layer(() => 0),
  };
}

/**
 * Projects the boundary of a pair of models on each part.
 *
 * @param parts The processors.
 * @param options The models, their format, efficiencies, and where to look.
 * @returns A row a part.
 * @throws {RooflineError} If a part's throughput is not published, or no efficiency was fitted.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { findShape, readHardware } from "@specbound/specbound";
 * const parts = readHardware(await Deno.readTextFile("data/hardware.csv"));
 * const ideal = { memory: 1, compute: { fp16: 1 }, attention: 1, launchMs: 0 };
 * const [row] = projectBoundaries(parts.filter(({ id }) => id === "h100-sxm"), {
 *   target: findShape("shape:llama-3.1-8b").architecture,
 *   draft: findShape("shape:llama-3.2-1b").architecture,
 *   format: "fp16",
 *   efficiencies: { cpu: ideal, gpu: ideal },
 * });
 * assertEquals(row!.basis, "projection");
 * assert(row!.breakEven[0]!.alpha < 0.3);
 * ```
 */
export function projectBoundaries(
  parts: readonly HardwarePart[],
  options: ProjectionOptions,
): ProjectedBoundary[] {
  const { alpha = 0.7, contexts = [1024, 8192], batches = [1, 8, 32], longest = 16 } = options;
  requireNumber("project", "alpha", alpha, 0, 1);
  requireInteger("project", "longest", longest, 1);
  requireInteger("project", "the number of contexts", contexts.length, 1);
  const lengths = Array.from({ length: longest }, (_, index) => index + 1);
  const context = contexts[0]!;
  return parts.map((part) => {
    const [target, draft] = [options.target, options.draft].map((sizes) =>
      storedOn(part, sizes, options.format)
    ) as [StoredNetwork, StoredNetwork];
    const costs = (network: StoredNetwork) =>
      projectCosts(part, options.efficiencies[part.kind], network);
    const pair: CostPair = { target: costs(target), draft: costs(draft) };
    const passMs = pair.target.pass.time(1, context).ms;
    return {
      basis: "projection",
      part,
      passMs,
      c: pair.draft!.pass.time(1, context).ms / passMs,
      v: pair.target.pass.time(5, context).ms / passMs,
      fits: part.memory === null
        ? null
        : residentBytes([target, draft], Math.max(...contexts)) <= part.memory * 1e9,
      breakEven: contexts.map((context) => {
        const all = lengths.map((draftLength) => {
          const place = { draftLength, context };
          return { context, draftLength, alpha: breakEven(pair, place, WITHOUT_INTERVAL).estimate };
        });
        return all.reduce((least, one) => one.alpha < least.alpha ? one : least);
      }),
      speedups: batches.map((batch) => {
        const all = lengths.map((draftLength) => {
          const point = { alpha, draftLength, context, batch };
          return {
            batch,
            draftLength,
            speedup: speedupAt(pair, point, WITHOUT_INTERVAL).estimate,
          };
        });
        return all.reduce((best, one) => one.speedup > best.speedup ? one : best);
      }),
    };
  });
}

/**
 * A network as engines store it on a part: keys and values in fp32 on processor cores, as the engine
 * here does, and in fp16 on accelerators.
 *
 * @param part The processor.
 * @param sizes The network.
 * @param weights How its weights are stored.
 * @returns The network.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findShape } from "@specbound/specbound";
 * const { architecture } = findShape("shape:llama-3.2-1b");
 * assertEquals(storedOn({ kind: "cpu" }, architecture, "int4").formats.cache, "fp32");
 * ```
 */
export function storedOn(
  { kind }: Pick<HardwarePart, "kind">,
  sizes: NetworkSizes,
  weights: NumberFormat,
): StoredNetwork {
  return { sizes, formats: { weights, cache: kind === "cpu" ? "fp32" : "fp16" } };
}

/** A roofline's times have no interval to draw from. */
const WITHOUT_INTERVAL = { draws: 2 };

/** All that a pass reads must be there. */
function residentBytes(networks: readonly StoredNetwork[], context: number): number {
  return networks.reduce((sum, { sizes, formats }) => {
    return sum + totalWork(passWork(sizes, { width: 1, context, batch: 1 }, formats)).bytes;
  }, 0);
}
