/**
 * C1 to C3: what an acceptance is said to be worth.
 *
 * @module
 */

import { breakEven, speedupAt } from "../boundary.ts";
import type { Evidence } from "../evidence.ts";
import type { Interval } from "../statistics.ts";
import {
  above,
  judge,
  notMeasured,
  opposite,
  type Outcome,
  say,
  sayTally,
  tally,
  type Weight,
} from "./finding.ts";
import { type MeasuredCell, measuredCells } from "./measured_cells.ts";
import { DRAWS, type PricedPair, pricedPairs, whereMeasured } from "./priced.ts";

/** α that counts as high. */
const HIGH = 0.85;
/** Share of K that counts as approaching it. */
const NEAR = 0.9;
/** Draft lengths that priced places are looked up at. */
const LENGTHS = [2, 4, 8] as const;

/** A target, a draft, a context and a draft length. */
interface Place {
  readonly pair: PricedPair;
  readonly context: number;
  readonly draftLength: number;
}

/**
 * C1: at high acceptance the speed-up approaches K-fold, here: S ≥ 0.9·K at α ≥ 0.85. Measured cells
 * count, and S at α = 1 by measured costs, the most that any draft can reach.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function approachesDraftLength(evidence: Evidence): Outcome {
  const cells = measuredCells(evidence).filter(({ alpha }) => alpha !== null && alpha >= HIGH)
    .map((cell) => ({ cell, ...per(cell.speedup, cell.draftLength) }));
  const places = placesOf(evidence).flatMap((place) => {
    const { pair, context, draftLength } = place;
    return whereMeasured(() => {
      const best = speedupAt(pair.costs, { alpha: 1, draftLength, context }, DRAWS);
      return { ...place, ...per(best, draftLength) };
    });
  });
  if (cells.length + places.length === 0) return notMeasured("rows of high acceptance, or costs");
  const weigh = (share: Interval) => above(share, NEAR);
  const [, best] = extremes(cells);
  const byLength = LENGTHS.map((length) => {
    const same = places.filter(({ draftLength }) => draftLength === length);
    return `K = ${length}: ${same.filter((one) => weigh(one) === "for").length} of ${same.length}`;
  });
  const [, most] = extremes(places);
  return {
    verdict: judge(tally([...cells, ...places].map(weigh))),
    statement: [
      ...(best
        ? [
          `Measured at α ≥ ${HIGH}, ${
            sayTally(tally(cells.map(weigh)), "cells", {
              for: `reach ${NEAR}·K`,
              against: "stay below",
            })
          }, the nearest with S = ${
            say(best.cell.speedup)
          } at K = ${best.cell.draftLength} in ${best.cell.precision}.`,
        ]
        : []),
      ...(most
        ? [
          `By measured costs, if every token were accepted, ${NEAR}·K would be reached at ${
            byLength.join(", ")
          } places (target, draft, context), at most S/K = ${say(most)} (${sayPlace(most)}).`,
        ]
        : []),
    ].join(" "),
    numbers: [
      ...(best
        ? [{ name: `best S/K at α ≥ ${HIGH}`, ...interval(best), n: best.cell.pairs, of: "pairs" }]
        : []),
      ...(most
        ? [{ name: "best S/K at α = 1", ...interval(most), n: places.length, of: "places" }]
        : []),
    ],
  };
}

/**
 * C2: acceptance above 70 % accelerates. Measured cells above it count, and S at α = 0.7 by measured
 * costs.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function highAcceptanceHelps(evidence: Evidence): Outcome {
  return holdAgainst(evidence, {
    alpha: 0.7,
    includes: (alpha) => alpha > 0.7,
    where: "above α = 0.7",
    words: { for: "gain", against: "lose" },
    weigh: (speedup) => above(speedup, 1),
  });
}

/**
 * C3: acceptance below 40 % slows down. Measured cells below it count, and S at α = 0.4 by measured
 * costs.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function lowAcceptanceHurts(evidence: Evidence): Outcome {
  return holdAgainst(evidence, {
    alpha: 0.4,
    includes: (alpha) => alpha < 0.4,
    where: "below α = 0.4",
    words: { for: "lose", against: "gain" },
    weigh: (speedup) => opposite(above(speedup, 1)),
  });
}

/** A threshold of acceptance and what is said to lie beyond it. */
interface Threshold {
  readonly alpha: number;
  readonly includes: (alpha: number) => boolean;
  readonly where: string;
  readonly words: { readonly for: string; readonly against: string };
  readonly weigh: (speedup: Interval) => Weight;
}

