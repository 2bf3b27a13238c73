/**
 * Projections beside what others report, and the sizes of the models that they measured.
 *
 * @module
 */

import { findShape } from "../models/shapes.ts";
import type { HardwarePart } from "../study/hardware.ts";
import type { PublishedSpeedup } from "../study/published.ts";
import { expectedTokens, speedupOf } from "./metrics.ts";
import { type EfficienciesByKind, storedOn } from "./projection.ts";
import { type Efficiencies, fitEfficiencies, passTime, type TimedPass } from "./roofline.ts";
import type { NetworkSizes } from "./work.ts";

/** A reported speed-up, and the projection of it. */
export interface ComparedSpeedup {
  /** Says which of the two is which: S of `reported` was measured, `predicted` was not. */
  readonly basis: "projection";
  /** The report. */
  readonly reported: PublishedSpeedup;
  /** T_p(1), projected, in milliseconds. */
  readonly passMs: number;
  /** passMs / that of the reported plain rate − 1; null if none was reported. */
  readonly passError: number | null;
  /** c, projected. */
  readonly c: number;
  /** v, projected. */
  readonly v: number;
  /** τ as reported, or by the acceptance that is: no S can be above it. */
  readonly tau: number | null;
  /** S, projected from the reported acceptance; null if none was reported. */
  readonly predicted: number | null;
  /** predicted / reported − 1. */
  readonly error: number | null;
  /** τ that the reported S would take at the projected costs: above K + 1 the costs are wrong. */
  readonly impliedTau: number;
}

/**
 * Projects reported speed-ups: S = τ / (K·c + v), with τ as reported or as it follows from the
 * reported acceptance.
 *
 * @param published The reports.
 * @param parts The processors.
 * @param efficiencies What parts of each kind reach.
 * @returns One comparison a report.
 * @throws {RangeError} If a report's part or model is not known.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readHardware, readPublished } from "@specbound/specbound";
 * const parts = readHardware(await Deno.readTextFile("data/hardware.csv"));
 * const published = readPublished(await Deno.readTextFile("data/published.csv"));
 * const gpu = publishedEfficiencies(parts);
 * const cpu = { ...gpu, compute: { int4: 1, int8: 1 } };
 * const compared = comparePublished(published, parts, { cpu, gpu });
 * assertEquals(compared.length, published.length);
 * ```
 */
export function comparePublished(
  published: readonly PublishedSpeedup[],
  parts: readonly HardwarePart[],
  efficiencies: EfficienciesByKind,
): ComparedSpeedup[] {
  return published.map((reported) => {
    const part = gang(findPart(parts, reported.part), reported.devices);
    const { draftLength, batch, context } = reported;
    const time = (model: string, format: PublishedSpeedup["targetFormat"], width: number) => {
      const network = storedOn(part, findSizes(model), format);
      return passTime(part, efficiencies[part.kind], network, { width, context, batch }).total;
    };
    const passMs = time(reported.target, reported.targetFormat, 1);
    const c = time(reported.draft, reported.draftFormat, 1) / passMs;
    const v = time(reported.target, reported.targetFormat, draftLength + 1) / passMs;
    const tau = tauOf(reported);
    const predicted = tau === null ? null : speedupOf(tau, draftLength, { c, v, h: 0 });
    return {
      basis: "projection",
      reported,
      passMs,
      passError: reported.plainRate === null ? null : passMs * reported.plainRate / 1000 - 1,
      c,
      v,
      tau,
      predicted,
      error: predicted === null ? null : predicted / reported.speedup - 1,
      impliedTau: reported.speedup * (draftLength * c + v),
    };
  });
}

/**
 * Passes of Llama-3.1-8B in fp16 on an H100 by the line that SpecDecode-Bench fitted to measured
 * ones (arXiv 2601.11580, `simulator/predictor.py`): 39.26 ns for each token of all contexts,
 * 21.01 µs for each new token, 5.886 ms for the pass.
 *
 * @returns A pass for each of a few widths, contexts and batches.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(publishedPasses()[0]!.ms, 5.886 + 0.021 + 256 * 39.26e-6, 1e-3);
 * ```
 */
export function publishedPasses(): TimedPass[] {
  const sizes = findShape("shape:llama-3.1-8b").architecture;
  const formats = { weights: "fp16", cache: "fp16" } as const;
  return [1, 2, 4, 8].flatMap((width) =>
    [256, 1024, 4096].flatMap((context) =>
      [1, 8, 32, 128].map((batch) => {
        const ms = 5.886 + 39.26e-6 * context * batch + 21.01e-3 * width * batch;
        return { sizes, formats, width, context, batch, ms };
      })
    )
  );
}

