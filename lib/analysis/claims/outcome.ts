/**
 * C7, C17, C22, C23: memory, foresight, text, and what a user gets.
 *
 * @module
 */

import { Z } from "../../study/interval.ts";
import { CONTEXT_STUDY } from "../../study/presets.ts";
import type { RunRecord } from "../../study/records.ts";
import type { Evidence } from "../evidence.ts";
import { cpuSecondsPerToken, energyPerToken } from "../energy.ts";
import { joinPairs, type Pair, pairCounts, pairSpeedup } from "../pairs.ts";
import { bootstrapRatio, geometricMean, type Interval, type PairedRatio } from "../statistics.ts";
import { draftName } from "../table.ts";
import { validate, validationErrors } from "../validation.ts";
import { requestTimes } from "../validation_latency.ts";
import {
  above,
  type Figure,
  judge,
  notMeasured,
  opposite,
  type Outcome,
  say,
  sayRange,
  sayTally,
  tally,
  type Weight,
} from "./finding.ts";
import { CELL_FACTORS } from "../summary.ts";
import { measuredCells } from "./measured_cells.ts";

/**
 * C7: memory shortage degrades. No run was short of memory; says what speculation adds.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function shortMemoryDegrades(evidence: Evidence): Outcome {
  const needs = "runs under a limit of memory that target and draft do not both fit in";
  const extra = Map.groupBy(
    countedPairs(evidence).flatMap(({ plain, speculative }) => {
      const [before, after] = [resident(plain), resident(speculative)];
      return before && after && speculative.draft === "model"
        ? [{
          name: `${draftName(speculative)} for ${speculative.precision}`,
          ratio: after / before,
        }]
        : [];
    }),
    ({ name }) => name,
  );
  if (extra.size === 0) return notMeasured(needs);
  const shares = [...extra].map(([name, same]) => ({
    name,
    n: same.length,
    estimate: geometricMean(same.map(({ ratio }) => ratio)),
  })).toSorted((a, b) => b.estimate - a.estimate);
  return notMeasured(
    needs,
    `No run was short of memory. Draft models take the weights, keys and values to ${
      sayRange(shares)
    } times what plain decoding holds; tables add next to nothing.`,
    shares.map(({ name, n, estimate }) => ({
      name: `memory with ${name} / without`,
      estimate,
      low: null,
      high: null,
      n,
      of: "pairs",
    })),
  );
}

/** A measured S nearer to 1 has no side that it could be foretold on. */
const MARGIN = 0.05;

/**
 * C17: a short pre-evaluation predicts the outcome: on which side of 1 S lies. Two are tried. Half of a
 * cell's prompts, every second by name, foretell the others, whose interval decides. Costs and traces,
 * measured apart, foretell validated cells; those within 5 % of 1 decide nothing.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function preEvaluationPredicts(evidence: Evidence): Outcome {
  const halves = splitCells(evidence);
  const validated = evidence.machines
    .flatMap(({ records, costs }) => validate(records, evidence.traces, costs))
    .filter(({ predicted }) => predicted !== null);
  const errors = validationErrors(validated);
  const sides = validated.map(({ predicted, measured }): Weight => {
    if (Math.abs(measured - 1) < MARGIN) return "undecided";
    return (predicted! > 1) === (measured > 1) ? "for" : "against";
  });
  const words = { for: "right", against: "wrong" };
  const misses = halves.map(({ foretold, found }) => Math.abs(foretold / found.estimate - 1));
  const off = misses.reduce((sum, miss) => sum + miss, 0) / misses.length;
  const weights = [...halves.map(({ weight }) => weight), ...sides];
  if (weights.length === 0) return notMeasured("cells of six prompts and more, or validated ones");
  return {
    verdict: judge(tally(weights)),
    statement: [
      ...(errors
        ? [
          `Costs and traces, measured apart, foretell whether S is above 1: ${
            sayTally(tally(sides), "cells", words)
          }; the median error of S is ${percent(errors.median)}, the 90th percentile ${
            percent(errors.percentile90)
          }.`,
        ]
        : []),
      ...(halves.length > 0
        ? [
          `Every second prompt foretells it for the others: ${
            sayTally(tally(halves.map(({ weight }) => weight)), "cells", words)
          }; S was off by ${percent(off)} on average.`,
        ]
        : []),
    ].join(" "),
    numbers: [
      ...(errors
        ? [
          plainFigure("median error of predicted S", errors.median, errors.cells, "cells"),
          plainFigure("90th percentile of it", errors.percentile90, errors.cells, "cells"),
        ]
        : []),
      ...(halves.length > 0
        ? [plainFigure("mean error of S from half the prompts", off, halves.length, "cells")]
        : []),
    ],
  };
}

/** For each cell of six prompts and more: S of one half, and of the other with its interval. */
function splitCells(evidence: Evidence) {
  const cells = Map.groupBy(
    countedPairs(evidence).filter(({ speculative }) =>
      // Over contexts S is no one number.
      speculative.draftLength > 0 && speculative.study !== CONTEXT_STUDY
    ),
    ({ speculative }) => CELL_FACTORS.map((name) => speculative[name]).join("\t"),
  );
  return [...cells.values()].flatMap((pairs) => {
    const prompts = [...new Set(pairs.map(({ speculative }) => speculative.prompt))].sort();
    if (prompts.length < 6) return [];
    const half = (which: 0 | 1): PairedRatio[] =>
      pairs.filter(({ speculative }) => prompts.indexOf(speculative.prompt) % 2 === which)
        .map((pair) => {
          const { prompt, process } = pair.speculative;
          return { ratio: pairSpeedup(pair)!, prompt, process };
        });
    const foretold = geometricMean(half(0).map(({ ratio }) => ratio));
    const found = bootstrapRatio(half(1), { seed: 1 });
    const weight = foretold > 1 ? above(found, 1) : opposite(above(found, 1));
    return [{ foretold, found, weight }];
  });
}

