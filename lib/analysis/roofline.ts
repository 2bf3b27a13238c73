/**
 * What a pass takes by a processor's published figures: a roofline whose efficiencies are fitted to
 * measured passes (after Williams et al. 2009, but with memory and arithmetic one after the other).
 *
 * @module
 */

import type { HardwarePart } from "../study/hardware.ts";
import { fitTerms } from "./least_squares.ts";
import {
  type Formats,
  type NetworkSizes,
  type NumberFormat,
  type PassShape,
  passWork,
  totalWork,
} from "./work.ts";

/** As much of a part as times follow from. */
export type Peak = Pick<HardwarePart, "id" | "kind" | "bandwidth" | "fp32" | "fp16" | "int8">;

/**
 * Shares of the peaks that passes reach, and what a layer takes beside. Infinity where measured
 * passes show no such cost: it hides behind another. Above 1 where it hides in part, or where the
 * published peak is of a lower clock.
 */
export interface Efficiencies {
  /** Of memory bandwidth. */
  readonly memory: number;
  /** Of throughput, in products with weights of each format. */
  readonly compute: Readonly<Partial<Record<NumberFormat, number>>>;
  /** Of throughput, in attention. */
  readonly attention: number;
  /** Milliseconds that each layer of a pass takes whatever its work: launching kernels. */
  readonly launchMs: number;
}

/** A network as it is stored. */
export interface StoredNetwork {
  /** Its sizes. */
  readonly sizes: NetworkSizes;
  /** Its formats. */
  readonly formats: Formats;
}

/** A measured pass, to fit efficiencies to. */
export interface TimedPass extends StoredNetwork, PassShape {
  /** Milliseconds. */
  readonly ms: number;
}

/** Milliseconds of a pass by its parts. */
export interface RooflineTime {
  /** The layers' matrices. */
  readonly layers: number;
  /** The output head. */
  readonly head: number;
  /** Attention: reading the cache, and its products. */
  readonly attention: number;
  /** Launching. */
  readonly launch: number;
  /** All of it. */
  readonly total: number;
}

/** A measured pass and what passes of other folds make of it. */
export interface HeldOutPass {
  /** The pass. */
  readonly pass: TimedPass;
  /** Milliseconds by efficiencies fitted without its fold. */
  readonly predicted: number;
  /** predicted / measured − 1. */
  readonly error: number;
}

/** Raised when a time does not follow from what is known. */
export class RooflineError extends Error {
  /** "RooflineError". */
  override readonly name = "RooflineError";
}

/**
 * The time of a pass: each part takes bytes / (e_memory · bandwidth) + operations / (e · throughput),
 * and each layer its launch. The parts are added up, since measured passes grow with every token
 * from the second on, where the larger of both would stay flat.
 *
 * @param part The processor.
 * @param efficiencies What it reaches.
 * @param network Sizes and formats.
 * @param shape w, n, B.
 * @returns Milliseconds.
 * @throws {RooflineError} If the part's throughput is not known, or no efficiency for the format.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { findShape } from "@specbound/specbound";
 * const part = { id: "p", kind: "gpu", bandwidth: 1000, fp32: 10, fp16: 100, int8: null } as const;
 * const ideal = { memory: 1, compute: { fp16: 1 }, attention: 1, launchMs: 0 };
 * const { architecture: sizes } = findShape("shape:llama-3.1-8b");
 * const network = { sizes, formats: { weights: "fp16", cache: "fp16" } } as const;
 * const { layers } = passTime(part, ideal, network, { width: 1, context: 0, batch: 1 });
 * // 6.98 billion weights: 13.96 GB at 1 TB/s, and as many operations at 100 TFLOP/s.
 * assertAlmostEquals(layers, 13.96 + 0.14, 0.01);
 * ```
 */
export function passTime(
  part: Peak,
  efficiencies: Efficiencies,
  { sizes, formats }: StoredNetwork,
  shape: PassShape,
): RooflineTime {
  const compute = efficiencies.compute[formats.weights];
  if (compute === undefined) {
    throw new RooflineError(
      `Cannot project ${formats.weights} on ${part.id} as its efficiency was not fitted: measure passes of it`,
    );
  }
  const work = passWork(sizes, shape, formats);
  const memory = (bytes: number) => transferMs(part, bytes) / efficiencies.memory;
  const product = ({ bytes, operations }: typeof work.head) =>
    memory(bytes) + arithmeticMs(part, formats.weights, operations) / compute;
  const [layers, head] = [product(work.layers), product(work.head)];
  const attention = memory(work.attention.bytes) +
    arithmeticMs(part, "attention", work.attention.operations) / efficiencies.attention;
  const launch = sizes.layers * efficiencies.launchMs;
  return { layers, head, attention, launch, total: layers + head + attention + launch };
}

