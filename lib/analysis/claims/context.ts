/**
 * C4, C5, C10, C11: what the length of the context is said to do.
 *
 * @module
 */

import { predictSpeedup } from "../costs.ts";
import { roundCosts, speedupAt } from "../boundary.ts";
import type { Evidence } from "../evidence.ts";
import { octave } from "../located_rounds.ts";
import { geometricMean, type Interval } from "../statistics.ts";
import {
  above,
  type Figure,
  judge,
  notMeasured,
  opposite,
  type Outcome,
  quotient,
  say,
  sayTally,
  tally,
  type Weight,
} from "./finding.ts";
import { type ControlledReplay, controlledReplays, ratioByText } from "./controlled_contexts.ts";
import { cellName, measuredCells } from "./measured_cells.ts";
import { DRAWS, type PricedPair, pricedPairs, whereMeasured } from "./priced.ts";

/** α and K that contexts are compared at. */
const POINT = { alpha: 0.7, draftLength: 4 } as const;
/** Contexts that count as long: near 8K, as a limit of 8,192 leaves nothing beyond. */
const LONG = 7500;
/** Contexts that count as short, as 1K to 4K, and as beyond 8K. */
const BANDS = {
  short: { from: 0, to: 1000 },
  zone: { from: 1000, to: 4200 },
  long: { from: LONG, to: Infinity },
} as const;

type Band = keyof typeof BANDS;

/** Where a comparison comes from, in words. */
const SOURCES = {
  controlled: "in pairs that differ in context alone (replays of set α)",
  priced: `by measured costs at α = ${POINT.alpha}, K = ${POINT.draftLength}`,
  measured: "in measured pairs",
} as const;

/** S in one band of context over S in another, of what is the same but for it. */
interface Comparison {
  readonly machine: string;
  readonly name: string;
  readonly source: keyof typeof SOURCES;
  readonly ratio: Interval;
}

