/**
 * Which widths of a pass give the same logits, to the bit, on this processor.
 *
 * A kernel for one token may sum in another order than the kernel for several; where activations
 * are rounded to int8, a difference in the last bit grows until it flips an argmax. So this is
 * measured, never assumed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { TokenId } from "../models/token.ts";
import type { LanguageModel } from "./language_model.ts";

/** Narrow widths, which decoding uses, and wide ones, which prefill uses. */
const WIDTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 32, 64, 128];
/** Tokens that every width reads at least, in whole passes. */
const TOKENS = 24;

/** What the probe found. */
export interface WidthProbe {
  /** Widths whose logits agree to the bit with each other. */
  readonly agree: readonly number[];
  /** Widths whose logits differ from those. */
  readonly differ: readonly number[];
}

/**
 * Reads the same tokens in passes of every width and compares the logits of each token.
 *
 * @param model The model, evaluating at the width that it is asked for.
 * @returns The largest set of widths that agree, and the rest.
 *
 * @example A table's logits never depend on the width
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const probe = await probeWidths(tableModel({ vocabularySize: 8, seed: 1 }));
 * assertEquals(probe.differ, []);
 * ```
 */
export async function probeWidths(model: LanguageModel): Promise<WidthProbe> {
  const digests = new Map<number, string[]>();
  const widths = WIDTHS.filter((width) => passes(width) * width <= model.contextLength);
  for (const width of widths) digests.set(width, await readInPasses(model, width));
  const agreeing = (width: number): number[] =>
    widths.filter((other) => samePrefix(digests.get(width)!, digests.get(other)!));
  const agree = widths.map(agreeing).reduce((best, set) => set.length > best.length ? set : best);
  return { agree, differ: widths.filter((width) => !agree.includes(width)) };
}

/**
 * The narrowest width, at least as wide as asked, whose logits agree with the probe's largest set.
 *
 * @param probe What was found.
 * @returns A function from the width asked for to the width to run at. A width that was not probed
 *   counts as the next one below it that was.
 * @throws {RangeError} From that function, if no width is wide enough.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const pad = padTo({ agree: [2, 3, 4, 8], differ: [1, 5] });
 * assertEquals([1, 2, 3, 5, 9].map(pad), [2, 2, 3, 8, 9]);
 * ```
 */
export function padTo(probe: WidthProbe): (width: number) => number {
  const probed = [...probe.agree, ...probe.differ].sort((a, b) => a - b);
  return (width) => {
    const below = probed.findLast((known) => known <= width);
    if (below !== undefined && probe.agree.includes(below)) return width;
    const wider = probe.agree.find((known) => known >= width);
    if (wider !== undefined) return wider;
    throw new RangeError(
      `Cannot evaluate ${width} tokens exactly as no width from ${width} up agrees with the others: use fast mode`,
    );
  };
}

/** A digest of each token's logits. */
async function readInPasses(model: LanguageModel, width: number): Promise<string[]> {
  await using context = model.open();
  const total = passes(width) * width;
  const digests: string[] = [];
  for (let from = 0; from < total; from += width) {
    const tokens = range(from, from + width).map((i) => tokenAt(i, model));
    const evaluation = await context.evaluate([tokens]);
    for (const index of tokens.keys()) {
      const { buffer, byteOffset, byteLength } = evaluation.logits(index);
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      digests.push(createHash("sha1").update(bytes).digest("base64"));
    }
    context.commit(evaluation, [tokens.length]);
  }
  return digests;
}

function passes(width: number): number {
  return Math.ceil(TOKENS / width);
}

function tokenAt(index: number, { vocabularySize }: LanguageModel): TokenId {
  return (index * 7919 + 17) % vocabularySize;
}

function samePrefix(a: readonly string[], b: readonly string[]): boolean {
  const length = Math.min(a.length, b.length);
  return a.slice(0, length).every((digest, index) => digest === b[index]);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
