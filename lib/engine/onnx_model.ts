/**
 * A network that runs on ONNX Runtime.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Architecture } from "../models/architecture.ts";
import type { TokenId } from "../models/token.ts";
import type { TrimmedVocabulary } from "../models/trimmed_vocabulary.ts";
import { Binding, type Session } from "../onnx/mod.ts";
import type { AttentionForm } from "../models/graph.ts";
import { requireInteger } from "../validate.ts";
import type { Graphs } from "./graphs.ts";
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
  type TokenScores,
} from "./language_model.ts";
import { SoftmaxPass } from "./softmax.ts";
import { trimmedEvaluation } from "./trimmed.ts";
import { PassInputs, type PassRow } from "./pass_inputs.ts";

/** Slots are added to a cache in steps of this. */
const STEP = 256;
/** Room for new tokens that a cache keeps, so that when it grows depends on committed text alone. */
const ROOM = 32;
/** Tokens of a prefill pass. */
const CHUNK = 128;
/**
 * Passes up to this width run on the thread that asks: they take milliseconds, of which a change of
 * thread cost a quarter (docs/log.md).
 */
const NARROW = 32;

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
   * the scattered form, whose graph is loaded when the first comes. Default "scattered".
   */
  readonly form?: AttentionForm;
  /** The tokens that the graphs score. Default: all. */
  readonly vocabulary?: TrimmedVocabulary | undefined;
}

