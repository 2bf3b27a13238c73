/**
 * C16, C18 to C20: what is said of batches, of adapting, and of trees.
 *
 * @module
 */

import { advised } from "../../decoding/policies/advised.ts";
import { confidence } from "../../decoding/policies/confidence.ts";
import { fixed } from "../../decoding/policies/fixed.ts";
import type { Policy } from "../../decoding/policies/policy.ts";
import { breakEven, speedupAt } from "../boundary.ts";
import type { Evidence } from "../evidence.ts";
import { bootstrapRatio } from "../statistics.ts";
import {
  above,
  type Figure,
  judge,
  notMeasured,
  type Outcome,
  quotient,
  say,
  sayRange,
  sayTally,
  tally,
  type Weight,
} from "./finding.ts";
import { DRAWS, passTime, pricedPairs, whereMeasured } from "./priced.ts";
import {
  bestFixed,
  pairedRatios,
  pricedTraces,
  type PromptSpeedup,
  promptSpeedups,
} from "./priced_traces.ts";

/** α and K that batches are compared at. */
const POINT = { alpha: 0.7, draftLength: 4 } as const;
/** A batch of so many rows and more is large. */
const LARGE = 8;

/**
 * C16: small batches gain, large batches lose. A place is for it if one row gains and the largest
 * batch, of 8 rows or more, loses; against it if the largest gains, or one row loses.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function largeBatchesLose(evidence: Evidence): Outcome {
  const needs = "a cost layer of 8 rows and more; live batches of changing size";
  const places = pricedPairs(evidence).filter(({ batches }) => batches.at(-1)! >= LARGE)
    .flatMap(({ machine, target, draft, costs, contexts, batches }) => {
      const most = batches.at(-1)!;
      const placeAt = (context: number) => {
        const at = (batch: number) => speedupAt(costs, { ...POINT, context, batch }, DRAWS);
        const name = `${target}, ${draft} drafts, n = ${context} on ${machine}`;
        return whereMeasured(() => ({ name, most, one: at(1), all: at(most) }));
      };
      for (const context of contexts) { // batches may have been timed at few of them
        const place = placeAt(context);
        if (place.length > 0) return place;
      }
      return [];
    });
  if (places.length === 0) return notMeasured(needs);
  const weigh = ({ one, all }: typeof places[number]): Weight => {
    const [single, batch] = [above(one, 1), above(all, 1)];
    if (single === "for" && batch === "against") return "for";
    return single === "against" || batch === "for" ? "against" : "undecided";
  };
  const changes = places.map((place) => ({ ...place, ...quotient(place.all, place.one) }))
    .toSorted((a, b) => a.estimate - b.estimate);
  const show = (one: typeof changes[number]) =>
    `${say(one.one)} at B = 1 to ${say(one.all)} at B = ${one.most} (${one.name})`;
  return {
    verdict: judge(tally(places.map(weigh))),
    statement: `By measured costs at α = ${POINT.alpha}, K = ${POINT.draftLength}, S changes from ${
      [...new Set([changes[0]!, changes.at(-1)!])].map(show).join(" and from ")
    }; ${
      sayTally(tally(places.map(weigh)), "pairs", {
        for: "turn from gain to loss",
        against: "do not",
      })
    }. Batches that change their size were not run.`,
    numbers: changes.slice(0, 1).map(({ estimate, low, high }) => ({
      name: "S of the largest batch / of one row, least",
      estimate,
      low,
      high,
      n: changes.length,
      of: "pairs",
    })),
    needs,
  };
}

/** Fixed draft lengths of which the best is what adapting is held against. */
const FIXED = [1, 2, 3, 4, 6, 8, 12, 16] as const;
const LONGEST = 16;

/** Rules that adapt K, with the settings of the systems that they come from. */
const RULES: Readonly<Record<string, () => Policy>> = {
  "confidence 0.4": () => confidence({ threshold: 0.4, draftLength: LONGEST }),
  "mean accepted + 1": followAccepted,
};

/**
 * C18: adapting K pays: rules replayed over greedy traces at measured costs against the best fixed K
 * of the same draft, which is chosen in hindsight.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function adaptingPays(evidence: Evidence): Outcome {
  const compared = pricedTraces(evidence).flatMap((priced) => {
    const [best] = bestFixed(priced, FIXED);
    if (!best) return [];
    return Object.entries(RULES).flatMap(([rule, policyOf]) => {
      if (priced.texts.some(({ trace }) => trace.longest < LONGEST)) return [];
      if (rule.startsWith("confidence") && priced.costs.draft === null) return [];
      const ratios = pairedRatios(promptSpeedups(priced, policyOf), best.prompts);
      if (ratios.length === 0) return [];
      return [{
        name: `${rule}, ${priced.draft} for ${priced.target}, best fixed K = ${best.draftLength}`,
        n: ratios.length,
        ...bootstrapRatio(ratios, { seed: 1 }),
      }];
    });
  }).toSorted((a, b) => a.estimate - b.estimate);
  if (compared.length === 0) return notMeasured("traces of drafts whose costs were measured");
  const [least, most] = [compared[0]!, compared.at(-1)!];
  return {
    verdict: judge(tally(compared.map((one) => above(one, 1)))),
    statement: `Replayed over traces at measured costs, adaptive rules decode at ${
      say(least)
    } (${least.name}) to ${say(most)} (${most.name}) times the rate of the best fixed K: ${
      sayTally(tally(compared.map((one) => above(one, 1))), "rules and drafts", {
        for: "gain",
        against: "lose",
      })
    }.`,
    numbers: [most, least].map(({ estimate, low, high, n }, i) => ({
      name: `rate of ${i === 0 ? "the best" : "the worst"} rule / best fixed K`,
      estimate,
      low,
      high,
      n,
      of: "prompts",
    })),
    needs: "live runs of adaptive rules; intervals here are over prompts alone",
  };
}

/** Rounds over which a fallback takes α. It then rests for the text: what a draft would pay to catch
 * up with later was not measured. */
