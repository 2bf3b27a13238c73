/**
 * Recording traces of drafts whose tokens are drawn.
 *
 * @module
 */

import type { Distribution } from "../decoding/sampling.ts";
import type { Context } from "../engine/language_model.ts";
import { stream } from "../random.ts";
import { requireInteger } from "../validate.ts";
import type { RecordedText } from "./recorded_text.ts";
import type { DrawnDraft, DrawnTrace } from "./trace.ts";
import {
  compareDraws,
  distributionAt,
  readAlong,
  type RecordTraceOptions,
  tracedText,
} from "./trace_passes.ts";

/**
 * Traces a model that draws its drafts as the target draws its tokens.
 *
 * @param text A text drawn from the target.
 * @param contexts The target's and the draft's: prefixes of the prompt. They are forked.
 * @param options The longest draft, and the seed of the draws that calibration looks at.
 * @returns The trace.
 *
 * @example A draft equal to its target always stands
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { recordText, tableModel } from "@specbound/specbound";
 * const model = tableModel({ vocabularySize: 5, seed: 1 });
 * const options = { maxTokens: 9, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(model.open(), [0], { ...options, sampling: { temperature: 1 } });
 * const contexts = { target: model.open(), draft: model.open() };
 * const { drafts } = await traceDraws(text, contexts, { longest: 4, seed: 1 });
 * for (const { overlap } of drafts) assertAlmostEquals(overlap, 1);
 * ```
 */
export async function traceDraws(
  text: RecordedText,
  { target, draft }: { readonly target: Context; readonly draft: Context },
  options: RecordTraceOptions & { readonly seed: number | string },
): Promise<DrawnTrace> {
  requireInteger("trace", "longest", options.longest, 1);
  const random = stream(options.seed, "calibration");
  const drafts: DrawnDraft[] = [];
  await readAlong(text, [target, draft], (passes, index, token) => {
    const [p, q] = passes.map((pass) => distributionAt(pass, index, text.sampling)) as [
      Distribution,
      Distribution,
    ];
    drafts.push({ chance: Math.min(1, q[token]! / p[token]!), ...compareDraws(p, q, random) });
  }, options.signal);
  return { choice: "drawn", ...tracedText(text, options), drafts };
}
