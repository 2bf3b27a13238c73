/**
 * How long forward passes take, on several engines in turn.
 *
 * @module
 */

import type { OnnxModel } from "../engine/onnx_model.ts";
import { requireInteger } from "../validate.ts";

/** Something whose passes can be timed: the engine here, or another one. */
export interface PassTimer {
  /** Short name for tables. */
  readonly name: string;
  /** Milliseconds of a pass over `width` new tokens after `context` tokens. */
  pass(context: number, width: number): Promise<number>;
}

/** The times of one engine's passes of one shape. */
export interface PassTimes {
  /** The engine. */
  readonly name: string;
  /** Tokens before the new ones. */
  readonly context: number;
  /** New tokens. */
  readonly width: number;
  /** Milliseconds of each timed pass, in order. */
  readonly milliseconds: readonly number[];
}

/**
 * Times the passes of this engine. The text before them is pretended, which costs the same.
 *
 * @param model The model.
 * @param name Its name in tables.
 * @returns The timer; disposing of it frees its context, not the model.
 */
export function engineTimer(model: OnnxModel, name: string): PassTimer & AsyncDisposable {
  const opened = model.open();
  return {
    name,
    async pass(context, width) {
      opened.pretend(context);
      const tokens = Array.from({ length: width }, (_, i) => (i * 31 + 13) % model.vocabularySize);
      const started = performance.now();
      await opened.evaluate([tokens]);
      return performance.now() - started;
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/**
 * Times passes of several engines in turn, so that whatever slows the machine falls on all alike.
 * Each engine's first pass of a shape is not counted.
 *
 * @param timers The engines.
 * @param options Which passes, and how often.
 * @returns The times, one entry an engine and shape, as they are found.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const timers = [{ name: "a", pass: (_: number, width: number) => Promise.resolve(width) }];
 * const times = await Array.fromAsync(
 *   alternatePasses(timers, { contexts: [64], widths: [1, 5], repeats: 2 }),
 * );
 * assertEquals(times.map(({ milliseconds }) => milliseconds), [[1, 1], [5, 5]]);
 * ```
 */
export async function* alternatePasses(
  timers: readonly PassTimer[],
  options: {
    readonly contexts: readonly number[];
    readonly widths: readonly number[];
    readonly repeats: number;
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<PassTimes, void> {
  const { contexts, widths, repeats, signal } = options;
  requireInteger("time passes", "repeats", repeats, 1);
  for (const context of contexts) {
    for (const width of widths) {
      const times = timers.map((): number[] => []);
      for (let repeat = 0; repeat <= repeats; repeat++) {
        for (const [index, timer] of timers.entries()) {
          signal?.throwIfAborted();
          const milliseconds = await timer.pass(context, width);
          if (repeat > 0) times[index]!.push(milliseconds);
        }
      }
      for (const [index, { name }] of timers.entries()) {
        yield { name, context, width, milliseconds: times[index]! };
      }
    }
  }
}
