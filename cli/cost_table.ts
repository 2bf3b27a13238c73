/**
 * The cost layer as text.
 *
 * @module
 */

import { breakEven, type CostLayer, costLayerOf } from "../lib/analysis/boundary.ts";
import { type CostModel, fitCosts, prefillTime } from "../lib/analysis/cost_model.ts";
import { CostModelError, measuredTimes, newestCosts } from "../lib/analysis/measured_times.ts";
import { type CostDraft, PREFILL_WIDTH } from "../lib/study/cost_plan.ts";
import type { CostRecord } from "../lib/study/cost_records.ts";

/**
 * What costs say, for a terminal: times of each model, and for each draft the acceptance from which
 * it pays.
 *
 * @param rows Rows of one thread count.
 * @param targets The target in its precisions.
 * @param drafts What may draft.
 * @returns Lines of text.
 */
export function describeCosts(
  rows: readonly CostRecord[],
  targets: readonly CostDraft[],
  drafts: readonly CostDraft[],
): string {
  const rowsOf = ({ model, precision }: CostDraft) =>
    newestCosts(rows.filter((row) => row.model === model && row.precision === precision));
  return [
    ...[...targets, ...drafts].flatMap((subject) => times(nameOf(subject), rowsOf(subject))),
    ...targets.flatMap((target) =>
      drafts.flatMap((draft) => {
        if (nameOf(draft) === nameOf(target)) return [];
        return boundaries(`${nameOf(draft)} for ${nameOf(target)}`, rowsOf(target), rowsOf(draft));
      })
    ),
    "",
  ].join("\n");
}

function times(name: string, rows: readonly CostRecord[]): string[] {
  const single = rows.filter(({ batch }) => batch === 1);
  const measured = measuredTimes(single, "pass");
  if (measured.length === 0) return [`\n${name}: nothing that counts was measured`];
  const widths = distinct(measured.map(({ width }) => width));
  const contexts = distinct(measured.map(({ context }) => context));
  const cell = (text: string) => text.padStart(7);
  const model = fitCosts(measured);
  const chunks = measuredTimes(single, "prefill");
  const tokens = Math.min(1024, Math.max(...chunks.map(({ context }) => context)) + PREFILL_WIDTH);
  const prefill = untilMeasured(() => prefillTime(fitCosts(chunks), tokens, PREFILL_WIDTH));
  return [
    `\n${name}, ms of a pass over w tokens after n, B = 1`,
    cell("n") + widths.map((width) => cell(`w ${width}`)).join(""),
    ...contexts.map((context) =>
      cell(`${context}`) + widths.map((width) => {
        const found = measured.find((time) => time.width === width && time.context === context);
        return cell(found ? found.ms.toFixed(1) : "-");
      }).join("")
    ),
    ...describeHeldOut(model.heldOut),
    ...(prefill ? [`prefill of ${tokens} tokens: ${(prefill.ms / 1000).toFixed(2)} s`] : []),
  ];
}

/** One line; none where too little was measured to hold any of it out. */
function describeHeldOut(heldOut: CostModel["heldOut"]): string[] {
  const known = (["context", "width"] as const).flatMap((axis) => {
    const { form, errors } = heldOut[axis];
    const off = errors[form];
    if (!off) return [];
    return [
      `between ${axis}s ${form}, off by ${percent(off.rms)} (${percent(off.worst)} at worst)`,
    ];
  });
  return known.length > 0 ? [known.join(", ")] : [];
}

function boundaries(
  name: string,
  target: readonly CostRecord[],
  draft: readonly CostRecord[],
): string[] {
  const contexts = distinct(measuredTimes(target, "pass").map(({ context }) => context));
  const layers = [target, draft].map(layerOf);
  const lines = contexts.flatMap((context) => {
    if (!layers[0] || !layers[1]) return [];
    const place = { draftLength: 4, context };
    const found = untilMeasured(() => breakEven({ target: layers[0]!, draft: layers[1]! }, place));
    if (!found) return [];
    const [estimate, low, high] = [found.estimate, found.low, found.high]
      .map((alpha) => alpha === Infinity ? "none" : alpha.toFixed(2));
    return [`  n ${context}: ${estimate} (${low} to ${high})`];
  });
  return lines.length === 0 ? [] : [`\n${name}: α from which K = 4 pays`, ...lines];
}

function layerOf(rows: readonly CostRecord[]): CostLayer | null {
  return untilMeasured(() => costLayerOf(rows));
}

/** What costs tell, or null where too few were measured. */
function untilMeasured<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof CostModelError) return null;
    throw error;
  }
}

function nameOf({ model, precision }: CostDraft): string {
  return `${model} ${precision}`;
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
