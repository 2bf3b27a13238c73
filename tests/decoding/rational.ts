/**
 * Fractions of big integers: probabilities without rounding.
 *
 * @module
 */

/** A fraction in lowest terms, its denominator positive. */
export interface Rational {
  readonly over: bigint;
  readonly under: bigint;
}

/** `over / under` in lowest terms; the denominator must be positive. */
export function rational(over: number | bigint, under: number | bigint = 1n): Rational {
  const [a, b] = [BigInt(over), BigInt(under)];
  if (b <= 0n) throw new RangeError(`Cannot form a fraction over ${b}`);
  const divisor = greatestCommonDivisor(a < 0n ? -a : a, b);
  return { over: a / divisor, under: b / divisor };
}

export function plus(a: Rational, b: Rational): Rational {
  return rational(a.over * b.under + b.over * a.under, a.under * b.under);
}

export function minus(a: Rational, b: Rational): Rational {
  return plus(a, { over: -b.over, under: b.under });
}

export function times(a: Rational, b: Rational): Rational {
  return rational(a.over * b.over, a.under * b.under);
}

/**
 * The fraction that a double in [0, 1] stands for: the simplest one within 1e-12. Two fractions
 * with denominators up to 10⁵ are at least 1e-10 apart, so there is only one candidate.
 */
export function recognise(value: number): Rational {
  // Continued fraction: convergents a/b of value.
  let [a, b, lastA, lastB] = [1n, 0n, 0n, 1n];
  let rest = value;
  while (b < 100_000n) {
    const whole = BigInt(Math.floor(rest));
    [a, b, lastA, lastB] = [whole * a + lastA, whole * b + lastB, a, b];
    if (Math.abs(Number(a) / Number(b) - value) < 1e-12) return rational(a, b);
    rest = 1 / (rest - Math.floor(rest));
  }
  throw new RangeError(`Cannot recognise ${value} as a simple fraction`);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b > 0n) [a, b] = [b, a % b];
  return a === 0n ? 1n : a;
}
