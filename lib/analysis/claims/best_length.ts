/**
 * C10: how far to draft at which length of context.
 *
 * @module
 */

import { roundCosts } from "../boundary.ts";
import { predictSpeedup } from "../costs.ts";
import { eachMachine, type Evidence } from "../evidence.ts";
import { octave } from "../located_rounds.ts";
import { geometricMean } from "../statistics.ts";
import { type ControlledReplay, controlledReplays, ratioByText } from "./controlled_contexts.ts";
import {
  above,
  judge,
  notMeasured,
  type Outcome,
  sayTally,
  tally,
  type Weight,
} from "./finding.ts";
import { type PricedPair, pricedPairs, whereMeasured } from "./priced.ts";

/** Bands of context and the draft lengths that are said to be best there. */
const BEST = [
  { from: 0, to: 2000, name: "below 2K", lengths: [4, 5, 6, 7, 8] },
  { from: 2000, to: 7500, name: "at 2–8K", lengths: [3, 4, 5] },
  { from: 7500, to: Infinity, name: "near 8K", lengths: [0, 2, 3] },
] as const;
const ALPHAS = [0.5, 0.7, 0.9] as const;
const LONGEST = 16;
/** Loss that is taken for none. */
const TOLERANCE = 0.02;

/** The best K at one target, α and context, and what that says of the claim. */
interface BestPlace {
  readonly band: typeof BEST[number];
  readonly length: number;
  readonly weight: Weight;
}

/** The places of one machine and how the best K was found there. */
interface BestPlaces {
  readonly machine: string;
  readonly how: string;
  readonly bands: readonly (readonly [typeof BEST[number], readonly BestPlace[]])[];
}

/**
 * C10: the best K is 4–8 below 2K, 3–5 at 2–8K, 2–3 or none beyond. A place is against it if the best
 * of these loses more than 2 % to the best of all: on a machine with pairs that differ in K alone, of
 * the K measured there; else of 0 to 16 by measured costs.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function bestLengthFallsWithContext(evidence: Evidence): Outcome {
  const machines = eachMachine(evidence).flatMap(bestPlaces);
  if (machines.length === 0) return notMeasured("a cost layer at several contexts");
  const counts = (places: readonly BestPlace[]) => tally(places.map(({ weight }) => weight));
  const words = { for: "hold (within 2 %)", against: "do not" };
  return {
    verdict: judge(counts(machines.flatMap(({ bands }) => bands.flatMap(([, places]) => places)))),
    statement: machines.map(({ machine, how, bands }) => {
      const told = bands.map(([{ name, lengths }, places]) => {
        const best = places.map(({ length }) => length);
        const range = `${Math.min(...best)} to ${Math.max(...best)}`;
        return `${name} (said: ${lengths.join(", ")}) ${range}, ${
          sayTally(counts(places), "places", words)
        }`;
      });
      return `On ${machine} the best K at α = ${ALPHAS.join(", ")}, ${how}: ${told.join("; ")}.`;
    }).join(" "),
    numbers: machines.flatMap(({ machine, bands }) =>
      bands.map(([{ name }, places]) => ({
        name: `share of places it holds at, ${name}`,
        machine,
        estimate: counts(places).for / places.length,
        low: null,
        high: null,
        n: places.length,
        of: "places",
      }))
    ),
  };
}

/** The places of one machine, if it has any. */
function bestPlaces(evidence: Evidence): BestPlaces[] {
  const replays = controlledReplays(evidence);
  const controlled = controlledPlaces(replays);
  const places = controlled.length > 0 ? controlled : pricedPlaces(evidence);
  if (places.length === 0) return [];
  const tried = [...new Set(replays.map(({ draftLength }) => draftLength))].sort((a, b) => a - b);
  const how = controlled.length > 0
    ? `of 0, ${tried.join(", ")} in pairs that differ in K alone`
    : "by measured costs";
  const bands = BEST.map((band) => [band, places.filter((place) => place.band === band)] as const);
  return [{
    machine: evidence.machines[0]!.machine.id,
    how,
    bands: bands.filter(([, own]) => own.length > 0),
  }];
}

function bandOf(context: number) {
  return BEST.find(({ from, to }) => from <= context && context < to)!;
}

/** Where all K were measured on the same texts: the best that is said against the best that is not. */
function controlledPlaces(replays: readonly ControlledReplay[]): BestPlace[] {
  const places = Map.groupBy(
    replays,
    ({ setting, acceptance, context }) => [setting, acceptance, octave(context)].join("\t"),
  );
  return [...places.values()].flatMap((same): BestPlace[] => {
    const plain = same.map((replay) => ({ ...replay, draftLength: 0, speedup: 1 }));
    const band = bandOf(same[0]!.context);
    const [best, ...others] = [
      ...Map.groupBy([...same, ...plain], ({ draftLength }) => draftLength),
    ].map(([length, own]) => ({ length, own, speedup: geometricMean(own.map((r) => r.speedup)) }))
      .sort((a, b) => b.speedup - a.speedup);
    const isSaid = ({ length }: { readonly length: number }) =>
      (band.lengths as readonly number[]).includes(length);
    const rival = others.find((other) => isSaid(other) !== isSaid(best!));
    const [said, unsaid] = isSaid(best!) ? [best, rival] : [rival, best];
    const ratio = said && unsaid ? ratioByText(said.own, unsaid.own) : null;
    if (ratio === null || ratio.low === null) return [];
    return [{ band, length: best!.length, weight: above(ratio, 1 - TOLERANCE) }];
  });
}

function pricedPlaces(evidence: Evidence): BestPlace[] {
  return pricedPairs(evidence).flatMap((pair) =>
    pair.contexts.flatMap((context) =>
      ALPHAS.flatMap((alpha) =>
        whereMeasured(() => {
          const band = bandOf(context);
          const all = Array.from(
            { length: LONGEST + 1 },
            (_, draftLength) => estimate(pair, { alpha, draftLength, context }),
          );
          const most = Math.max(...all);
          const claimed = Math.max(...band.lengths.map((length) => all[length]!));
          const weight = 1 - claimed / most > TOLERANCE ? "against" as const : "for" as const;
          return { band, length: all.indexOf(most), weight };
        })
      )
    )
  );
}

function estimate(
  { costs }: PricedPair,
  point: { readonly alpha: number; readonly draftLength: number; readonly context: number },
): number {
  if (point.draftLength === 0) return 1;
  return predictSpeedup(point.alpha, [point.draftLength], roundCosts(costs, point));
}
