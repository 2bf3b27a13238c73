/**
 * The time of any pass, from the measured times of some.
 *
 * @module
 */

import { Z } from "../study/interval.ts";
import { ascending, interpolate, type Point } from "./interpolation.ts";
import { fitTerms } from "./least_squares.ts";
import { CostModelError, type MeasuredTime } from "./measured_times.ts";
import { geometricMean, median } from "./statistics.ts";

/** A time that a model gives. */
export interface TimeEstimate {
  /** Milliseconds. */
  readonly ms: number;
  /** Lower end of their 95 % interval. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
  /** Standard error of their logarithm. */
  readonly error: number;
}

/** Forms of a model: lines between neighbours, or four terms fitted to all cells of a batch. */
export const COST_FORMS = ["interpolated", "terms"] as const;

/** One of the forms. */
export type CostForm = typeof COST_FORMS[number];

/** How far a form was off at cells that it was not shown, as shares of their times. */
export interface HeldOutError {
  /** Cells that were held out. */
  readonly cells: number;
  /** Root of the mean square. */
  readonly rms: number;
  /** The median. */
  readonly median: number;
  /** The greatest. */
  readonly worst: number;
}

/** How well a model tells the times of contexts, or of widths, that were not measured. */
export interface HeldOut {
  /** The form that was nearer, which is taken. */
  readonly form: CostForm;
  /** How far each form was off; null where no level has neighbours on both sides. */
  readonly errors: Readonly<Record<CostForm, HeldOutError | null>>;
}

/** T(w, n, B) of one model on one machine. */
export interface CostModel {
  /** What holding out all cells of one context showed, and of one width. */
  readonly heldOut: { readonly context: HeldOut; readonly width: HeldOut };
  /**
   * The time of a shape. Of a measured one it is the measurement; off these, the interval has the
   * held-out error in it.
   *
   * @throws {CostModelError} If the shape lies outside of what was measured.
   */
  time(width: number, context: number, batch?: number): TimeEstimate;
}

/** Settings of a model. */
export interface CostModelOptions {
  /**
   * What a pass pays for in place of `context`, where that grows in steps: slots of a cache that is
   * read whole. Default: the context itself.
   */
  readonly slots?: (context: number, width: number) => number;
}

/** The time of a shape of one batch, or null outside of what was measured. */
type Predictor = (width: number, context: number) => number | null;

const FITS: Readonly<Record<CostForm, (times: readonly MeasuredTime[]) => Predictor>> = {
  interpolated: (times) => lines(times, ({ ms }) => ms, ascending),
  terms,
};

/**
 * Fits T(w, n, B). Of two forms, the one is taken that is nearer to what it was not shown: all cells
 * of one context, or of one width, are left out in turn and predicted from the others.
 *
 * - `terms`: a + b·w + c·n + d·w·n for each batch, by least squares of relative errors. It smooths
 *   noise, and misses the steps that kernels make between widths.
 * - `interpolated`: linear in n, which attention is, between contexts and then between widths; never
 *   falling in n.
 *
 * Between batches both are linear in B.
 *
 * @param times Times of one model.
 * @param options What stands for the context.
 * @returns The model.
 * @throws {CostModelError} If there are no times.
 *
 * @example
 * ```ts
 * import { assert, assertAlmostEquals } from "@std/assert";
 * const times = [1, 2, 4].flatMap((width) => [0, 100, 200].map((context) => {
 *   return { width, context, batch: 1, ms: 10 + 2 * width + 0.1 * context, error: 0.01 };
 * }));
 * const { ms, low, high } = fitCosts(times).time(3, 150);
 * assertAlmostEquals(ms, 31);
 * assert(low < 31 && 31 < high);
 * ```
 */
export function fitCosts(
  times: readonly MeasuredTime[],
  { slots = (context) => context }: CostModelOptions = {},
): CostModel {
  if (times.length === 0) {
    throw new CostModelError("Cannot fit costs as none were measured: run deno task sweep costs");
  }
  const placed = times.map((time) => ({ ...time, context: slots(time.context, time.width) }));
  const heldOut = { context: holdOut(placed, "context"), width: holdOut(placed, "width") };
  const layers = [...Map.groupBy(placed, ({ batch }) => batch)].sort(([a], [b]) => a - b)
    .map(([batch, cells]) => {
      const interpolated = FITS.interpolated(cells);
      const error = lines(cells, ({ error }) => error);
      return { batch, interpolated, terms: FITS.terms(cells), error };
    });
  const between = (of: CostForm | "error", width: number, context: number, batch: number) => {
    const points = layers.flatMap((layer): Point[] => {
      const value = layer[of](width, context);
      return value === null ? [] : [[layer.batch, value]];
    });
    return interpolate(points, batch);
  };
  const widths = new Set(times.map(({ width }) => width));
  const contexts = new Set(placed.map(({ context }) => context));
  /** Errors that a shape's time has beside those of measurements. */
  const heldOutFor = (width: number, context: number, batch: number): HeldOut[] => {
    const isShape = (cell: MeasuredTime) =>
      cell.width === width && cell.context === context && cell.batch === batch;
    if (placed.some(isShape)) return [];
    if (widths.has(width)) return [heldOut.context];
    return contexts.has(context) ? [heldOut.width] : [heldOut.width, heldOut.context];
  };
  return {
    heldOut,
    time(width, context, batch = 1) {
      const place = slots(context, width);
      const off = heldOutFor(width, place, batch);
      const ms = between(off[0]?.form ?? "interpolated", width, place, batch);
      const measured = between("error", width, place, batch);
      if (ms === null || measured === null) {
        throw new CostModelError(
          `Cannot tell what a pass over ${width} tokens after ${context} in ${batch} rows takes as that lies outside of what was measured (${
            reach(times)
          }): measure further`,
        );
      }
      const error = Math.hypot(measured, ...off.map(({ form, errors }) => errors[form]?.rms ?? 0));
      const [low, high] = [ms * Math.exp(-Z * error), ms * Math.exp(Z * error)];
      return { ms, low, high, error };
    },
  };
}

