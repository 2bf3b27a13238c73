/**
 * How long forward passes take, on several engines in turn.
 *
 * @module
 */

import { autoregress } from "../decoding/autoregressive.ts";
import type { OnnxContext } from "../engine/onnx_model.ts";
import { requireInteger } from "../validate.ts";

/** What is timed. */
export interface Work {
  /**
   * "pass": one pass, which scores all its tokens, as checking a draft does. "prefill": reading
   * tokens, in as many passes and with as many scored as the engine likes. "decode": greedy
   * decoding, a pass a token, with the choice of each.
   */
  readonly kind: "pass" | "prefill" | "decode";
  /** Tokens before the new ones. */
  readonly context: number;
  /** New tokens. */
  readonly tokens: number;
}

/** An engine whose work can be timed: the one here, or another. */
export interface PassTimer {
  /** Short name for tables. */
  readonly name: string;
  /** Does the work; returns the milliseconds it took. What it added to the text is dropped. */
  time(work: Work): Promise<number>;
}

/** The times that one engine took for some work. */
export interface PassTimes extends Work {
  /** The engine. */
  readonly name: string;
  /** Milliseconds of each time it was done, in order. */
  readonly milliseconds: readonly number[];
}

/**
 * Times this engine. The text before the new tokens is pretended, which costs the same.
 *
 * @param model The model.
 * @param name Its name in tables.
 * @returns The timer; disposing of it frees its context, not the model.
 */
export function engineTimer(
  model: { readonly vocabularySize: number; open(): OnnxContext },
  name: string,
): PassTimer & AsyncDisposable {
  let opened = model.open();
  let length = 0;
  return {
    name,
    async time({ kind, context, tokens }) {
      if (context !== length) { // slots that longer text took would cost shorter text time
        await opened[Symbol.asyncDispose]();
        opened = model.open();
        length = context;
      }
      opened.pretend(context);
      const text = Array.from({ length: tokens }, (_, i) => (i * 31 + 13) % model.vocabularySize);
      const started = performance.now();
      if (kind === "pass") await opened.evaluate([text]);
      else if (kind === "prefill") await opened.append([text]);
      else await decode(opened, context, tokens);
      return performance.now() - started;
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function decode(opened: OnnxContext, context: number, tokens: number): Promise<void> {
  const prompt = new Array(context + 1).fill(13); // all but the last count as read
  for await (const _ of autoregress(opened, prompt, { maxTokens: tokens, seed: 1 }));
}

/** Milliseconds of rest between engines. */
const REST = 200;

/** Milliseconds of passes, and at most how many, that come before what counts. */
const WARM_UP = { milliseconds: 50, passes: 20 };

/**
 * Times several engines in turn, so that whatever slows the machine falls on all alike. Each does
 * the work once uncounted. Before an engine's turn there is a rest, as threads of the one before
 * spin on for tens of milliseconds and would double its times; then come passes that do not count, as
 * after a rest the first four take up to half as long again, and in decoding passes follow each other.
 *
 * @param timers The engines.
 * @param works What to time.
 * @param options How often, and what stops it.
 * @returns The times, one entry an engine and work, as they are found.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const timers = [{ name: "a", time: ({ tokens }: Work) => Promise.resolve(tokens) }];
 * const works: Work[] = [1, 5].map((tokens) => ({ kind: "pass", context: 64, tokens }));
 * const times = await Array.fromAsync(alternatePasses(timers, works, { repeats: 2 }));
 * assertEquals(times.map(({ milliseconds }) => milliseconds), [[1, 1], [5, 5]]);
 * ```
 */
export async function* alternatePasses(
  timers: readonly PassTimer[],
  works: readonly Work[],
  options: { readonly repeats: number; readonly signal?: AbortSignal },
): AsyncGenerator<PassTimes, void> {
  const { repeats, signal } = options;
  requireInteger("time passes", "repeats", repeats, 1);
  for (const work of works) {
    const times = timers.map((): number[] => []);
    for (let repeat = 0; repeat <= repeats; repeat++) {
      for (const [index, timer] of timers.entries()) {
        signal?.throwIfAborted();
        if (timers.length > 1) await new Promise((resolve) => setTimeout(resolve, REST));
        await warmUp(timer, work);
        const milliseconds = await timer.time(work);
        if (repeat > 0) times[index]!.push(milliseconds);
      }
    }
    for (const [index, { name }] of timers.entries()) {
      yield { name, ...work, milliseconds: times[index]! };
    }
  }
}

async function warmUp(timer: PassTimer, { kind, context, tokens }: Work): Promise<void> {
  const pass: Work = { kind: "pass", context, tokens: kind === "pass" ? tokens : 1 };
  let spent = 0;
  for (let i = 0; i < WARM_UP.passes && spent < WARM_UP.milliseconds; i++) {
    spent += await timer.time(pass);
  }
}