/**
 * The efficiencies that come nearest to measured passes, by least squares of relative errors; none
 * is negative.
 *
 * @param passes Passes on one machine: of several formats, so that weights and launches, which a
 * network in one format always pays together, can be told apart.
 * @param part The machine.
 * @returns The efficiencies, with one for each format among the passes.
 * @throws {RooflineError} If there are no passes, or the part's throughput is not known.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { findShape } from "@specbound/specbound";
 * const part = { id: "p", kind: "cpu", bandwidth: 50, fp32: 1, fp16: null, int8: 4 } as const;
 * const { architecture: sizes } = findShape("shape:smollm2-135m");
 * const formats = { weights: "fp32", cache: "fp32" } as const;
 * const passes = [1, 4].flatMap((width) => [0, 4096].map((context) => {
 *   const shape = { width, context, batch: 1 };
 *   const truth = { memory: 0.5, compute: { fp32: 0.8 }, attention: 0.2, launchMs: 0 };
 *   return { sizes, formats, ...shape, ms: passTime(part, truth, { sizes, formats }, shape).total };
 * }));
 * assertAlmostEquals(fitEfficiencies(passes, part).attention, 0.2, 1e-6);
 * ```
 */
export function fitEfficiencies(passes: readonly TimedPass[], part: Peak): Efficiencies {
  if (passes.length === 0) {
    throw new RooflineError(`Cannot fit ${part.id} as no pass was measured on it: sweep costs`);
  }
  const fitted = [...new Set(passes.map(({ formats }) => formats.weights))];
  const rows = passes.map((pass) => {
    const work = passWork(pass.sizes, pass, pass.formats);
    const operations = work.layers.operations + work.head.operations;
    return [
      transferMs(part, totalWork(work).bytes),
      arithmeticMs(part, "attention", work.attention.operations),
      pass.sizes.layers,
      ...fitted.map((format) =>
        format === pass.formats.weights ? arithmeticMs(part, format, operations) : 0
      ),
    ];
  });
  const [memory, attention, launchMs, ...compute] = fitNonNegative(
    rows,
    passes.map(({ ms }) => ms),
  );
  return {
    memory: 1 / memory!,
    attention: 1 / attention!,
    launchMs: launchMs!,
    compute: Object.fromEntries(fitted.map((format, i) => [format, 1 / compute[i]!])),
  };
}

/**
 * Predicts each fold of measured passes by efficiencies fitted to the others.
 *
 * @param passes Passes on one machine.
 * @param part The machine.
 * @param foldOf What passes are held out together: their width, their context. Every format must
 * occur in two folds.
 * @returns The passes, fold by fold.
 * @throws {RooflineError} If a format occurs in one fold only.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const part = { id: "p", kind: "cpu", bandwidth: 50, fp32: 1, fp16: null, int8: 4 } as const;
 * assertEquals(holdOut([], part, ({ width }) => width), []);
 * ```
 */
export function holdOut(
  passes: readonly TimedPass[],
  part: Peak,
  foldOf: (pass: TimedPass) => unknown,
): HeldOutPass[] {
  return [...Map.groupBy(passes, foldOf)].flatMap(([fold, held]) => {
    const efficiencies = fitEfficiencies(passes.filter((pass) => foldOf(pass) !== fold), part);
    return held.map((pass) => {
      const predicted = passTime(part, efficiencies, pass, pass).total;
      return { pass, predicted, error: predicted / pass.ms - 1 };
    });
  });
}

/** Milliseconds to move bytes at the peak. */
function transferMs({ bandwidth }: Peak, bytes: number): number {
  return bytes / bandwidth / 1e6;
}

/**
 * Milliseconds of operations at the peak of the arithmetic that engines use: processor cores multiply
 * codes of 8 and 4 bits as int8, and attend in fp32; accelerators widen codes to fp16.
 */
function arithmeticMs(part: Peak, of: NumberFormat | "attention", operations: number): number {
  const { kind, fp32, fp16, int8 } = part;
  const wide = of === "fp32" || (kind === "cpu" && of === "attention");
  const throughput = (wide ? null : kind === "cpu" && of !== "fp16" ? int8 : fp16) ?? fp32;
  if (throughput !== null) return operations / throughput / 1e9;
  throw new RooflineError(
    `Cannot project ${of} on ${part.id} as its throughput is not published: choose another format or part`,
  );
}

/** Least squares without negative coefficients: of all sets of terms, the set that fits best. */
function fitNonNegative(
  rows: readonly (readonly number[])[],
  values: readonly number[],
): readonly number[] {
  const count = rows[0]!.length;
  const used = Array.from({ length: count }, (_, j) => j)
    .filter((j) => rows.some((row) => row[j]! > 0));
  let best = { miss: Infinity, coefficients: new Array<number>(count).fill(0) };
  for (let set = 1; set < 2 ** used.length; set++) {
    const terms = used.filter((_, i) => set >> i & 1);
    const solved = fitTerms(rows.map((row) => terms.map((j) => row[j]!)), values);
    if (!solved?.every((value) => value >= 0)) continue;
    const coefficients = Array.from({ length: count }, (_, j) => solved[terms.indexOf(j)] ?? 0);
    const miss = rows.reduce((sum, row, i) => {
      const value = row.reduce((total, term, j) => total + term * coefficients[j]!, 0);
      return sum + (value / values[i]! - 1) ** 2;
    }, 0);
    if (miss < best.miss) best = { miss, coefficients };
  }
  return best.coefficients;
}