/**
 * The time to read a prompt, from the times of its chunks.
 *
 * @param chunks The model of chunks of prefill: all of one width.
 * @param tokens The prompt's length.
 * @param width Tokens of a chunk; a last one that is shorter takes its share of the time.
 * @param batch Rows.
 * @returns The sum, its error that of chunks that err alike.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const chunk = (context: number) => ({ width: 128, context, batch: 1, ms: 100 + context, error: 0 });
 * assertAlmostEquals(prefillTime(fitCosts([chunk(0), chunk(1024)]), 320, 128).ms, 100 + 228 + 178);
 * ```
 */
export function prefillTime(
  chunks: CostModel,
  tokens: number,
  width: number,
  batch = 1,
): TimeEstimate {
  let [ms, low, high] = [0, 0, 0];
  for (let from = 0; from < tokens; from += width) {
    const share = Math.min(1, (tokens - from) / width);
    const chunk = chunks.time(width, from, batch);
    ms += share * chunk.ms;
    low += share * chunk.low;
    high += share * chunk.high;
  }
  return { ms, low, high, error: Math.log(high / low) / (2 * Z) };
}

/** Leaves out each level of a factor in turn, in each batch, and predicts its cells. */
function holdOut(times: readonly MeasuredTime[], factor: "context" | "width"): HeldOut {
  const misses: Record<CostForm, (number | null)[]> = { interpolated: [], terms: [] };
  const levels = Map.groupBy(times, (time) => `${time.batch} ${time[factor]}`);
  for (const cells of levels.values()) {
    const { batch, [factor]: level } = cells[0]!;
    const others = times.filter((time) => time.batch === batch && time[factor] !== level);
    for (const form of COST_FORMS) {
      const predict = FITS[form](others);
      misses[form].push(...cells.map(({ width, context, ms }) => {
        const predicted = predict(width, context);
        return predicted === null ? null : predicted / ms - 1;
      }));
    }
  }
  const errors = {
    interpolated: summarise(misses.interpolated),
    terms: summarise(misses.terms),
  };
  const smooth = errors.terms && errors.terms.rms < errors.interpolated!.rms;
  return { form: smooth ? "terms" : "interpolated", errors };
}

function summarise(misses: readonly (number | null)[]): HeldOutError | null {
  const sizes = misses.filter((miss) => miss !== null).map(Math.abs);
  if (sizes.length === 0) return null;
  return {
    cells: sizes.length,
    rms: Math.hypot(...sizes) / Math.sqrt(sizes.length),
    median: median(sizes),
    worst: Math.max(...sizes),
  };
}

/** Lines between contexts, then between widths. */
function lines(
  times: readonly MeasuredTime[],
  valueOf: (time: MeasuredTime) => number,
  settle: (values: readonly number[]) => readonly number[] = (values) => values,
): Predictor {
  const columns = [...Map.groupBy(times, ({ width }) => width)].sort(([a], [b]) => a - b)
    .map(([width, list]) => {
      const places = [...Map.groupBy(list, ({ context }) => context)].sort(([a], [b]) => a - b);
      const values = settle(places.map(([, same]) => geometricMean(same.map(valueOf))));
      return { width, points: places.map(([place], i): Point => [place, values[i]!]) };
    });
  const pointsAt = (context: number) =>
    columns.flatMap((column): Point[] => {
      const value = interpolate(column.points, context);
      return value === null ? [] : [[column.width, value]];
    });
  const known = new Map<number, Point[]>(); // replays ask for every width at a context
  return (width, context) => interpolate(known.getOrInsertComputed(context, pointsAt), width);
}

function terms(times: readonly MeasuredTime[]): Predictor {
  const termsOf = (width: number, context: number) => [1, width, context, width * context];
  const rows = times.map(({ width, context }) => termsOf(width, context));
  const fitted = fitTerms(rows, times.map(({ ms }) => ms));
  const inside = lines(times, ({ ms }) => ms);
  return (width, context) => {
    if (!fitted || inside(width, context) === null) return null;
    return termsOf(width, context).reduce((sum, term, i) => sum + term * fitted[i]!, 0);
  };
}

function reach(times: readonly MeasuredTime[]): string {
  return (["width", "context", "batch"] as const).map((name) => {
    const values = times.map((time) => time[name]);
    return `${name} ${Math.min(...values)} to ${Math.max(...values)}`;
  }).join(", ");
}
