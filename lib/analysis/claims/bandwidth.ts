/**
 * C11: whether memory decides at long context.
 *
 * @module
 */

import type { Times } from "../boundary.ts";
import type { Evidence } from "../evidence.ts";
import {
  above,
  judge,
  notMeasured,
  opposite,
  type Outcome,
  quotient,
  sayRange,
  tally,
} from "./finding.ts";
import { passTime, pricedPairs, whereMeasured } from "./priced.ts";

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
  const passes = targets.flatMap(({ machine, target, costs, contexts }) => {
    const [first, last] = [contexts[0]!, contexts.at(-1)!];
    const drafts = pairs.filter((pair) =>
      pair.machine === machine && pair.target === target && pair.costs.draft &&
      pair.contexts.includes(first) && pair.contexts.includes(last)
    );
    const growth = (pass: Times) => quotient(passTime(pass, 1, last), passTime(pass, 1, first));
    return whereMeasured(() => ({
      machine,
      target,
      last,
      v: quotient(passTime(costs.target.pass, WIDTH, last), passTime(costs.target.pass, 1, last)),
      grown: growth(costs.target.pass),
      draftsGrown: drafts.map(({ costs }) => growth(costs.draft!.pass)),
    }));
  });
  if (passes.length === 0) return notMeasured("costs at 4,000 tokens and more");
  const { last } = passes[0]!;
  const draftsGrown = passes.flatMap(({ draftsGrown }) => draftsGrown);
  return {
    verdict: judge(tally(passes.map(({ v }) => opposite(above(v, FLAT))))),
    statement:
      `After ${last} tokens a pass over ${WIDTH} moves the same bytes as one over one, and takes ${
        sayRange(passes.map(({ v }) => v))
      } times as long. One token takes ${
        sayRange(passes.map(({ grown }) => grown))
      } times as long as in short text${
        draftsGrown.length > 0 ? `, a draft's pass ${sayRange(draftsGrown)} times` : ""
      }.`,
    numbers: passes.flatMap(({ machine, target, last, v, grown }) => {
      const measured = { machine, n: 1, of: "machine" };
      return [
        { name: `v(${WIDTH}) after ${last}, ${target}`, ...v, ...measured },
        { name: `T(1) after ${last} / in short text, ${target}`, ...grown, ...measured },
      ];
    }),
    needs: "counters of memory traffic would tell bandwidth from kernels",
  };
}