const FALLBACK = { window: 4, retry: 1e6 } as const;
/** Loss that a fallback must keep to. */
const BOUND = 0.05;

/**
 * C19: a fallback bounds the loss. Replayed over greedy traces at measured costs: drafting ends once α
 * over four rounds lies below break-even. A draft is for it if some prompt loses more than 5 %
 * without the rule and none does with it; where nothing loses there is nothing to bound.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function fallbackBoundsLoss(evidence: Evidence): Outcome {
  const tried = pricedTraces(evidence).flatMap((priced) =>
    [4, 8].flatMap((draftLength) => {
      const context = Math.min(...priced.texts.map(({ context }) => context));
      return whereMeasured(() => {
        const { estimate } = breakEven(priced.costs, { draftLength, context }, { draws: 2 });
        const ranges = [{ from: 0, draftLength, threshold: Math.min(1, estimate) }];
        const without = promptSpeedups(priced, () => fixed(draftLength));
        const bounded = promptSpeedups(priced, () => advised({ ranges, fallback: FALLBACK }));
        const worst = (prompts: readonly PromptSpeedup[]) =>
          Math.min(...prompts.map(({ speedup }) => speedup));
        return {
          name: `${priced.draft} for ${priced.target}, K = ${draftLength}`,
          without: worst(without),
          with: worst(bounded),
          prompts: without.length,
        };
      });
    })
  ).toSorted((a, b) => a.without - b.without);
  if (tried.length === 0) return notMeasured("traces of drafts whose costs were measured");
  const weigh = (one: typeof tried[number]): Weight => {
    if (one.without >= 1 - BOUND) return "undecided";
    return one.with >= 1 - BOUND ? "for" : "against";
  };
  const losing = tried.filter((one) => one.without < 1 - BOUND);
  const figure = (name: string, estimate: number): Figure => ({
    name,
    estimate,
    low: null,
    high: null,
    n: tried.reduce((sum, { prompts }) => sum + prompts, 0),
    of: "replays",
  });
  const worstWith = Math.min(...tried.map((one) => one.with));
  const worst = tried[0]!;
  return {
    verdict: losing.length === 0 ? "undecided" : judge(tally(losing.map(weigh))),
    statement:
      `Replayed over traces at measured costs ending drafts once α of ${FALLBACK.window} rounds is below break-even: in texts of at most ${
        longestText(evidence)
      } tokens the worst prompt keeps S = ${worstWith.toFixed(2)}, without the rule ${
        worst.without.toFixed(2)
      } (${worst.name}). Of ${losing.length} drafts that lose more than ${
        100 * BOUND
      } % on some prompt, the rule keeps ${
        losing.filter((one) => weigh(one) === "for").length
      } within that.`,
    numbers: [
      figure("worst S with fallback", worstWith),
      figure("worst S without", worst.without),
    ],
    needs: "live runs with a fallback",
  };
}

/**
 * C20: tree drafts pay. No tree was timed; the cost of checking more tokens says what room they have.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function treesPay(evidence: Evidence): Outcome {
  const needs = "passes over trees timed, and traces of tree drafts";
  const rooms = pricedPairs(evidence).filter(({ draft }) => draft === "free").flatMap(
    ({ machine, target, costs, contexts: [context] }) => {
      const time = (width: number) => passTime(costs.target.pass, width, context!);
      return whereMeasured(() => ({ machine, target, ...quotient(time(17), time(5)) }));
    },
  );
  if (rooms.length === 0) return notMeasured(needs);
  return notMeasured(
    needs,
    `In short text a pass over 17 tokens takes ${
      sayRange(rooms)
    } times that over 5. So much more a tree of 16 nodes has to emit than a chain of 4.`,
    rooms.map(({ machine, target, ...room }) => ({
      name: `T(17) / T(5), ${target}`,
      machine,
      ...room,
      n: 1,
      of: "machine",
    })),
  );
}

/** One more than what was accepted of late, on average (the rule that SGLang adapts by). */
function followAccepted(): Policy {
  const [weight, start] = [0.2, 3];
  let mean = start;
  return {
    name: "mean accepted + 1",
    limit({ last }) {
      if (!last) mean = start;
      else if (last.drafted.length > 0) mean += weight * (last.accepted - mean);
      return Math.min(LONGEST, Math.round(mean) + 1);
    },
  };
}

function longestText({ traces }: Pick<Evidence, "traces">): number {
  return Math.max(...traces.map(({ maxTokens }) => maxTokens));
}
