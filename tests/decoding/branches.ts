/**
 * Exact integration over random draws: every branch that a computation can take, with its
 * probability.
 *
 * @module
 */

import type { Random } from "../../lib/random.ts";
import { minus, type Rational, rational, recognise, times } from "./rational.ts";

/** One branch of a computation, and how likely it is. */
export interface Branch<T> {
  readonly result: T;
  readonly probability: Rational;
}

/** The largest double that a uniform number in [0, 1) can be. */
const HIGHEST = 1 - 2 ** -53;

/**
 * Runs `compute` on one draw from every interval on which it decides alike.
 *
 * A draw is compared with thresholds, so its range falls into intervals. Their bounds are found by
 * bisection to the last bits of a double and recognised as fractions; the lengths are exact
 * probabilities. Two assumptions, both true of verification: a decision shows in the result
 * (with all later draws 0), and the results on either side of an interval differ.
 */
export function branches<T>(compute: (random: Random) => T): Branch<T>[] {
  const run = (draws: readonly number[]) => {
    let used = 0;
    const result = compute(() => draws[used++] ?? 0);
    return { result, used };
  };
  const explore = (draws: readonly number[], probability: Rational): Branch<T>[] => {
    const { result, used } = run(draws);
    if (used <= draws.length) return [{ result, probability }];
    const decision = (draw: number) => JSON.stringify(run([...draws, draw]).result);
    const bounds = [0, ...cuts(decision, 0, HIGHEST), 1];
    return bounds.slice(1).flatMap((high, i) => {
      const low = bounds[i]!;
      const width = minus(recognise(high), recognise(low));
      return explore([...draws, (low + high) / 2], times(probability, width));
    });
  };
  return explore([], rational(1));
}

/** Where `decision` changes between `low` and `high`. */
function cuts(decision: (draw: number) => string, low: number, high: number): number[] {
  if (decision(low) === decision(high)) return [];
  const middle = (low + high) / 2;
  if (high - low < 2 ** -48) return [middle];
  return [...cuts(decision, low, middle), ...cuts(decision, middle, high)];
}
