/**
 * C24: where the boundary lies on other hardware.
 *
 * @module
 */

import { findShape } from "../../models/shapes.ts";
import type { HardwarePart } from "../../study/hardware.ts";
import { breakEven } from "../boundary.ts";
import type { Evidence } from "../evidence.ts";
import { projectBoundaries } from "../projection.ts";
import { publishedEfficiencies } from "../published.ts";
import { type Interval, median } from "../statistics.ts";
import {
  type Figure,
  judge,
  notMeasured,
  type Outcome,
  say,
  tally,
  type Weight,
} from "./finding.ts";
import { DRAWS, type PricedPair, pricedPairs, whereMeasured } from "./priced.ts";

/** What is projected: the accelerators' kernels were fitted for these. */
const PROJECTED = {
  target: "shape:llama-3.1-8b",
  draft: "shape:llama-3.2-1b",
  format: "int4",
} as const;

/** Where boundaries are compared. */
const DRAFT_LENGTH = 4;

/**
 * C24: consumer and data-centre hardware differ in where the boundary lies. Machines on record are
 * compared, two by two, by their break-even α at K = 4 for the same models; a roofline's projection is
 * told beside them, and weighs nothing.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function hardwareDiffers(evidence: Evidence): Outcome {
  const needs = "cost layers of consumer and of data-centre machines";
  const groups = Map.groupBy(
    pricedPairs(evidence),
    ({ model, target, draft }) => `${model} ${target}, ${draft} drafts`,
  );
  const compared = [...groups].flatMap(([name, same]) =>
    twos(same).flatMap(([a, b]) => {
      const context = a.contexts.find((context) => b.contexts.includes(context));
      if (a.machine === b.machine || context === undefined) return [];
      const boundary = ({ costs }: PricedPair) =>
        breakEven(costs, { context, draftLength: DRAFT_LENGTH }, DRAWS);
      return whereMeasured(() => {
        const [one, other] = [boundary(a), boundary(b)];
        const apart = one.low > other.high || other.low > one.high;
        const weight: Weight = apart ? "for" : "undecided";
        return { name, a, b, one, other, weight };
      });
    })
  );
  const { statement, numbers } = projection(evidence.parts);
  if (compared.length === 0) {
    const measured = `No two machines with costs of the same models are on record.`;
    return notMeasured(needs, `${measured} ${statement}`.trim(), numbers);
  }
  const counts = tally(compared.map(({ weight }) => weight));
  // Of two that no α or hardly one reaches, it says little that they differ.
  const apart = ({ one, other }: { readonly one: Interval; readonly other: Interval }) =>
    Math.abs(Math.min(1, one.estimate) - Math.min(1, other.estimate));
  const widest = compared.toSorted((x, y) => apart(y) - apart(x))[0]!;
  return {
    verdict: judge(counts),
    statement:
      `At K = ${DRAFT_LENGTH} break-even α differs in ${counts.for} of ${compared.length} comparisons of two machines, most for ${widest.name}: ${
        say(widest.one)
      } on ${widest.a.machine}, ${say(widest.other)} on ${widest.b.machine}. ${statement}`.trim(),
    numbers: [
      { name: "break-even α", machine: widest.a.machine, ...widest.one, n: 1, of: "machine" },
      { name: "break-even α", machine: widest.b.machine, ...widest.other, n: 1, of: "machine" },
      ...numbers,
    ],
    needs,
  };
}

/** Published peaks of accelerators made into a boundary: not measured. */
function projection(parts: readonly HardwarePart[]): Pick<Outcome, "statement" | "numbers"> {
  const gpus = parts.filter(({ kind, memory }) => kind === "gpu" && memory !== null);
  if (!parts.some(({ id }) => id === "h100-sxm")) return { statement: "", numbers: [] };
  const gpu = publishedEfficiencies(parts);
  const rows = projectBoundaries(gpus, {
    target: findShape(PROJECTED.target).architecture,
    draft: findShape(PROJECTED.draft).architecture,
    format: PROJECTED.format,
    efficiencies: { cpu: gpu, gpu },
    contexts: [1024],
    batches: [1, 32],
  });
  const markets = [...Map.groupBy(rows, ({ part }) => part.market)].sort(([a], [b]) =>
    a < b ? -1 : 1
  );
  const numbers = markets.map(([market, same]): Figure => {
    const alphas = same.map(({ breakEven }) => breakEven[0]!.alpha);
    return {
      name: `projected break-even α, ${market} (median, range)`,
      estimate: median(alphas),
      low: Math.min(...alphas),
      high: Math.max(...alphas),
      n: same.length,
      of: "parts",
    };
  });
  const told = numbers.map((figure, i) => {
    const [market, same] = markets[i]!;
    const large = median(same.map(({ speedups }) => speedups.at(-1)!.speedup));
    return `${say(figure)} on ${figure.n} ${market} parts, where 32 rows leave S = ${
      large.toFixed(2)
    } at α = 0.7`;
  });
  return {
    statement: `Projected, not measured (8B with 1B, int4, 1K): the least α that pays is ${
      told.join("; ")
    } (medians, ranges).`,
    numbers,
  };
}

function twos(all: readonly PricedPair[]): [PricedPair, PricedPair][] {
  return all.flatMap((a, i) => all.slice(i + 1).map((b): [PricedPair, PricedPair] => [a, b]));
}