/**
 * Efficiencies of accelerators, fitted to {@linkcode publishedPasses}. Weights of 8 and 4 bits reach
 * what fp16 does, since kernels widen them.
 *
 * @param parts Parts, with "h100-sxm" among them.
 * @returns The efficiencies.
 * @throws {RangeError} If the part is missing.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { readHardware } from "@specbound/specbound";
 * const parts = readHardware(await Deno.readTextFile("data/hardware.csv"));
 * assertAlmostEquals(publishedEfficiencies(parts).memory, 1, 0.05);
 * ```
 */
export function publishedEfficiencies(parts: readonly HardwarePart[]): Efficiencies {
  const fitted = fitEfficiencies(publishedPasses(), findPart(parts, "h100-sxm"));
  const fp16 = fitted.compute.fp16!;
  return { ...fitted, compute: { fp16, int8: fp16, int4: fp16 } };
}

/** τ as reported, or by the acceptance that is; null without either. */
function tauOf(reported: PublishedSpeedup): number | null {
  const { tau, acceptedPerDrafted, acceptance, draftLength } = reported;
  if (tau !== null) return tau;
  if (acceptedPerDrafted !== null) return 1 + draftLength * acceptedPerDrafted;
  return acceptance === null ? null : expectedTokens(acceptance, draftLength);
}

/** Several parts as one, which share every matrix and exchange nothing. */
function gang(part: HardwarePart, devices: number): HardwarePart {
  const times = (peak: number | null) => peak === null ? null : peak * devices;
  const { bandwidth, fp32, fp16, int8 } = part;
  return {
    ...part,
    bandwidth: bandwidth * devices,
    fp32: times(fp32),
    fp16: times(fp16),
    int8: times(int8),
  };
}

function findPart(parts: readonly HardwarePart[], id: string): HardwarePart {
  const part = parts.find((part) => part.id === id);
  if (part) return part;
  throw new RangeError(`Cannot project ${id} as hardware.csv has no such part: add a row`);
}

function findSizes(model: string): NetworkSizes {
  const row = SIZES[model];
  if (!row) {
    throw new RangeError(`Cannot project ${model} as its sizes are not known: add them`);
  }
  const [layers, hidden, heads, keyValueHeads, headSize, feedForward, vocabularySize] = row;
  return { layers, hidden, heads, keyValueHeads, headSize, feedForward, vocabularySize };
}

/** Layers, width, query heads, key heads, head size, feed-forward width, vocabulary. */
type SizesRow = readonly [number, number, number, number, number, number, number];

/** Sizes from each model's config.json; of T5 v1.1 its decoder's. */
const SIZES: Readonly<Record<string, SizesRow>> = {
  "llama-2-7b": [32, 4096, 32, 32, 128, 11_008, 32_000],
  "llama-2-70b": [80, 8192, 64, 8, 128, 28_672, 32_000],
  "qwen2.5-0.5b": [24, 896, 14, 2, 64, 4864, 151_936],
  "qwen2.5-1.5b": [28, 1536, 12, 2, 128, 8960, 151_936],
  "qwen2.5-3b": [36, 2048, 16, 2, 128, 11_008, 151_936],
  "qwen2.5-7b": [28, 3584, 28, 4, 128, 18_944, 152_064],
  "qwen2.5-14b": [48, 5120, 40, 8, 128, 13_824, 152_064],
  "t5-small": [8, 512, 6, 6, 64, 1024, 32_128],
  "t5-base": [12, 768, 12, 12, 64, 2048, 32_128],
  "t5-large": [24, 1024, 16, 16, 64, 2816, 32_128],
  "t5-xxl": [24, 4096, 64, 64, 64, 10_240, 32_128],
  "tinyllama-1.1b": [22, 2048, 32, 4, 64, 5632, 32_000],
  "vicuna-68m": [2, 768, 12, 12, 64, 3072, 32_000],
  "vicuna-7b": [32, 4096, 32, 32, 128, 11_008, 32_000],
  "vicuna-13b": [40, 5120, 40, 40, 128, 13_824, 32_000],
  "vicuna-33b": [60, 6656, 52, 52, 128, 17_920, 32_000],
};
