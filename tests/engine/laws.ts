/**
 * Laws that every language model of the seam keeps, toy or real.
 *
 * @module
 */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ContextError, type LanguageModel } from "../../lib/engine/language_model.ts";
import { softmax } from "../../lib/engine/softmax.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { stream } from "../../lib/random.ts";
import { actions } from "./actions.ts";
import { integer, pathTo, randomText, randomTree } from "./texts.ts";

/** How a law is tried. */
export interface LawOptions {
  /** Seed of what is tried. Default 1. */
  readonly seed?: number | string;
  /** How often a law is tried. Default 20. */
  readonly rounds?: number;
  /** Largest difference of two logits that should be equal. Default 0: equal to the bit. */
  readonly tolerance?: number;
}

/** A law: it throws if a model breaks it. */
export type Law = (model: LanguageModel, options?: LawOptions) => Promise<void>;

/** The laws, by what they say. */
export const laws: Readonly<Record<string, Law>> = {
  "logits do not depend on how many tokens a pass reads": async (model, options) => {
    const { random, rounds, assertSame } = trial(model, options);
    for (let round = 0; round < rounds; round++) {
      const text = randomText(random, model, 1, 24);
      await using context = model.open();
      for (let from = 0; from < text.length;) {
        const width = integer(random, 1, Math.min(8, text.length - from));
        const evaluation = await context.evaluate([text.slice(from, from + width)]);
        const logits = evaluation.logits(width - 1).slice();
        await assertSame(logits, text.slice(0, from + width), `width ${width} at ${from}`);
        context.commit(evaluation, [width]);
        from += width;
      }
    }
  },

  "a tree's token is scored as if its path were all the text": async (model, options) => {
    const { random, rounds, assertSame } = trial(model, options);
    for (let round = 0; round < rounds; round++) {
      await using context = model.open();
      const text = randomText(random, model, 1, 12);
      await context.append([text]);
      const tokens = randomText(random, model, 1, 12);
      const parents = randomTree(random, tokens.length);
      const evaluation = await context.evaluate([tokens], [parents]);
      for (const node of tokens.keys()) {
        const path = pathTo(node, parents).map((index) => tokens[index]!);
        const logits = evaluation.logits(node).slice();
        await assertSame(logits, [...text, ...path], `token ${node} of tree [${parents}]`);
      }
    }
  },

  "rows of unequal length are scored as if each were alone": async (model, options) => {
    const { random, rounds, assertSame } = trial(model, options);
    for (let round = 0; round < rounds; round++) {
      const rows = integer(random, 2, 4);
      await using context = model.open(rows);
      const texts = Array.from({ length: rows }, () => randomText(random, model, 0, 12));
      await context.append(texts);
      for (let pass = 0; pass < 3; pass++) {
        const tokens = texts.map(() => randomText(random, model, 0, 5)); // an empty list rests
        const evaluation = await context.evaluate(tokens);
        for (const [row, list] of tokens.entries()) {
          for (const index of list.keys()) {
            const text = [...texts[row]!, ...list.slice(0, index + 1)];
            const logits = evaluation.logits(index, row).slice();
            await assertSame(logits, text, `row ${row} of ${rows}, token ${index}`);
          }
        }
        const kept = tokens.map((list) => integer(random, 0, list.length));
        context.commit(evaluation, kept);
        texts.forEach((text, row) => text.push(...tokens[row]!.slice(0, kept[row])));
      }
    }
  },

  "whatever was forked, truncated or not committed, a context scores like a fresh one": async (
    model,
    options,
  ) => {
    const { random, rounds, assertSame } = trial(model, options);
    for (let round = 0; round < rounds; round++) {
      const rows = integer(random, 1, 3);
      const forks = [{ context: model.open(rows), texts: new Array<TokenId[]>(rows).fill([]) }];
      const done: string[] = [];
      for (let step = 0; step < 10; step++) {
        const fork = forks[integer(random, 0, forks.length - 1)]!;
        const action = actions[integer(random, 0, actions.length - 1)]!;
        done.push(action.name);
        const copy = await action(fork, random, model);
        if (copy && forks.length < 4) forks.push(copy);
        for (const { context, texts } of forks) {
          assertEquals(
            texts.map((_, row) => context.length(row)),
            texts.map((text) => text.length),
          );
        }
        const probe = fork.texts.map(() => randomText(random, model, 1, 1));
        const evaluation = await fork.context.evaluate(probe);
        for (const [row, [token]] of probe.entries()) {
          const text = [...fork.texts[row]!, token!];
          await assertSame(evaluation.logits(0, row).slice(), text, `row ${row} after ${done}`);
        }
      }
      for (const { context } of forks) await context[Symbol.asyncDispose]();
    }
  },

  "what a context cannot do is a ContextError, and changes nothing": async (model) => {
    await using context = model.open(2);
    await context.append([[0, 1], [1]]);
    const wrong: readonly [TokenId[][], number[][]?][] = [
      [[[0]]],
      [[[0], [0], [0]]],
      [[[0], [model.vocabularySize]]],
      [[[0], [-1]]],
      [[[0], [0.5]]],
      [[[0], [1, 0]], [[-1], [0, -1]]],
      [[[0], [1, 0]], [[-1], [-1]]],
      [[[0], new Array(model.contextLength).fill(0)]],
    ];
    for (const [tokens, parents] of wrong) {
      await assertRejects(async () => await context.evaluate(tokens, parents), ContextError);
    }
    const parents = [[-1, -1], [-1, 0, 0]];
    const evaluation = await context.evaluate([[0, 1], [0, 1, 2]], parents);
    for (const kept of [[2, 0], [0, [0, 1, 2]], [[1, 0], 0], [[3], 0], [0, [1]], [0]]) {
      assertThrows(() => context.commit(evaluation, kept), ContextError, "Cannot commit");
    }
    assertThrows(() => context.truncate(3, 0), RangeError, "Cannot truncate");
    assertThrows(() => context.length(2), ContextError);
    assertEquals([context.length(0), context.length(1)], [2, 1]);
    context.commit(evaluation, [[1], [0, 2]]);
    assertEquals([context.length(0), context.length(1)], [3, 3]);
    assertThrows(
      () => context.commit(evaluation, [0, 0]),
      ContextError,
      "not the context's newest",
    );
  },

  "probabilities are the softmax of the logits": async (model) => {
    await using context = model.open(2);
    const evaluation = await context.evaluate([[0, 1, 2], [3, 4]]);
    for (const [row, index] of [[0, 0], [0, 2], [1, 1]] as const) {
      for (const temperature of [Number.MIN_VALUE, 0.01, 0.7, 1, 1.3, 1e300]) {
        const p = evaluation.probabilities(index, temperature, row);
        softmax(evaluation.logits(index, row), temperature).forEach((mass, token) => {
          assertAlmostEquals(p[token]!, mass, 1e-6, `token ${token}, temperature ${temperature}`);
        });
      }
    }
  },

  "only the newest evaluation can be read and committed": async (model) => {
    await using context = model.open();
    const first = await context.evaluate([[0]]);
    const second = await context.evaluate([[1]]);
    assertThrows(() => first.logits(0), ContextError, "not the context's newest");
    assertThrows(() => first.probabilities(0, 1), ContextError, "not the context's newest");
    assertThrows(() => context.commit(first, [1]), ContextError, "not the context's newest");
    assertEquals(second.logits(0).length, model.vocabularySize);
    await using fork = context.fork();
    assertThrows(() => fork.commit(second, [1]), ContextError, "not the context's newest");
    context.commit(second, [1]);
    assertEquals([context.length(), fork.length()], [1, 0]);
    const third = await context.evaluate([[0]]);
    context.truncate(0);
    assertThrows(() => context.commit(third, [1]), ContextError, "not the context's newest");
  },
};

/** What a law needs to try a model. */
function trial(model: LanguageModel, options: LawOptions = {}) {
  const { seed = 1, rounds = 20, tolerance = 0 } = options;
  const assertSame = async (logits: Float32Array, text: readonly TokenId[], where: string) => {
    const difference = distance(logits, await freshLogits(model, text));
    assert(difference <= tolerance, `logits differ by ${difference}: ${where} (seed ${seed})`);
  };
  return { random: stream(seed, "laws"), rounds, assertSame };
}

/** The scores after a text that a new context reads in one pass. */
async function freshLogits(model: LanguageModel, text: readonly TokenId[]): Promise<Float32Array> {
  await using context = model.open();
  const evaluation = await context.evaluate([text]);
  return evaluation.logits(text.length - 1).slice();
}

function distance(a: Float32Array, b: Float32Array): number {
  assertEquals(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue; // both may be −∞
    largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  }
  return largest;
}
