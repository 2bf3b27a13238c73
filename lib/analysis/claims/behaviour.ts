/**
 * C6, C12 to C15: what decides acceptance, whatever the machine.
 *
 * @module
 */

import type { TraceRecord } from "../../study/trace_records.ts";
import type { Evidence } from "../evidence.ts";
import { draftName } from "../table.ts";
import {
  type AcceptanceDifference,
  compareAcceptance,
  firstDrafted,
} from "./acceptance_difference.ts";
import {
  above,
  type Figure,
  judge,
  notMeasured,
  opposite,
  type Outcome,
  say,
  sayTally,
  tally,
} from "./finding.ts";
import { ofNewestWeights } from "./priced_traces.ts";

/** Traces of one draft for one target. */
interface Drafted {
  readonly name: string;
  readonly traces: readonly TraceRecord[];
}

/** A difference, and of which draft. */
interface Compared extends AcceptanceDifference {
  readonly name: string;
}

/** Tasks whose answers are made of the prompt's own words. */
const COPYING = ["edit", "extract", "summary"];
/** Tasks whose answers are not set by the prompt. */
const OPEN = ["story", "chat"];
/** Tokens that count as early, and from where on they count as late. */
const EARLY = 16;
const LATE = 32;

/**
 * C6: domain match helps. Of drafts that look words up in the text, the domain is the prompt: tasks
 * that copy it against those that do not.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function matchingDomainHelps(evidence: Evidence): Outcome {
  const tables = greedy(evidence).filter(({ traces }) => traces[0]!.draft !== "model");
  const compared = compare(tables, (trace) => COPYING.includes(trace.task));
  const needs = "drafts trained on one domain, tried on another";
  if (compared.length === 0) return notMeasured(needs);
  return {
    verdict: judge(tally(compared.map((one) => above(one, 0)))),
    statement: `Of tables that look up the text, ${
      sayDifferences(
        compared,
        "accept more where the answer copies the prompt (edit, extract, summary)",
      )
    }.`,
    numbers: figures(compared, "α copying − α other"),
    needs,
  };
}

/**
 * C12: deterministic tasks (code) accept more than open ones (stories, chat).
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function codeAcceptsMore(evidence: Evidence): Outcome {
  const relevant = greedy(evidence).map(({ name, traces }) => ({
    name,
    traces: traces.filter(({ task }) => task === "code" || OPEN.includes(task)),
  }));
  const compared = compare(relevant, (trace) => trace.task === "code");
  if (compared.length === 0) return notMeasured("traces of code and of open tasks");
  return {
    verdict: judge(tally(compared.map((one) => above(one, 0)))),
    statement: `Greedy, ${
      sayDifferences(compared, "accept more in code than in stories and chat")
    }.`,
    numbers: figures(compared, "α code − α open"),
  };
}

/**
 * C13: early output positions accept more: the first 16 tokens against those from the 32nd on.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function earlyPositionsAcceptMore(evidence: Evidence): Outcome {
  const compared = greedy(evidence).flatMap(({ name, traces }): Compared[] => {
    const difference = compareAcceptance(
      traces.map((trace) => firstDrafted(trace, (position) => position < EARLY)),
      traces.map((trace) => firstDrafted(trace, (position) => position >= LATE)),
    );
    return difference ? [{ name, ...difference }] : [];
  });
  if (compared.length === 0) return notMeasured("traces of texts longer than 32 tokens");
  return {
    verdict: judge(tally(compared.map((one) => above(one, 0)))),
    statement: `Greedy, ${
      sayDifferences(
        compared,
        `accept more in the first ${EARLY} tokens than from token ${LATE} on`,
      )
    }.`,
    numbers: figures(compared, "α early − α late"),
  };
}

/**
 * C14: higher temperature lowers acceptance: each temperature against greedy decoding of the same
 * prompts, and against the next lower one.
 *
 * @param evidence The evidence.
 * @returns The outcome.
 */
export function temperatureLowersAcceptance(evidence: Evidence): Outcome {
  const compared = byDraft(evidence.traces).flatMap(({ name, traces }) => {
    const levels = [...Map.groupBy(traces, ({ temperature }) => temperature)]
      .sort(([a], [b]) => a - b);
    return levels.slice(1).flatMap(([warm, hotter], i): Compared[] => {
      const [cool, colder] = levels[i]!;
      const [here, there] = [hotter, colder].map((some) =>
        some.map((trace) => firstDrafted(trace))
      );
      const difference = compareAcceptance(here!, there!);
      return difference ? [{ name: `${name}, T ${cool} → ${warm}`, ...difference }] : [];
    });
  });
  if (compared.length === 0) return notMeasured("traces of several temperatures");
  return {
    verdict: judge(tally(compared.map((one) => opposite(above(one, 0))))),
    statement: `From each temperature to the next, ${
      sayDifferences(compared, "accept more", "steps")
    }.`,
    numbers: figures(compared, "α warmer − α cooler"),
  };
}

/**
 * C15: alignment changes the pattern.
 *
 * @returns The outcome: there is one target.
 */
export function alignmentChangesPattern(): Outcome {
  return notMeasured("traces of a base model beside its instruction-tuned version");
}

function greedy({ traces }: Pick<Evidence, "traces">): Drafted[] {
  return byDraft(traces.filter(({ temperature }) => temperature === 0));
}

function byDraft(traces: readonly TraceRecord[]): Drafted[] {
  const groups = Map.groupBy(
    traces,
    (trace) => `${trace.model} ${trace.precision}, ${draftName(trace)}`,
  );
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, same]) => ({ name: name.replace(/^\S+ /, ""), traces: ofNewestWeights(same) }));
}

/** α of the tasks that are meant against α of the others, draft by draft. */
function compare(
  drafted: readonly Drafted[],
  isHere: (trace: TraceRecord) => boolean,
): Compared[] {
  return drafted.flatMap(({ name, traces }): Compared[] => {
    const counts = (some: readonly TraceRecord[]) => some.map((trace) => firstDrafted(trace));
    const difference = compareAcceptance(
      counts(traces.filter(isHere)),
      counts(traces.filter((trace) => !isHere(trace))),
    );
    return difference ? [{ name, ...difference }] : [];
  });
}

function sayDifferences(all: readonly Compared[], what: string, of = "drafts"): string {
  const sorted = all.toSorted((a, b) => a.estimate - b.estimate);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  const words = { for: what, against: "less" };
  const show = (one: Compared) =>
    `${one.here.toFixed(2)} against ${one.there.toFixed(2)}, a difference of ${
      say(one)
    } (${one.name})`;
  return `${sayTally(tally(all.map((one) => above(one, 0))), of, words)}; α is from ${
    show(least)
  } to ${show(most)}`;
}

function figures(all: readonly Compared[], name: string): Figure[] {
  const sorted = all.toSorted((a, b) => a.estimate - b.estimate);
  const chosen = {
    median: sorted[Math.floor(sorted.length / 2)]!,
    least: sorted[0]!,
    greatest: sorted.at(-1)!,
  };
  return Object.entries(chosen).map(([which, { estimate, low, high, prompts }]) => ({
    name: `${name}, ${which}`,
    ...{ estimate, low, high, n: prompts, of: "prompts" },
  }));
}
