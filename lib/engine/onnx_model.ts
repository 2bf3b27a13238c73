/**
 * A network that runs on ONNX Runtime.
 *
 * @module
 */

import type { Architecture } from "../models/architecture.ts";
import type { TokenId } from "../models/token.ts";
import { Binding, type Session } from "../onnx/mod.ts";
import type { AttentionForm } from "../models/graph.ts";
import { requireInteger } from "../validate.ts";
import { KeyValueCache } from "./key_value_cache.ts";
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
import { PassInputs, type PassRow } from "./pass_inputs.ts";

/** Slots are added to a cache in steps of this. */
const STEP = 256;
/** Room for new tokens that a cache keeps, so that when it grows depends on committed text alone. */
const ROOM = 32;
/** Tokens of a prefill pass. */
const CHUNK = 128;

/** What an {@linkcode OnnxModel} is made of. */
export interface OnnxModelOptions {
  /** Short name for records. */
  readonly name: string;
  /**
   * The width that a pass over `width` tokens is padded to. Kernels differ between widths on some
   * processors; where all passes run at widths that agree, logits do not depend on the width.
   * Default: no padding.
   */
  readonly pad?: (width: number) => number;
  /**
   * The form of attention for a single row of text without branches. Batches and trees always take
   * the scattered form, whose graph is opened when the first comes. Default "scattered".
   */
  readonly form?: AttentionForm;
}

/** A decoder whose graphs were written by `writeGraph`. */
export class OnnxModel implements LanguageModel {
  /** Short name for records. */
  readonly name: string;
  readonly vocabularySize: number;
  readonly contextLength: number;
  /** The network's sizes. */
  readonly architecture: Architecture;
  /** The width that a pass is padded to. */
  readonly pad: (width: number) => number;
  /** The form of attention for a single row of text without branches. */
  readonly form: AttentionForm;
  readonly #open: (form: AttentionForm) => Session;
  readonly #sessions = new Map<AttentionForm, Session>();

  /**
   * Opens the graph that single rows run through.
   *
   * @param open Loads the graph of a form; the model disposes of it.
   * @param architecture The network's sizes.
   * @param options Name, padding, form.
   */
  constructor(
    open: (form: AttentionForm) => Session,
    architecture: Architecture,
    options: OnnxModelOptions,
  ) {
    this.#open = open;
    this.architecture = architecture;
    this.name = options.name;
    this.pad = options.pad ?? ((width) => width);
    this.form = options.form ?? "scattered";
    this.vocabularySize = architecture.vocabularySize;
    this.contextLength = architecture.contextLength;
    this.session(this.form);
  }

  /** The graph of a form, loaded. */
  session(form: AttentionForm): Session {
    const known = this.#sessions.get(form);
    if (known) return known;
    const session = this.#open(form);
    this.#sessions.set(form, session);
    return session;
  }

  /** Opens an empty context of `rows` sequences. */
  open(rows = 1): OnnxContext {
    requireInteger("open a context", "rows", rows, 1);
    const { layers, keyValueHeads, headSize } = this.architecture;
    const shape = { layers, rows, heads: keyValueHeads, headSize };
    const cache = new KeyValueCache(this.session(this.form).runtime, shape, STEP);
    return new CachedContext(this, cache, new Array(rows).fill(0));
  }

  /** Disposes of the graphs. Contexts must be gone before. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
    this.#sessions.clear();
    return Promise.resolve();
  }
}

/** The newest evaluation, and what committing it needs. */
interface Newest {
  readonly evaluation: Evaluation;
  readonly parents: readonly (readonly number[])[];
}

/** A graph, and what is bound to it. */
interface Bound {
  readonly session: Session;
  readonly binding: Binding;
  cache: KeyValueCache | null;
}

/** Text that an {@linkcode OnnxModel} has read. */
export interface OnnxContext extends Context {
  /**
   * Counts slots as committed text without reading any. What a pass costs does not depend on what
   * the cache holds, so contexts of any length can be timed at once.
   */
  pretend(length: number, row?: number): void;
}

class CachedContext implements OnnxContext {
  readonly #model: OnnxModel;
  readonly #bound = new Map<AttentionForm, Bound>();
  readonly #inputs: PassInputs;
  readonly #lengths: number[];
  #cache: KeyValueCache;
  #newest: Newest | null = null;
  #running: Promise<void> | null = null;

  constructor(model: OnnxModel, cache: KeyValueCache, lengths: number[]) {
    this.#model = model;
    this.#cache = cache;
    this.#lengths = lengths;
    this.#inputs = new PassInputs(model.session(model.form).runtime);
  }

  get rows(): number {
    return this.#lengths.length;
  }

  length(row = 0): number {
    const length = this.#lengths[row];
    if (length !== undefined) return length;
    throw new ContextError(`Cannot reach row ${row} as the context has ${this.rows}`);
  }

  async append(tokens: readonly (readonly TokenId[])[]): Promise<void> {
    this.#requireRoom(tokens); // for all of them, before the first chunk is read
    const longest = Math.max(...tokens.map((list) => list.length));
    for (let from = 0; from < longest; from += CHUNK) {
      const chunk = tokens.map((list) => list.slice(from, from + CHUNK));
      const evaluation = await this.#evaluate(chunk, chunk.map(chainOf), []);
      this.commit(evaluation, chunk.map((list) => list.length));
    }
  }

