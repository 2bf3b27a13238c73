/**
 * Whether counts could have come from given probabilities: the G-test, its power, and Holm's
 * correction for many tests.
 *
 * @module
 */

/** What a G-test found. */
export interface GTest {
  readonly statistic: number;
  readonly degrees: number;
  /** The chance of a statistic this large if the probabilities hold. */
  readonly pValue: number;
}

/** Cells expected to hold fewer are pooled: there the χ² approximation is poor. */
const LEAST_EXPECTED = 5;

/**
 * The G-test of goodness of fit: G = 2 Σ observed · ln(observed / expected), χ²-distributed with one
 * degree of freedom less than there are cells. Cells of low expectation form one.
 *
 * @param counts How often each outcome was observed.
 * @param probabilities Of each outcome. One that was observed but has none cannot happen: p is 0.
 */
export function gTest(
  counts: ReadonlyMap<string, number>,
  probabilities: ReadonlyMap<string, number>,
): GTest {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const impossible = [...counts.keys()].some((outcome) => !probabilities.get(outcome));
  const pooled = { observed: 0, expected: 0 };
  const cells = [pooled];
  for (const [outcome, probability] of probabilities) {
    const [observed, expected] = [counts.get(outcome) ?? 0, total * probability];
    if (expected >= LEAST_EXPECTED) cells.push({ observed, expected });
    else {
      pooled.observed += observed;
      pooled.expected += expected;
    }
  }
  if (pooled.expected < LEAST_EXPECTED && cells.length > 1) {
    // Still too few: they join the smallest of the others.
    cells.shift();
    const smallest = cells.reduce((a, b) => a.expected <= b.expected ? a : b);
    smallest.observed += pooled.observed;
    smallest.expected += pooled.expected;
  }
  let statistic = 0;
  for (const { observed, expected } of cells) {
    if (observed > 0) statistic += 2 * observed * Math.log(observed / expected);
  }
  const degrees = cells.length - 1;
  return { statistic, degrees, pValue: impossible ? 0 : chiSquareTail(statistic, degrees) };
}

/**
 * The chance that a G-test at `significance` rejects, if the truth deviates by a total variation of
 * `deviation`: at least this. (Σ d²/p ≥ (Σ|d|)² = 4·deviation² by Cauchy and Schwarz, so the
 * non-centrality is at least 4·n·deviation².)
 */
export function leastPower(
  n: number,
  degrees: number,
  significance: number,
  deviation: number,
): number {
  const critical = chiSquareQuantile(significance, degrees);
  return noncentralTail(critical, degrees, 4 * n * deviation ** 2);
}

/** Which of several tests to reject so that a false rejection anywhere has chance ≤ `level` (Holm 1979). */
export function holm(pValues: readonly number[], level: number): boolean[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const kept = order.findIndex((test, rank) => pValues[test]! > level / (pValues.length - rank));
  const rejected = new Set(kept < 0 ? order : order.slice(0, kept));
  return pValues.map((_, test) => rejected.has(test));
}

/** P(χ² > x). */
export function chiSquareTail(x: number, degrees: number): number {
  return degrees === 0 ? 1 : upperGamma(degrees / 2, x / 2);
}

/** The x with P(χ² > x) = `tail`. */
export function chiSquareQuantile(tail: number, degrees: number): number {
  let [low, high] = [0, 1e6];
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (chiSquareTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
  return high;
}

/** P(χ² > x) with a non-centrality: a Poisson mixture of central ones. */
export function noncentralTail(x: number, degrees: number, noncentrality: number): number {
  const half = noncentrality / 2;
  let total = 0;
  for (let j = 0; j < half + 20 * Math.sqrt(half + 1); j++) {
    const weight = Math.exp(j * Math.log(half || 1) - half - logGamma(j + 1));
    if (half > 0 || j === 0) total += weight * chiSquareTail(x, degrees + 2 * j);
  }
  return total;
}

/** The regularised upper incomplete gamma function Q(a, x). */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - scale * lowerSeries(a, x) : scale * upperFraction(a, x);
}

/** Σ x^n / (a (a+1) … (a+n)). */
function lowerSeries(a: number, x: number): number {
  let [term, total] = [1 / a, 1 / a];
  for (let n = 1; term > total * 1e-16; n++) total += term *= x / (a + n);
  return total;
}

/** Legendre's continued fraction, by Lentz's method. */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Infinity;
  let d = 1 / b;
  let value = d;
  for (let n = 1, change = 0; Math.abs(change - 1) > 1e-15 && n < 10_000; n++) {
    const term = n * (a - n);
    b += 2;
    d = 1 / (b + term * d);
    c = b + term / c;
    change = c * d;
    value *= change;
  }
  return value;
}

/** ln Γ(x) for x > 0, by Lanczos's approximation. */
function logGamma(x: number): number {
  const terms = [
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
  ];
  let sum = 0.99999999999980993;
  terms.forEach((term, i) => sum += term / (x + i));
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}
