/**
 * Which factor moves the speed-up most.
 *
 * @module
 */

import type { BoundaryPoint } from "./boundary.ts";
import type { MeasuredCosts } from "./costs.ts";
import { expectedTokens } from "./metrics.ts";

/** d ln S / d ln x: by how many per cent S moves where x grows by one, all else as it is. */
export interface Elasticities {
  /** Of α. */
  readonly alpha: number;
  /** Of c. */
  readonly c: number;
  /** Of v. */
  readonly v: number;
  /** Of h. */
  readonly h: number;
}

/**
 * Elasticities of S = E[τ](1 + h₀) / (K·c + v + h). Of the costs they are minus their shares of a
 * round; of α it is Σ k·α^k / Σ α^k over k = 0 … K.
 *
 * @param point α and K.
 * @param costs The round's costs.
 * @returns The elasticities; those of c, v and h sum to −1.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const costs = { drafting: 0.4, v: 1.5, h: 0.1 };
 * const { alpha, c, v, h } = elasticities({ alpha: 0.5, draftLength: 1 }, costs);
 * assertAlmostEquals(alpha, 0.5 / 1.5);
 * assertAlmostEquals(c, -0.4 / 2);
 * assertAlmostEquals(v + h, -1.6 / 2);
 * ```
 */
export function elasticities(
  { alpha, draftLength }: Pick<BoundaryPoint, "alpha" | "draftLength">,
  { drafting, v, h }: Pick<MeasuredCosts, "drafting" | "v" | "h">,
): Elasticities {
  const tokens = expectedTokens(alpha, draftLength);
  const slope = Array.from({ length: draftLength }, (_, i) => (i + 1) * alpha ** (i + 1))
    .reduce((sum, term) => sum + term, 0);
  const round = drafting + v + h;
  return { alpha: slope / tokens, c: -drafting / round, v: -v / round, h: -h / round };
}

/** A level of a factor, and S there. */
export interface LevelSpeedup<Level> {
  /** The level. */
  readonly level: Level;
  /** S with the other factors at their centre. */
  readonly speedup: number;
}

/** How far one factor moves S over its levels. */
export interface FactorSpan<Setting, Factor extends keyof Setting = keyof Setting> {
  /** The factor. */
  readonly factor: Factor;
  /** The level of the least S. */
  readonly least: LevelSpeedup<Setting[Factor]>;
  /** The level of the greatest. */
  readonly most: LevelSpeedup<Setting[Factor]>;
}

/**
 * The span of S over each factor's levels, the others at their centre (a tornado diagram).
 *
 * @param centre The setting in the middle.
 * @param levels Observed levels of the factors to vary, the centre's among them.
 * @param speedup S at a setting.
 * @returns The factors, the one that moves S most first.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const spans = factorSpans(
 *   { alpha: 0.5, v: 1 },
 *   { v: [1, 1.25], alpha: [0.25, 0.5] },
 *   ({ alpha, v }) => (1 + alpha) / v,
 * );
 * assertEquals(spans.map(({ factor }) => factor), ["v", "alpha"]);
 * assertEquals(spans[0]!.least, { level: 1.25, speedup: 1.2 });
 * ```
 */
export function factorSpans<Setting extends object>(
  centre: Setting,
  levels: { readonly [Factor in keyof Setting]?: readonly Setting[Factor][] },
  speedup: (setting: Setting) => number,
): FactorSpan<Setting>[] {
  const span = ({ least, most }: FactorSpan<Setting>) => Math.log(most.speedup / least.speedup);
  return (Object.keys(levels) as (keyof Setting)[]).map((factor) => {
    const all = levels[factor]!.map((level) => {
      return { level, speedup: speedup({ ...centre, [factor]: level }) };
    });
    return {
      factor,
      least: all.reduce((a, b) => b.speedup < a.speedup ? b : a),
      most: all.reduce((a, b) => b.speedup > a.speedup ? b : a),
    };
  }).sort((a, b) => span(b) - span(a));
}
