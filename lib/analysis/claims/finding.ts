/**
 * What evidence makes of a claim.
 *
 * @module
 */

import { Z } from "../../study/interval.ts";
import type { Interval } from "../statistics.ts";

/** What can be found of a claim. */
export const VERDICTS = [
  "supported",
  "conditional",
  "contradicted",
  "undecided",
  "not measured here",
] as const;

/** One of them. */
export type ClaimVerdict = typeof VERDICTS[number];

/** A number that a verdict rests on. */
export interface Figure extends Interval {
  /** What it is. */
  readonly name: string;
  /** The machine's id, if it is a number of one. */
  readonly machine?: string;
  /** How many there were. */
  readonly n: number;
  /** Of what: "pairs", "prompts". */
  readonly of: string;
}

/** A claim's verdict and what it follows from. */
export interface Finding {
  /** "C1" to "C24". */
  readonly id: string;
  /** The claim, as studies put it. */
  readonly claim: string;
  /** The same in at most eight words. */
  readonly brief: string;
  /** The verdict. */
  readonly verdict: ClaimVerdict;
  /** What was found, and under which conditions. */
  readonly statement: string;
  /** The numbers, the one that matters most first. */
  readonly numbers: readonly Figure[];
  /** What would be needed to find more. */
  readonly needs?: string;
}

/** What an estimator adds to its claim. */
export type Outcome = Pick<Finding, "verdict" | "statement" | "numbers" | "needs">;

/** What one place of evidence says of a claim. */
export type Weight = "for" | "against" | "undecided";

/** How many places say what. */
export interface Tally {
  /** Places that the claim holds at. */
  readonly for: number;
  /** Places that it fails at. */
  readonly against: number;
  /** Places whose interval leaves it open. */
  readonly undecided: number;
}

/**
 * Counts what places say.
 *
 * @param weights One a place.
 * @returns The counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(tally(["for", "for", "undecided"]), { for: 2, against: 0, undecided: 1 });
 * ```
 */
export function tally(weights: readonly Weight[]): Tally {
  const count = (wanted: Weight) => weights.filter((weight) => weight === wanted).length;
  return { for: count("for"), against: count("against"), undecided: count("undecided") };
}

/** Share of places that chance may put on the wrong side. */
const CHANCE = 1 / 20;

/**
 * The verdict on a general claim. It is supported, or contradicted, if all places that decide agree
 * and they are at least half of all; conditional if it holds at some and fails at others. Places on
 * one side count if they are more than a twentieth of all: 95 % intervals err in one of forty on
 * each side.
 *
 * @param places How many say what.
 * @returns The verdict; "not measured here" of no places.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(judge({ for: 3, against: 0, undecided: 3 }), "supported");
 * assertEquals(judge({ for: 3, against: 1, undecided: 0 }), "conditional");
 * assertEquals(judge({ for: 1, against: 0, undecided: 2 }), "undecided");
 * assertEquals(judge({ for: 97, against: 3, undecided: 0 }), "supported");
 * ```
 */
export function judge(places: Tally): ClaimVerdict {
  const total = places.for + places.against + places.undecided;
  if (total === 0) return "not measured here";
  const [held, failed] = [places.for, places.against].map((n) => n > CHANCE * total ? n : 0);
  if (held! > 0 && failed! > 0) return "conditional";
  if (held! + failed! < total / 2) return "undecided";
  return held! > 0 ? "supported" : "contradicted";
}

/**
 * What an interval says of "above the threshold".
 *
 * @param interval The interval.
 * @param threshold The threshold.
 * @returns "for" if all of it lies above, "against" if all below.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(above({ low: 1.1, high: 1.3 }, 1), "for");
 * assertEquals(above({ low: null, high: null }, 1), "undecided");
 * ```
 */
export function above({ low, high }: Pick<Interval, "low" | "high">, threshold: number): Weight {
  if (low !== null && low > threshold) return "for";
  if (high !== null && high < threshold) return "against";
  return "undecided";
}

/**
 * What the same evidence says of the opposite claim.
 *
 * @param weight What it says.
 * @returns The opposite; what is undecided stays so.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(opposite("for"), "against");
 * ```
 */
export function opposite(weight: Weight): Weight {
  return weight === "for" ? "against" : weight === "against" ? "for" : "undecided";
}

/**
 * a / b of two positive figures with independent errors in their logarithms: too wide where they err
 * alike, as costs of one machine do, so that it decides less rather than more.
 *
 * @param a The numerator.
 * @param b The denominator.
 * @returns The quotient with its 95 % interval; without one if either has none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const one = { estimate: 1, low: 1, high: 1 };
 * assertEquals(quotient({ estimate: 2, low: 1.5, high: 2.5 }, one).estimate, 2);
 * ```
 */