/** Runs without a difference that it takes to say there is none: then at most one in ten differs. */
const ENOUGH = 30;

/**
 * C22: output quality is unchanged: greedy text equals that of plain decoding, token by token. A
 * precision in a mode is against it if one text differs, for it if none of 30 or more does.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function textIsUnchanged(evidence: Evidence): Outcome {
  const compared = evidence.machines.flatMap(({ records }) => records.runs)
    .filter(({ equalsPlain, draftLength }) => equalsPlain !== null && draftLength > 0);
  if (compared.length === 0) return notMeasured("greedy pairs");
  const modes = [...Map.groupBy(compared, ({ exact }) => exact)].sort(([a]) => a ? -1 : 1);
  const weights = modes.flatMap(([, runs]) =>
    [...Map.groupBy(runs, ({ precision }) => precision).values()].map((same): Weight => {
      if (same.some(({ equalsPlain }) => !equalsPlain)) return "against";
      return same.length >= ENOUGH ? "for" : "undecided";
    })
  );
  const isExactMeasured = modes.some(([exact]) => exact);
  return {
    verdict: judge(tally(weights)),
    statement: `${
      modes.map(([exact, runs]) =>
        `In ${exact ? "exact" : "fast"} mode ${
          count(runs)
        } of ${runs.length} greedy texts differ from plain decoding (${
          [...Map.groupBy(runs, ({ precision }) => precision)].map(([precision, same]) =>
            `${precision} ${count(same)} of ${same.length}`
          ).join(", ")
        }).`
      ).join(" ")
    } Equal tokens are equal quality; whether others are worse was not judged.`,
    numbers: modes.map(([exact, runs]) => ({
      name: `share of texts that differ, ${exact ? "exact" : "fast"} mode`,
      ...wilson(count(runs), runs.length),
      n: runs.length,
      of: "pairs",
    })),
    ...(!isExactMeasured && { needs: "rows of exact mode" }),
  };
}

/**
 * C23: speculation saves latency: each cell of a real draft is judged by S of decoding. Whole requests,
 * prefill of the draft included, the first token, memory, CPU time and energy are reported.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function savesLatency(evidence: Evidence): Outcome {
  const pairs = countedPairs(evidence).filter(({ speculative }) =>
    speculative.draft !== "replay" && speculative.draftLength > 0
  );
  if (pairs.length === 0) return notMeasured("pairs of real drafts");
  const cells = measuredCells(
    evidence,
    ({ arm, draft }) => arm === "speculative" && draft !== "replay",
  );
  const weights = cells.map(({ speedup }) => above(speedup, 1));
  const request = (side: "plain" | "speculative") => (pair: Pair) =>
    requestTimes(pair[side], pair[`${side}Rounds`][0]?.emitted ?? 0);
  const ratio = (
    name: string,
    of: (pair: Pair, side: "plain" | "speculative") => number | null | undefined,
  ) => {
    const ratios = pairs.flatMap((pair) => {
      const [before, after] = [of(pair, "plain"), of(pair, "speculative")];
      const { prompt, process } = pair.speculative;
      return before && after ? [{ ratio: after / before, prompt, process }] : [];
    });
    return ratios.length === 0
      ? null
      : { name, n: ratios.length, of: "pairs", ...bootstrapRatio(ratios, { seed: 1 }) };
  };
  const whole = ratio(
    "whole request, speculative / plain",
    (pair, side) => request(side)(pair)?.wholeMs,
  );
  const first = ratio(
    "first token, speculative / plain",
    (pair, side) => request(side)(pair)?.firstTokenMs,
  );
  const processor = ratio(
    "CPU time a token, speculative / plain",
    (pair, side) => cpuSecondsPerToken(pair[side]),
  );
  const memory = ratio(
    "memory, speculative / plain",
    (pair, side) => resident(pair[side]),
  );
  const energy = ratio(
    "J a token, speculative / plain",
    (pair, side) => energyPerToken(pair[side]).idleInclusive,
  );
  const numbers = [whole, first, processor, memory, energy].filter((one) => one !== null);
  const show = (figure: Interval | null, what: string) => figure ? [`${what} ${say(figure)}`] : [];
  return {
    verdict: judge(tally(weights)),
    statement: `Of real drafts, decoding: ${
      sayTally(tally(weights), "cells", { for: "gain", against: "lose" })
    }. Over all ${pairs.length} pairs, speculative over plain: ${
      [
        ...show(whole, "whole request"),
        ...show(first, "first token"),
        ...show(processor, "CPU time a token"),
        ...show(memory, "weights, keys and values"),
        ...show(energy, "energy a token"),
      ].join(", ")
    }.`,
    numbers,
    ...(energy === null && { needs: "an energy meter; CPU time stands in" }),
  };
}

function countedPairs({ machines }: Pick<Evidence, "machines">): Pair[] {
  return machines.flatMap(({ records }) => joinPairs(records).filter(pairCounts));
}

function resident({ weightBytes, keyValueBytes }: RunRecord): number | null {
  return weightBytes === null || keyValueBytes === null ? null : weightBytes + keyValueBytes;
}

function count(runs: readonly RunRecord[]): number {
  return runs.filter(({ equalsPlain }) => !equalsPlain).length;
}

/** A share with its 95 % interval (Wilson 1927). */
function wilson(successes: number, n: number): Interval {
  const z2 = Z ** 2;
  const share = successes / n;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = Z / (1 + z2 / n) * Math.sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return { estimate: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

function plainFigure(name: string, estimate: number, n: number, of: string): Figure {
  return { name, estimate, low: null, high: null, n, of };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