  evaluate(
    tokens: readonly (readonly TokenId[])[],
    parents?: readonly (readonly number[])[],
  ): Promise<Evaluation> {
    const forest = tokens.map((list, row) => parents?.[row] ?? chainOf(list));
    const scored = tokens.flatMap((list, row) => list.map((_, index) => ({ row, index })));
    return this.#evaluate(tokens, forest, scored);
  }

  commit(evaluation: Evaluation, kept: readonly (number | readonly number[])[]): void {
    if (this.#newest?.evaluation !== evaluation) throw outdated("commit");
    requireKept(kept, this.#newest.parents).forEach((path, row) => {
      this.#cache.compact(row, this.#lengths[row]!, path);
      this.#lengths[row]! += path.length;
    });
    this.#newest = null;
  }

  truncate(length: number, row = 0): void {
    requireInteger("truncate", "length", length, 0, this.length(row));
    this.#lengths[row] = length;
    this.#newest = null;
  }

  pretend(length: number, row = 0): void {
    requireInteger("pretend", "length", length, 0, this.#model.contextLength);
    this.#lengths[row] = length;
    this.#newest = null;
  }

  fork(): Context {
    return new CachedContext(this.#model, this.#cache.share(), [...this.#lengths]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.catch(() => {}); // its own caller hears of a failure
    for (const { binding } of this.#bound.values()) binding[Symbol.dispose]();
    this.#inputs[Symbol.dispose]();
    this.#cache.release();
  }

  async #evaluate(
    tokens: readonly (readonly TokenId[])[],
    parents: readonly (readonly number[])[],
    scored: readonly { readonly row: number; readonly index: number }[],
  ): Promise<Evaluation> {
    const { architecture, vocabularySize, contextLength, pad } = this.#model;
    requireTokens(tokens, this.rows, vocabularySize);
    parents.forEach((tree, row) => requireTree(tree, tokens[row]!.length));
    this.#requireRoom(tokens);
    this.#newest = null;

    const width = pad(Math.max(1, ...tokens.map((list) => list.length)));
    this.#cache = this.#cache.own(this.#lengths, this.#capacityFor(width));
    const rows = this.#lengths.map((length, row) => ({
      length,
      tokens: tokens[row]!,
      parents: parents[row]!,
    }));
    const indices = scored.map(({ row, index }) => row * width + index);
    while (indices.length < pad(Math.max(1, scored.length))) indices.push(0);
    const { capacity } = this.#cache;
    const groups = architecture.heads / architecture.keyValueHeads;
    const pass = { rows, width, capacity, groups, contextLength, scored: indices };
    const { session, binding } = this.#bind(this.#formFor(rows));
    const logits = this.#inputs.write(binding, session.inputs, pass, vocabularySize);
    this.#running = binding.run();
    await this.#running;

    const offsets = tokens.map((_, row) => scored.findIndex((score) => score.row === row));
    const evaluation: Evaluation = {
      tokens,
      logits: (index, row = 0) => {
        if (this.#newest?.evaluation !== evaluation) throw outdated("read logits");
        const at = offsets[row]! + index;
        return logits.subarray(at * vocabularySize, (at + 1) * vocabularySize);
      },
    };
    this.#newest = { evaluation, parents };
    return evaluation;
  }

  /** Batches and trees need a mask, which only the scattered form takes. */
  #formFor(rows: readonly PassRow[]): AttentionForm {
    const plain = rows.length === 1 && rows[0]!.parents.every((parent, i) => parent === i - 1);
    return plain ? this.#model.form : "scattered";
  }

  /** A form's graph with the cache bound to it: without cost unless the cache is another. */
  #bind(form: AttentionForm): Bound {
    let bound = this.#bound.get(form);
    if (!bound) {
      const session = this.#model.session(form);
      bound = { session, binding: new Binding(session), cache: null };
      this.#bound.set(form, bound);
    }
    if (bound.cache === this.#cache) return bound;
    for (const [layer, { key, value }] of this.#cache.layers.entries()) {
      for (const [side, tensor] of [["key", key], ["value", value]] as const) {
        bound.binding.input(`cache.${layer}.${side}`, tensor);
        bound.binding.output(`new.${layer}.${side}`, tensor);
      }
    }
    bound.cache = this.#cache;
    return bound;
  }

  /** Slots for a pass; for narrow passes a function of committed text alone. */
  #capacityFor(width: number): number {
    const needed = Math.max(...this.#lengths) + Math.max(width, ROOM);
    return Math.ceil(needed / STEP) * STEP;
  }

  #requireRoom(tokens: readonly (readonly TokenId[])[]): void {
    tokens.forEach((list, row) => {
      const [length, limit] = [this.#lengths[row]!, this.#model.contextLength];
      if (length + list.length <= limit) return;
      throw new ContextError(
        `Cannot evaluate ${list.length} tokens after ${length} as the context length is ${limit}: shorten the text`,
      );
    });
  }
}

function chainOf(list: readonly TokenId[]): number[] {
  return list.map((_, index) => index - 1);
}