export function quotient(a: Interval, b: Interval): Interval {
  const estimate = a.estimate / b.estimate;
  const error = (of: Interval) =>
    of.low === null || of.high === null ? NaN : Math.log(of.high / of.low) / (2 * Z);
  const both = Math.hypot(error(a), error(b));
  if (!Number.isFinite(both)) return { estimate, low: null, high: null };
  return {
    estimate,
    low: estimate * Math.exp(-Z * both),
    high: estimate * Math.exp(Z * both),
  };
}

/**
 * A figure in words: two decimals, interval in brackets.
 *
 * @param figure The figure.
 * @returns "1.65 (1.25–2.23)", or the estimate alone.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(say({ estimate: 1.654, low: 1.25, high: 2.2 }), "1.65 (1.25–2.20)");
 * assertEquals(say({ estimate: -0.12, low: -0.2, high: -0.04 }), "−0.12 (−0.20 to −0.04)");
 * assertEquals(say({ estimate: 0.98, low: 0.96, high: Infinity }), "0.98 (0.96–none)");
 * ```
 */
export function say({ estimate, low, high }: Interval): string {
  // A break-even α that no α reaches is none.
  const decimals = (value: number) =>
    value === Infinity ? "none" : value.toFixed(2).replace(/^-(?=.*[1-9])/, "−").replace("-", "");
  if (low === null || high === null) return decimals(estimate);
  return `${decimals(estimate)} (${decimals(low)}${low < 0 ? " to " : "–"}${decimals(high)})`;
}

/**
 * From the least of some figures to the greatest, in words: their intervals stand with the numbers.
 *
 * @param figures The figures, at least one.
 * @returns "1.18 to 3.15", or the one value.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(sayRange([{ estimate: 3.15 }, { estimate: 1.18 }]), "1.18 to 3.15");
 * assertEquals(sayRange([{ estimate: 2 }]), "2.00");
 * ```
 */
export function sayRange(figures: readonly Pick<Interval, "estimate">[]): string {
  const told = [Math.min, Math.max].map((end) =>
    end(...figures.map(({ estimate }) => estimate)).toFixed(2)
  );
  return [...new Set(told)].join(" to ");
}

/**
 * What a figure is, and of which machine.
 *
 * @param figure The figure.
 * @returns Its name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(nameFigure({ name: "break-even α", machine: "mine" }), "break-even α on mine");
 * ```
 */
export function nameFigure({ name, machine }: Pick<Figure, "name" | "machine">): string {
  return machine === undefined ? name : `${name} on ${machine}`;
}

/**
 * The number that matters most in words; where machines have one each, all of them.
 *
 * @param finding The finding.
 * @returns Name and figures; nothing if there is no number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const figure = { name: "c", low: null, high: null, n: 1, of: "machine" };
 * const numbers = [{ ...figure, machine: "a", estimate: 1 }, { ...figure, machine: "b", estimate: 2 }];
 * assertEquals(sayFirst({ numbers }), "c: 1.00 on a, 2.00 on b");
 * ```
 */
export function sayFirst({ numbers }: Pick<Finding, "numbers">): string {
  const [first] = numbers;
  if (!first) return "";
  const same = first.machine === undefined
    ? [first]
    : numbers.filter(({ name, machine }) => name === first.name && machine !== undefined);
  const told = same.map((figure) =>
    say(figure) + (figure.machine === undefined ? "" : ` on ${figure.machine}`)
  );
  return `${first.name}: ${told.join(", ")}`;
}

/**
 * A tally in words.
 *
 * @param counts The counts.
 * @param what What was counted, in the plural.
 * @param words What those for and against do.
 * @returns "of 9 cells, 5 help, 1 hurts and 3 are undecided".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const words = { for: "help", against: "hurt" };
 * assertEquals(
 *   sayTally({ for: 5, against: 1, undecided: 3 }, "cells", words),
 *   "of 9 cells 5 help, 1 hurt, 3 undecided",
 * );
 * ```
 */
export function sayTally(
  { for: held, against, undecided }: Tally,
  what: string,
  words: { readonly for: string; readonly against: string },
): string {
  const total = held + against + undecided;
  return `of ${total} ${what} ${held} ${words.for}, ${against} ${words.against}, ${undecided} undecided`;
}

/**
 * The outcome of what nothing was measured for.
 *
 * @param needs What is missing.
 * @param statement What can be said nevertheless. Default: that there is nothing.
 * @param numbers The numbers in it.
 * @returns "not measured here".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(notMeasured("a base model beside the tuned one").verdict, "not measured here");
 * ```
 */
export function notMeasured(
  needs: string,
  statement = "Nothing on record tells.",
  numbers: readonly Figure[] = [],
): Outcome {
  return { verdict: "not measured here", statement, numbers, needs };
}
