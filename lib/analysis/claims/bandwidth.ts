/**
 * C11: whether memory decides at long context.
 *
 * @module
 */

import type { Evidence } from "../evidence.ts";
import type { Interval } from "../statistics.ts";
import {
  above,
  judge,
  notMeasured,
  opposite,
  type Outcome,
  quotient,
  say,
  tally,
} from "./finding.ts";
import { pricedPairs, whereMeasured } from "./priced.ts";

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

function asInterval({ ms, low, high }: { ms: number; low: number; high: number }): Interval {
  return { estimate: ms, low, high };
}
