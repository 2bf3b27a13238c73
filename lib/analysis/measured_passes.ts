/**
 * Measured passes, for a roofline to be fitted to.
 *
 * @module
 */

import { shapes } from "../models/shapes.ts";
import type { CostRecord } from "../study/cost_records.ts";
import type { Records } from "../study/records.ts";
import type { TimedPass } from "./roofline.ts";
import { median } from "./statistics.ts";
import type { Formats, NetworkSizes } from "./work.ts";

/** Tokens of context that are taken as one: rounds of a text each have another. */
const BUCKET = 64;

/** Rounds that a median needs, so that a few slow ones are not taken for the cost. */
const LEAST = 16;

/**
 * Passes of the cost layer: those that were measured and not disturbed, of models whose shape is
 * published.
 *
 * @param costs Rows of `costs.csv`, of one machine and thread count.
 * @returns A pass a row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(passesOfCosts([]), []);
 * ```
 */
export function passesOfCosts(costs: readonly CostRecord[]): TimedPass[] {
  return costs.flatMap((cost) => {
    const { kind, model, width, context, batch, ms, disturbed } = cost;
    const sizes = sizesOf(model);
    if (kind !== "pass" || ms === null || disturbed || !sizes) return [];
    return [{ sizes, formats: formatsOf(cost), width, context, batch, ms }];
  });
}

/**
 * Passes of a target in decoding, where the cost layer was not measured: medians of rounds of like
 * precision, width and context. Runs that were disturbed are left out.
 *
 * @param records Runs of one machine and thread count, and their rounds.
 * @returns A pass for each precision, width and 64 tokens of context that 16 rounds or more saw.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(passesOfRounds({ runs: [], rounds: [] }), []);
 * ```
 */
export function passesOfRounds({ runs, rounds }: Records): TimedPass[] {
  const roundsOf = Map.groupBy(rounds, ({ pair, arm }) => `${pair} ${arm}`);
  const passes = runs.filter(({ disturbed }) => !disturbed).flatMap((run) => {
    let context = run.context;
    return (roundsOf.get(`${run.pair} ${run.arm}`) ?? []).map((round) => {
      const pass = { run, width: round.drafted + 1, context, ms: round.verifyMs };
      context += round.emitted;
      return pass;
    });
  });
  const alike = Map.groupBy(
    passes,
    ({ run, width, context }) =>
      [run.model, run.precision, run.headPrecision, width, Math.floor(context / BUCKET)].join(),
  );
  return [...alike.values()].flatMap((same) => {
    const { run, width } = same[0]!;
    const sizes = sizesOf(run.model);
    if (same.length < LEAST || !sizes) return [];
    return [{
      sizes,
      formats: formatsOf(run),
      width,
      context: Math.round(median(same.map(({ context }) => context))),
      batch: 1,
      ms: median(same.map(({ ms }) => ms)),
    }];
  });
}

/** A catalogue's model has the shape of the base model that it was tuned from. */
function sizesOf(model: string): NetworkSizes | undefined {
  const id = model.startsWith("shape:") ? model : `shape:${model.replace(/-instruct$/, "")}`;
  return shapes.find((shape) => shape.id === id)?.architecture;
}

/** The engine here keeps keys and values in fp32. */
function formatsOf(
  { precision, headPrecision }: Pick<CostRecord, "precision" | "headPrecision">,
): Formats {
  return {
    weights: precision as Formats["weights"],
    head: (headPrecision ?? precision) as Formats["weights"],
    cache: "fp32",
  };
}