/** A decoder whose graphs were written by `writeGraphs`. */
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
  /** The tokens that are scored, if not all are. */
  readonly vocabulary: TrimmedVocabulary | undefined;
  readonly #graphs: Graphs;

  /**
   * Loads the graph that single rows run through.
   *
   * @param graphs The graphs; the model disposes of them.
   * @param architecture The network's sizes.
   * @param options Name, padding, form, vocabulary.
   */
  constructor(graphs: Graphs, architecture: Architecture, options: OnnxModelOptions) {
    this.#graphs = graphs;
    this.architecture = architecture;
    this.name = options.name;
    this.pad = options.pad ?? ((width) => width);
    this.form = options.form ?? "scattered";
    this.vocabulary = options.vocabulary;
    this.vocabularySize = architecture.vocabularySize;
    this.contextLength = architecture.contextLength;
    this.session(this.form);
  }

  get weightBytes(): number {
    return this.#graphs.weightBytes;
  }

  /** The graph of a form, loaded. */
  session(form: AttentionForm): Session {
    return this.#graphs.session(form);
  }

  /** The graph that turns logits into probabilities, loaded. */
  softmax(): Session {
    return this.#graphs.softmax();
  }

  /** Opens an empty context of `rows` sequences. */
  open(rows = 1): OnnxContext {
    requireInteger("open a context", "rows", rows, 1);
    const { layers, keyValueHeads, headSize } = this.architecture;
    const shape = { layers, rows, heads: keyValueHeads, headSize };
    const cache = new KeyValueCache(this.#graphs.runtime, shape, STEP);
    return new CachedContext(this, { cache, lengths: new Array(rows).fill(0) });
  }

  /**
   * Opens a context in the cache of another, whose text it has then read too: for a model made of the
   * other's first layers, whose keys and values are those of the other (LayerSkip, Elhoushi et al.
   * 2024, §4.3). It takes no memory and no prefill. What it commits itself lies past the other's
   * text, and is forgotten when the other evaluates or its text changes; what either of them does ends
   * the newest evaluation of the other.
   *
   * @param context A context of the whole model, in any precision; close it after the new one.
   * @returns The context.
   * @throws {ContextError} If that model does not begin with this one's layers.
   */
  follow(context: OnnxContext): OnnxContext {
    if (context instanceof CachedContext) return context.followedBy(this);
    throw new ContextError("Cannot follow a context as it is none of an OnnxModel: open another");
  }

  /** Disposes of the graphs. Contexts must be gone before. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#graphs[Symbol.dispose]();
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

/** A cache, and the state of all contexts in it: the one that leads, and those that follow it. */
interface Store {
  cache: KeyValueCache;
  /** Committed tokens of each row of the leader. */
  readonly lengths: number[];
  /** Who used the cache last. */
  user?: CachedContext;
  newest?: Newest | null;
  closed?: boolean;
}

class CachedContext implements OnnxContext {
  readonly #model: OnnxModel;
  readonly #bound = new Map<AttentionForm, Bound>();
  readonly #inputs: PassInputs;
  readonly #store: Store;
  readonly #follows: boolean;
  readonly #own: number[];
  #softmax: SoftmaxPass | undefined;
  #running: Promise<void> | null = null;

  constructor(model: OnnxModel, store: Store, follows = false) {
    this.#model = model;
    this.#store = store;
    this.#follows = follows;
    this.#own = follows ? [] : store.lengths;
    this.#inputs = new PassInputs(model.session(model.form).runtime);
  }

  followedBy(model: OnnxModel): CachedContext {
    const [whole, part] = [this.#model.architecture, model.architecture];
    const alike = JSON.stringify({ ...part, layers: whole.layers }) === JSON.stringify(whole);
    if (alike && part.layers <= whole.layers) return new CachedContext(model, this.#store, true);
    throw new ContextError(
      `Cannot let ${model.name} follow ${this.#model.name} as it is not made of its first layers: load both from one file`,
    );
  }

  /** Committed tokens of each row. A follower's are the leader's if another used the cache since. */
  get #lengths(): number[] {
    if (this.#follows && this.#store.user !== this) {
      this.#own.splice(0, Infinity, ...this.#store.lengths);
    }
    return this.#own;
  }

  get rows(): number {
    return this.#lengths.length;
  }

  get cacheBytes(): number {
    return this.#store.cache.byteLength;
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
    const paths = requireKept(kept, this.#newestOf(evaluation, "commit").parents);
    const lengths = this.#use();
    paths.forEach((path, row) => {
      this.#store.cache.compact(row, lengths[row]!, path);
      lengths[row]! += path.length;
    });
  }

  truncate(length: number, row = 0): void {
    requireInteger("truncate", "length", length, this.#least(row), this.length(row));
    this.#use()[row] = length;
  }

  pretend(length: number, row = 0): void {
    requireInteger("pretend", "length", length, this.#least(row), this.#model.contextLength);
    this.#use()[row] = length;
  }

  fork(): Context {
    const { cache } = this.#store;
    return new CachedContext(this.#model, { cache: cache.share(), lengths: [...this.#lengths] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.catch(() => {}); // its own caller hears of a failure
    for (const { binding } of this.#bound.values()) binding[Symbol.dispose]();
    this.#softmax?.[Symbol.dispose]();
    this.#inputs[Symbol.dispose]();
    if (this.#follows) return;
    this.#store.closed = true;
    this.#store.cache.release();
  }

  /** Takes over the cache: no evaluation stands any longer. Gives the lengths, to be changed. */
  #use(): number[] {
    const lengths = this.#lengths;
    this.#store.user = this;
    this.#store.newest = null;
    return lengths;
  }

  #newestOf(evaluation: Evaluation, action: string): Newest {
    const { user, newest } = this.#store;
    if (user === this && newest?.evaluation === evaluation) return newest;
    throw outdated(action);
  }

  /** The shortest text that a row can have: slots of the leader's are not a follower's to write. */
  #least(row: number): number {
    return this.#follows ? this.#store.lengths[row]! : 0;
  }

  async #evaluate(
    tokens: readonly (readonly TokenId[])[],
    parents: readonly (readonly number[])[],
    scored: readonly { readonly row: number; readonly index: number }[],
  ): Promise<Evaluation> {
    const { vocabularySize, vocabulary, contextLength, pad } = this.#model;
    if (this.#store.closed) {
      throw new ContextError("Cannot evaluate as the context was closed, or the one it follows");
    }
    requireTokens(tokens, this.rows, vocabularySize);
    parents.forEach((tree, row) => requireTree(tree, tokens[row]!.length));
    this.#requireRoom(tokens);
    const lengths = this.#use();

    const width = pad(Math.max(1, ...tokens.map((list) => list.length)));
    const capacity = slotsFor(Math.max(...lengths), width);
    const cache = this.#store.cache = this.#store.cache.own(lengths, capacity);
    const rows = lengths.map((length, row) => ({
      length,
      tokens: tokens[row]!,
      parents: parents[row]!,
    }));
    const indices = scored.map(({ row, index }) => row * width + index);
    while (indices.length < pad(Math.max(1, scored.length))) indices.push(0);
    const pass = { rows, width, capacity: cache.capacity, contextLength, scored: indices };
    const { session, binding } = this.#bind(this.#formFor(rows));
    const size = vocabulary?.tokens.length ?? vocabularySize;
    const logits = this.#inputs.write(binding, session.inputs, pass, size);
    if (width <= NARROW) {
      binding.runSync();
      await new Promise((resolve) => setImmediate(resolve)); // signals and timers have their turn
    } else {
      this.#running = binding.run();
      await this.#running;
    }

    const offsets = tokens.map((_, row) => scored.findIndex((score) => score.row === row));
    const scores: TokenScores = {
      logits: (index, row = 0) => {
        this.#newestOf(evaluation, "read logits");
        const at = offsets[row]! + index;
        return logits.subarray(at * size, (at + 1) * size);
      },
      probabilities: (index, temperature, row) => {
        this.#softmax ??= new SoftmaxPass(this.#model.softmax(), size);
        return this.#softmax.run(scores.logits(index, row), temperature);
      },
    };
    const evaluation = vocabulary
      ? trimmedEvaluation(tokens, { ...scores, vocabulary })
      : { tokens, ...scores };
    this.#store.newest = { evaluation, parents };
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
    const { cache } = this.#store;
    if (bound.cache === cache) return bound;
    const layers = cache.layers.slice(0, this.#model.architecture.layers);
    for (const [layer, { key, value }] of layers.entries()) {
      for (const [side, tensor] of [["key", key], ["value", value]] as const) {
        bound.binding.input(`cache.${layer}.${side}`, tensor);
        bound.binding.output(`new.${layer}.${side}`, tensor);
      }
    }
    bound.cache = cache;
    return bound;
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

/**
 * Slots of a row's cache in a pass: what the scattered form reads, whatever part of it is text.
 *
 * @param length Tokens before the new ones.
 * @param width New tokens.
 * @returns The slots, for narrow passes a function of `length` alone.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([slotsFor(200, 1), slotsFor(230, 1), slotsFor(200, 128)], [256, 512, 512]);
 * ```
 */
export function slotsFor(length: number, width: number): number {
  return Math.ceil((length + Math.max(width, ROOM)) / STEP) * STEP;
}

function chainOf(list: readonly TokenId[]): number[] {
  return list.map((_, index) => index - 1);
}
