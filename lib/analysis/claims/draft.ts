/**
 * C8, C9, C21: which draft is said to be best.
 *
 * @module
 */

import type { Evidence } from "../evidence.ts";
import { bootstrapRatio } from "../statistics.ts";
import { above, judge, notMeasured, type Outcome, say, tally } from "./finding.ts";
import {
  bestFixed,
  type FixedLength,
  pairedRatios,
  type PricedTraces,
  pricedTraces,
} from "./priced_traces.ts";

/** Draft lengths of which each draft has its best. */
const LENGTHS = [1, 2, 3, 4, 6, 8] as const;
/** Shares of the target's parameters that are said to be best. */
const CLAIMED = { from: 1 / 20, to: 1 / 10 } as const;
/** Shares are told as published sizes are: a twentieth is from a nineteenth to a twenty-first. */
const ROUNDING = 1.05;

/** A draft at its best draft length. */
interface Contender extends FixedLength {
  readonly name: string;
  readonly share: number;
}

/**
 * C8: the best draft has 1/10 to 1/20 of the target's parameters. On each machine and target the best
 * draft of that size meets the best of any other size, each at its best K, prompt by prompt.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function tenthIsBest(evidence: Evidence): Outcome {
  const needs = "traces and costs of drafts inside and outside of 1/20 to 1/10";
  const fields = [
    ...Map.groupBy(pricedTraces(evidence), (one) => `${one.machine} ${one.target}`).values(),
  ].map((same) => ({
    machine: same[0]!.machine,
    target: same[0]!.target,
    contenders: same.flatMap(contender).toSorted((a, b) => b.speedup - a.speedup),
  }));
  const contests = fields.flatMap(({ machine, target, contenders }) => {
    const inside = contenders.find(({ share }) => isClaimed(share));
    const outside = contenders.find(({ share }) => !isClaimed(share));
    if (!inside || !outside) return [];
    return [{ machine, target, inside, outside, ...duel(inside, outside) }];
  });
  const show = ({ name, share, draftLength, speedup }: Contender) =>
    `${name} (1/${Math.round(1 / share)}; S = ${speedup.toFixed(2)} at K = ${draftLength})`;
  if (contests.length === 0) {
    const told = fields.filter(({ contenders }) => contenders.length > 1)
      .map(({ machine, target, contenders }) =>
        `in ${target} on ${machine} ${contenders.map(show).join(", ")}`
      );
    return notMeasured(
      needs,
      told.length > 0 ? `Best first, by traces and measured costs: ${told.join("; ")}.` : undefined,
    );
  }
  return {
    verdict: judge(tally(contests.map((one) => above(one, 1)))),
    statement: `By traces and measured costs, the best of 1/20 to 1/10 and the best other: ${
      contests.map((one) =>
        `in ${one.target} on ${one.machine} ${show(one.inside)} and ${show(one.outside)}`
      ).join("; ")
    }.`,
    numbers: contests.map(({ machine, target, estimate, low, high, n }) => ({
      name: `S of 1/20–1/10 over best other, ${target}`,
      machine,
      estimate,
      low,
      high,
      n,
      of: "prompts",
    })),
  };
}

/**
 * C9: same architecture and training data beat others.
 *
 * @returns The outcome: all drafts are of one family and were trained on one corpus.
 */
export function kinshipHelps(): Outcome {
  return notMeasured(
    "a draft of the same tokenizer and size, of another architecture or other training data",
    "All drafts on record are of the target's family and learnt from its own text.",
  );
}

/**
 * C21: drafts trained for speculation beat generic small models.
 *
 * @param evidence The evidence.
 * @returns The outcome: no generic model of the tokenizer is small enough; says what trained ones reach.
 */
export function trainedBeatGeneric(evidence: Evidence): Outcome {
  const needs = "a generic model of the target's tokenizer and of a draft's size";
  const trained = pricedTraces(evidence).filter(({ parameters }) => parameters !== null)
    .flatMap((one) => contender(one).map((best) => ({ ...one, ...best })))
    .filter(({ share }) => share < 1).toSorted((a, b) => b.speedup - a.speedup);
  const best = trained[0];
  if (!best) return notMeasured(needs);
  const interval = bootstrapRatio(
    best.prompts.map(({ prompt, speedup }) => ({ prompt, ratio: speedup, process: 1 })),
    { seed: 1 },
  );
  return notMeasured(
    needs,
    `The best trained draft, ${best.name} at K = ${best.draftLength}, reaches S = ${
      say(interval)
    } in ${best.target} on ${best.machine} by traces of ${best.prompts.length} prompts and measured costs; there is no generic one to hold it against.`,
    [{ name: "S of the best trained draft", ...interval, n: best.prompts.length, of: "prompts" }],
  );
}

function contender(priced: PricedTraces): Contender[] {
  const { parameters, targetParameters, draft } = priced;
  if (parameters === null || targetParameters === null) return [];
  const share = parameters / targetParameters;
  return bestFixed(priced, LENGTHS).map((best) => ({ name: draft, share, ...best }));
}

/** S of one over S of the other, prompt by prompt. */
function duel(a: Contender, b: Contender) {
  const ratios = pairedRatios(a.prompts, b.prompts);
  return { ...bootstrapRatio(ratios, { seed: 1 }), n: ratios.length };
}

function isClaimed(share: number): boolean {
  return CLAIMED.from / ROUNDING <= share && share <= CLAIMED.to * ROUNDING;
}
