/**
 * C4, C5: where speculation is said to pay by the length of the context.
 *
 * @module
 */

import { speedupAt } from "../boundary.ts";
import { eachMachine, type Evidence } from "../evidence.ts";
import type { Interval } from "../statistics.ts";
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
    const name = `${pair.target}, ${pair.draft} drafts`;
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

function isIn(context: number, band: Band): boolean {
  return BANDS[band].from <= context && context < BANDS[band].to;
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
