/**
 * An exact toy: a language model that is a table, for tests and docs.
 *
 * @module
 */

import { stream } from "../random.ts";
import type { TokenId } from "../models/token.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import {
  type Context,
  ContextError,
  type Evaluation,
  type LanguageModel,
  outdated,
  requireKept,
  requireTokens,
  requireTree,
} from "./language_model.ts";
import { softmax } from "./softmax.ts";

/** Settings of a table model. */
export interface TableModelOptions {
  /** Entries of the vocabulary: at least 2. */
  readonly vocabularySize: number;
  /** Fixes the table. */
  readonly seed: number | string;
  /** How many tokens back the table looks. Default 2. */
  readonly order?: number;
  /** Spread of the logits: 0 makes every token equally likely. Default 2. */
  readonly spread?: number;
  /** The most tokens a row may hold. Default 4096. */
  readonly contextLength?: number;
}

/**
 * A Markov model of fixed order whose logits are a seeded function of the last tokens. It keeps the
 * whole contract of the seam, checks every call, and its distributions are known exactly.
 *
 * @param options Vocabulary, seed, order, spread.
 * @returns The model.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const context = tableModel({ vocabularySize: 4, seed: 1 }).open();
 * const evaluation = await context.evaluate([[0, 3, 2]]);
 * assertEquals(evaluation.logits(2).length, 4);
 * context.commit(evaluation, [2]);
 * assertEquals(context.length(), 2);
 * ```
 */
export function tableModel(options: TableModelOptions): LanguageModel {
  const { vocabularySize, seed, order = 2, spread = 2, contextLength = 4096 } = options;
  requireInteger("build a table model", "vocabularySize", vocabularySize, 2);
  requireInteger("build a table model", "order", order, 0);
  requireInteger("build a table model", "contextLength", contextLength, 1);
  requireNumber("build a table model", "spread", spread, 0);
  const table = new Map<string, Float32Array>();
  const logitsAfter = (text: readonly TokenId[], path: readonly TokenId[]): Float32Array => {
    const known = text.slice(Math.max(0, text.length - order)).concat(path);
    const state = known.slice(Math.max(0, known.length - order)).join(" ");
    let logits = table.get(state);
    if (!logits) {
      const random = stream(seed, state);
      logits = Float32Array.from({ length: vocabularySize }, () => spread * (2 * random() - 1));
      table.set(state, logits);
    }
    return logits;
  };
  return {
    name: `table ${seed}`,
    vocabularySize,
    contextLength,
    open(rows = 1) {
      requireInteger("open a context", "rows", rows, 1);
      const texts = Array.from({ length: rows }, () => []);
      return new TableContext(texts, { vocabularySize, contextLength, logitsAfter });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface Table {
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly logitsAfter: (text: readonly TokenId[], path: readonly TokenId[]) => Float32Array;
}

class TableContext implements Context {
  readonly #texts: TokenId[][];
  readonly #table: Table;
  #newest: { evaluation: Evaluation; parents: readonly (readonly number[])[] } | null = null;

  constructor(texts: TokenId[][], table: Table) {
    this.#texts = texts;
    this.#table = table;
  }

  get rows(): number {
    return this.#texts.length;
  }

  length(row = 0): number {
    return this.#row(row).length;
  }

  async append(tokens: readonly (readonly TokenId[])[]): Promise<void> {
    const evaluation = await this.evaluate(tokens);
    this.commit(evaluation, tokens.map((list) => list.length));
  }

  evaluate(
    tokens: readonly (readonly TokenId[])[],
    parents?: readonly (readonly number[])[],
  ): Promise<Evaluation> {
    requireTokens(tokens, this.rows, this.#table.vocabularySize);
    const forest = tokens.map((list, row) => parents?.[row] ?? list.map((_, i) => i - 1));
    forest.forEach((tree, row) => requireTree(tree, tokens[row]!.length));
    tokens.forEach((list, row) => this.#requireRoom(list.length, row));
    const evaluation: Evaluation = {
      tokens,
      logits: (index, row = 0) => {
        if (this.#newest?.evaluation !== evaluation) throw outdated("read logits");
        const list = tokens[row] ?? [];
        requireInteger("read logits", "index", index, 0, list.length - 1);
        const path: TokenId[] = []; // newest first
        for (let i = index; i >= 0; i = forest[row]![i]!) path.push(list[i]!);
        return this.#table.logitsAfter(this.#row(row), path.reverse()).slice();
      },
      probabilities: (index, temperature, row) =>
        softmax(evaluation.logits(index, row), temperature),
    };
    this.#newest = { evaluation, parents: forest };
    return Promise.resolve(evaluation);
  }

  commit(evaluation: Evaluation, kept: readonly (number | readonly number[])[]): void {
    if (this.#newest?.evaluation !== evaluation) throw outdated("commit");
    requireKept(kept, this.#newest.parents).forEach((path, row) => {
      this.#row(row).push(...path.map((index) => evaluation.tokens[row]![index]!));
    });
    this.#newest = null;
  }

  truncate(length: number, row = 0): void {
    requireInteger("truncate", "length", length, 0, this.length(row));
    this.#row(row).length = length;
    this.#newest = null;
  }

  fork(): Context {
    return new TableContext(this.#texts.map((text) => [...text]), this.#table);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #row(row: number): TokenId[] {
    const text = this.#texts[row];
    if (!text) throw new ContextError(`Cannot reach row ${row} as the context has ${this.rows}`);
    return text;
  }

  #requireRoom(count: number, row: number): void {
    const { contextLength } = this.#table;
    if (this.length(row) + count <= contextLength) return;
    throw new ContextError(
      `Cannot evaluate ${count} tokens after ${
        this.length(row)
      } as the context length is ${contextLength}: shorten the text`,
    );
  }
}