/**
 * C4: 1K to 4K tokens of context is the good zone: S there is above S at shorter and at longer ones.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function middleContextIsBest(evidence: Evidence): Outcome {
  const below = compare(evidence, "zone", "short");
  const beyond = compare(evidence, "zone", "long");
  if (below.length + beyond.length === 0) return notMeasured("costs or rows of several contexts");
  const weights = [...below, ...beyond].map(({ ratio }) => above(ratio, 1));
  return {
    verdict: judge(tally(weights)),
    statement: [
      sayComparisons(below, "S at 1K–4K over S at shorter contexts"),
      sayComparisons(beyond, "S at 1K–4K over S near 8K"),
    ].filter(Boolean).join(" "),
    numbers: [
      ...figures(below, "S at 1K–4K / below 1K"),
      ...figures(beyond, "S at 1K–4K / near 8K"),
    ],
  };
}

/**
 * C5: beyond 8K tokens speculation degrades: S there is below S at 1K to 4K.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function longContextDegrades(evidence: Evidence): Outcome {
  const compared = compare(evidence, "long", "zone");
  const needs = `costs or rows at ${LONG} tokens and more`;
  if (compared.length === 0) return notMeasured(needs);
  return {
    verdict: judge(tally(compared.map(({ ratio }) => opposite(above(ratio, 1))))),
    statement: sayComparisons(compared, "S near 8K over S at 1K–4K"),
    numbers: figures(compared, "S near 8K / at 1K–4K"),
  };
}

/** Bands of C10 and the draft lengths that are said to be best there. */
const BEST = [
  { from: 0, to: 2000, name: "below 2K", lengths: [4, 5, 6, 7, 8] },
  { from: 2000, to: LONG, name: "at 2–8K", lengths: [3, 4, 5] },
  { from: LONG, to: Infinity, name: "near 8K", lengths: [0, 2, 3] },
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

/** Width of the pass that is held against one token. */
const WIDTH = 5;
/** v up to which memory can be said to decide: both passes move the same bytes. */
const FLAT = 1.25;

/**
 * C11: memory bandwidth decides at long context. A pass over five tokens reads the same weights, keys
 * and values as one over one; so where bandwidth decides, v(5) is near 1, here at most 1.25.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function memoryDecidesAtLongContext(evidence: Evidence): Outcome {
  const pairs = pricedPairs(evidence);
  const targets = pairs.filter(({ draft, contexts }) =>
    draft === "free" && contexts.at(-1)! >= 4000
  );
  const passes = targets.flatMap(({ machine, precision, costs, contexts }) => {
    const time = (width: number, context: number) =>
      asInterval(costs.target.pass.time(width, context));
    const [first, last] = [contexts[0]!, contexts.at(-1)!];
    const drafts = pairs.filter((pair) =>
      pair.precision === precision && pair.costs.draft && pair.machine === machine
    );
    const growth = drafts.filter(({ contexts }) =>
      contexts.includes(first) && contexts.includes(last)
    )
      .map(({ costs }) => costs.draft!.pass.time(1, last).ms / costs.draft!.pass.time(1, first).ms);
    return whereMeasured(() => ({
      machine,
      precision,
      target: `${precision} on ${machine}`,
      context: last,
      v: quotient(time(WIDTH, last), time(1, last)),
      grown: quotient(time(1, last), time(1, first)),
      first,
      growth,
    }));
  });
  if (passes.length === 0) return notMeasured("costs at 4,000 tokens and more");
  const growth = passes.flatMap(({ growth }) => growth);
  const weights = passes.map(({ v }) => opposite(above(v, FLAT)));
  return {
    verdict: judge(tally(weights)),
    statement: `After ${
      passes[0]!.context
    } tokens a pass over ${WIDTH} moves the same bytes as one over one, and takes ${
      passes.map(({ target, v }) => `${say(v)} times as long in ${target}`).join(", ")
    }. One token takes ${
      passes.map(({ target, grown }) => `${say(grown)} times as long in ${target}`).join(", ")
    } as after ${passes[0]!.first}${
      growth.length > 0
        ? `, a draft's pass ${Math.min(...growth).toFixed(1)} to ${
          Math.max(...growth).toFixed(1)
        } times`
        : ""
    }.`,
    numbers: passes.map(({ machine, precision, context, v }) => ({
      name: `v(${WIDTH}) after ${context}, ${precision}`,
      machine,
      ...v,
      n: 1,
      of: "machine",
    })),
    needs: "counters of memory traffic would tell bandwidth from kernels",
  };
}

/** S of one band over S of another on every machine. */
function compare(evidence: Evidence, here: Band, there: Band): Comparison[] {
  return eachMachine(evidence).flatMap((own) => compareOn(own, here, there));
}

/** The same in controlled pairs, or else by costs and by all measured pairs. */
function compareOn(evidence: Evidence, here: Band, there: Band): Comparison[] {
  const controlled = compareControlled(controlledReplays(evidence), here, there);
  if (controlled.length > 0) return controlled;
  const priced = pricedPairs(evidence).flatMap((pair): Comparison[] => {
    const [a, b] = [here, there].map((band) => pricedIn(pair, band));
    if (!a || !b) return [];
    const name = `${pair.precision}, ${pair.draft} drafts`;
    return [{ machine: pair.machine, name, source: "priced", ratio: quotient(a, b) }];
  });
  const others = new Map(cellsIn(evidence, there).map((cell) => [cellName(cell), cell]));
  const measured = cellsIn(evidence, here).flatMap((cell): Comparison[] => {
    const other = others.get(cellName(cell));
    if (!other) return [];
    const { machine, precision, draftLength } = cell;
    const name = `${precision}, K = ${draftLength}`;
    return [{ machine, name, source: "measured", ratio: quotient(cell.speedup, other.speedup) }];
  });
  return [...priced, ...measured];
}

/** Comparisons at the same α, K and precision, of those measured on two texts and more. */
function compareControlled(
  replays: readonly ControlledReplay[],
  here: Band,
  there: Band,
): Comparison[] {
  const cells = Map.groupBy(
    replays,
    ({ setting, acceptance, draftLength }) => [setting, acceptance, draftLength].join("\t"),
  );
  return [...cells.values()].flatMap((same): Comparison[] => {
    const { machine, precision, acceptance, draftLength } = same[0]!;
    const [a, b] = [here, there].map((band) => same.filter(({ context }) => isIn(context, band)));
    const ratio = ratioByText(a!, b!);
    if (ratio === null || ratio.low === null) return [];
    const name = `${precision}, α = ${acceptance}, K = ${draftLength}`;
    return [{ machine, name, source: "controlled", ratio }];
  });
}

/** S by costs at the middle context of a band. */
function pricedIn(pair: PricedPair, band: Band): Interval | null {
  const inside = pair.contexts.filter((context) => isIn(context, band));
  const context = inside[Math.floor((inside.length - 1) / 2)];
  if (context === undefined) return null;
  return whereMeasured(() => speedupAt(pair.costs, { ...POINT, context }, DRAWS))[0] ?? null;
}

function cellsIn(evidence: Evidence, band: Band) {
  return measuredCells(evidence, ({ context }) => isIn(context, band));
}

/** The evidence of one machine at a time: what one lacks, another does not make up for. */
function eachMachine(evidence: Evidence): Evidence[] {
  return evidence.machines.map((machine) => ({ ...evidence, machines: [machine] }));
}

function isIn(context: number, band: Band): boolean {
  return BANDS[band].from <= context && context < BANDS[band].to;
}

function estimate(
  { costs }: PricedPair,
  point: { readonly alpha: number; readonly draftLength: number; readonly context: number },
): number {
  if (point.draftLength === 0) return 1;
  return predictSpeedup(point.alpha, [point.draftLength], roundCosts(costs, point));
}

function sayComparisons(all: readonly Comparison[], what: string): string {
  if (all.length === 0) return "";
  const words = { for: "rise", against: "fall" };
  const parts = [...Map.groupBy(all, ({ source }) => source)].map(([source, some]) => {
    const [least, ...others] = some.toSorted((a, b) => a.ratio.estimate - b.ratio.estimate);
    const most = others.at(-1) ?? least!;
    return `${SOURCES[source]} from ${say(least!.ratio)} (${least!.name}) to ${
      say(most.ratio)
    } (${most.name}): ${
      sayTally(tally(some.map(({ ratio }) => above(ratio, 1))), "comparisons", words)
    }`;
  });
  return `${what} runs, ${parts.join("; ")}.`;
}

/** The median comparison on each machine. */
function figures(all: readonly Comparison[], name: string): Figure[] {
  return [...Map.groupBy(all, ({ machine }) => machine)].map(([machine, some]) => {
    const sorted = some.toSorted((a, b) => a.ratio.estimate - b.ratio.estimate);
    const middle = sorted[Math.floor(sorted.length / 2)]!;
    return { name: `${name}, median`, machine, ...middle.ratio, n: some.length, of: "comparisons" };
  });
}

function asInterval({ ms, low, high }: { ms: number; low: number; high: number }): Interval {
  return { estimate: ms, low, high };
}