function holdAgainst(evidence: Evidence, threshold: Threshold): Outcome {
  const { alpha, includes, where, words, weigh } = threshold;
  const cells = measuredCells(evidence)
    .filter((cell) => cell.alpha !== null && includes(cell.alpha))
    .map((cell) => ({ cell, ...cell.speedup }));
  const places = placesOf(evidence).flatMap((place) => {
    const { pair, context, draftLength } = place;
    return whereMeasured(() => ({
      ...place,
      boundary: breakEven(pair.costs, { context, draftLength }, { draws: 2 }).estimate,
      ...speedupAt(pair.costs, { alpha, context, draftLength }, DRAWS),
    }));
  });
  if (cells.length + places.length === 0) return notMeasured(`rows ${where}, or costs`);
  const weights = { cells: cells.map(weigh), places: places.map(weigh) };
  const [slowest, fastest] = extremes(cells);
  const [worst, best] = extremes(places);
  const sayCell = ({ cell }: { readonly cell: MeasuredCell }) =>
    `S = ${say(cell.speedup)} at α = ${
      cell.alpha!.toFixed(2)
    }, K = ${cell.draftLength}, ${cell.precision}`;
  return {
    verdict: judge(tally([...weights.cells, ...weights.places])),
    statement: [
      ...(slowest && fastest
        ? [
          `Measured ${where}, ${sayTally(tally(weights.cells), "cells", words)}, from ${
            sayCell(slowest)
          } to ${sayCell(fastest)}.`,
        ]
        : []),
      ...(worst && best
        ? [
          `By measured costs at α = ${alpha}, ${
            sayTally(tally(weights.places), "places", words)
          }: S begins to exceed 1 at ${sayBoundary(best)}, and at ${sayBoundary(worst)}.`,
        ]
        : []),
    ].join(" "),
    numbers: [
      ...(slowest && fastest
        ? [["least", slowest] as const, ["most", fastest] as const].map(([which, { cell }]) => ({
          name: `${which} S ${where}`,
          ...cell.speedup,
          n: cell.pairs,
          of: "pairs",
        }))
        : []),
      ...(worst && best
        ? [["least", worst] as const, ["most", best] as const].map(([which, place]) => ({
          name: `${which} S at α = ${alpha} by costs`,
          ...interval(place),
          n: places.length,
          of: "places",
        }))
        : []),
    ],
  };
}

function placesOf(evidence: Evidence): Place[] {
  return pricedPairs(evidence).flatMap((pair) =>
    pair.contexts.flatMap((context) =>
      LENGTHS.map((draftLength) => ({ pair, context, draftLength }))
    )
  );
}

function extremes<T extends Interval>(all: readonly T[]): [T | undefined, T | undefined] {
  const sorted = all.toSorted((a, b) => a.estimate - b.estimate);
  return [sorted[0], sorted.at(-1)];
}

function per({ estimate, low, high }: Interval, draftLength: number): Interval {
  return {
    estimate: estimate / draftLength,
    low: low === null ? null : low / draftLength,
    high: high === null ? null : high / draftLength,
  };
}

function interval({ estimate, low, high }: Interval): Interval {
  return { estimate, low, high };
}

function sayPlace({ pair, context, draftLength }: Place): string {
  return `${pair.target}, ${pair.draft} drafts, K = ${draftLength}, n = ${context}`;
}

/** No acceptance pays where a break-even α is infinite. */
function sayBoundary(place: Place & { readonly boundary: number }): string {
  const { boundary } = place;
  return `${boundary === Infinity ? "no α" : `α = ${boundary.toFixed(2)}`} with ${sayPlace(place)}`;
}
