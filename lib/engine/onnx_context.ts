/**
 * Text that a network on ONNX Runtime has read.
 *
 * @module
 */

import type { AttentionForm } from "../models/graph.ts";
import type { TokenId } from "../models/token.ts";
import { Binding, type Session } from "../onnx/mod.ts";
import { requireInteger } from "../validate.ts";
import { slotsFor } from "./capacity.ts";
import { formOf, NARROW } from "./form_rule.ts";
import { KeyValueCache } from "./key_value_cache.ts";
import {
  type Context,
  ContextError,
  type Evaluation,
  requireKept,
  requireTokens,
  requireTree,
  type TokenScores,
} from "./language_model.ts";
import type { OnnxModel } from "./onnx_model.ts";
import { PassInputs, type PassRow } from "./pass_inputs.ts";
import { CacheText, stepWith } from "./shared_cache.ts";
import { SoftmaxPass } from "./softmax.ts";
import { trimmedEvaluation } from "./trimmed.ts";
import { giveTurn } from "./turn.ts";

/** Tokens of a prefill pass. */
const CHUNK = 128;

/** Text that an {@linkcode OnnxModel} has read. */
export interface OnnxContext extends Context {
  /**
   * Counts slots as committed text without reading any. What a pass costs does not depend on what
   * the cache holds, so contexts of any length can be timed at once.
   */
  pretend(length: number, row?: number): void;
  /**
   * The hidden state of a committed token: what the output head multiplies to score its successor. A
   * view, valid until the context changes. Throws a {@linkcode ContextError} if the model was loaded
   * without them.
   */
  hidden(index: number, row?: number): Float32Array;
}

/** A graph, and what is bound to it. */
interface Bound {
  readonly session: Session;
  readonly binding: Binding;
  cache: KeyValueCache | null;
}

/** Which of a row's tokens is scored. */
interface Scored {
  readonly row: number;
  readonly index: number;
}

/** A context over a cache of its own, or over that of another. */
export class CachedContext implements OnnxContext {
  readonly #model: OnnxModel;
  readonly #bound = new Map<AttentionForm, Bound>();
  readonly #inputs: PassInputs;
  readonly #text: CacheText;
  readonly #leader: CachedContext | undefined;
  readonly #keepStep: () => void;
  #softmax: SoftmaxPass | undefined;
  #running: Promise<void> | null = null;

  /**
   * Opens a context.
   *
   * @param model The network.
   * @param text Its text, in its own cache or another's.
   * @param leader Whose hidden states the network reads, if it reads any.
   */
  constructor(model: OnnxModel, text: CacheText, leader?: CachedContext) {
    this.#model = model;
    this.#text = text;
    this.#leader = leader;
    this.#keepStep = leader ? stepWith(leader, text.shared.lengths) : () => {};
    this.#inputs = new PassInputs(model.runtime);
  }

  /** Opens a context of `rows` empty rows. */
  static open(model: OnnxModel, rows: number, leader?: CachedContext): CachedContext {
    const { layers, keyValueHeads: heads, headSize, hidden } = model.architecture;
    const shape = { layers, rows, heads, headSize, hidden: model.givesHidden ? hidden : 0 };
    const cache = new KeyValueCache(model.runtime, shape, slotsFor(0, 1));
    const text = new CacheText({ cache, lengths: new Array(rows).fill(0) }, false);
    return new CachedContext(model, text, leader);
  }

  /** Opens a context of another network that reads this one's cache, or its hidden states. */
  followedBy(model: OnnxModel): CachedContext {
    const [whole, part] = [this.#model.architecture, model.architecture];
    if (model.readsHidden) {
      this.#requireHidden(`let ${model.name} follow`);
      if (part.hidden === whole.hidden) return CachedContext.open(model, this.rows, this);
    }
    const alike = JSON.stringify({ ...part, layers: whole.layers }) === JSON.stringify(whole);
    if (alike && part.layers <= whole.layers) {
      return new CachedContext(model, new CacheText(this.#text.shared, true));
    }
    throw new ContextError(
      `Cannot let ${model.name} follow ${this.#model.name} as it is not made of its first layers: load both from one file`,
    );
  }

  get rows(): number {
    return this.#lengths.length;
  }

  get cacheBytes(): number {
    if (this.#text.follows) return 0; // they are the leader's
    const { byteLength, hiddenBytes } = this.#text.shared.cache;
    if (!this.#leader) return byteLength;
    // Hidden states are kept for a head alone: its own, and its target's.
    return byteLength + hiddenBytes + this.#leader.#text.shared.cache.hiddenBytes;
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
    scored: "all" | "last" = "all",
  ): Promise<Evaluation> {
    const forest = tokens.map((list, row) => parents?.[row] ?? chainOf(list));
    const all = tokens.flatMap((list, row) => list.map((_, index) => ({ row, index })));
    const wanted = scored === "all"
      ? all
      : all.filter(({ row, index }) => index === tokens[row]!.length - 1);
    return this.#evaluate(tokens, forest, wanted);
  }

  commit(evaluation: Evaluation, kept: readonly (number | readonly number[])[]): void {
    const paths = requireKept(kept, this.#text.newest(evaluation, "commit").parents);
    const lengths = this.#take();
    paths.forEach((path, row) => {
      this.#text.shared.cache.compact(row, lengths[row]!, path);
      lengths[row]! += path.length;
    });
  }

  truncate(length: number, row = 0): void {
    requireInteger("truncate", "length", length, this.#text.least(row), this.length(row));
    this.#take()[row] = length;
  }

  pretend(length: number, row = 0): void {
    requireInteger("pretend", "length", length, this.#text.least(row), this.#model.contextLength);
    this.#take()[row] = length;
  }

  hidden(index: number, row = 0): Float32Array {
    this.#requireHidden("read hidden states");
    requireInteger("read hidden states", "index", index, 0, this.length(row) - 1);
    return this.#text.shared.cache.hiddenAt(row, index);
  }

  fork(): Context {
    const text = { cache: this.#text.shared.cache.share(), lengths: [...this.#lengths] };
    return new CachedContext(this.#model, new CacheText(text, false), this.#leader);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.catch(() => {}); // its own caller hears of a failure
    for (const { binding } of this.#bound.values()) binding[Symbol.dispose]();
    this.#softmax?.[Symbol.dispose]();
    this.#inputs[Symbol.dispose]();
    if (this.#text.follows) return;
    this.#text.shared.closed = true;
    this.#text.shared.cache.release();
  }

  get #lengths(): readonly number[] {
    this.#keepStep();
    return this.#text.lengths;
  }

  #take(): number[] {
    this.#keepStep();
    return this.#text.take();
  }

  async #evaluate(
    tokens: readonly (readonly TokenId[])[],
    parents: readonly (readonly number[])[],
    scored: readonly Scored[],
  ): Promise<Evaluation> {
    const { vocabularySize, vocabulary, contextLength, pad, readsHidden } = this.#model;
    const { hidden } = this.#model.architecture;
    const { shared } = this.#text;
    if (shared.closed) {
      throw new ContextError("Cannot evaluate as the context was closed, or the one it follows");
    }
    requireTokens(tokens, this.rows, vocabularySize);
    parents.forEach((tree, row) => requireTree(tree, tokens[row]!.length));
    this.#requireRoom(tokens);
    const lengths = this.#take();

    const width = pad(Math.max(1, ...tokens.map((list) => list.length)));
    const capacity = slotsFor(Math.max(...lengths), width);
    const cache = shared.cache = shared.cache.own(lengths, capacity);
    const rows = lengths.map((length, row): PassRow => ({
      length,
      tokens: tokens[row]!,
      parents: parents[row]!,
      ...(readsHidden && { features: this.#features(parents[row]!, row), firstApart: true }),
    }));
    const indices = scored.map(({ row, index }) => row * width + index);
    while (indices.length < pad(Math.max(1, scored.length))) indices.push(0);
    const pass = { rows, width, capacity: cache.capacity, contextLength, scored: indices, hidden };
    const { session, binding } = this.#bind(this.#formFor(rows, width));
    const size = vocabulary?.tokens.length ?? vocabularySize;
    const outputs = this.#inputs.write(binding, session, pass, size);
    if (width <= NARROW) {
      binding.runSync();
      await giveTurn();
    } else {
      this.#running = binding.run();
      await this.#running;
    }
    if (outputs.hidden) cache.keepHidden(outputs.hidden, width, rows);

    const scores: TokenScores = {
      logits: (index, row = 0) => {
        this.#text.newest(evaluation, "read logits");
        const at = scored.findIndex((score) => score.row === row && score.index === index);
        if (at >= 0) return outputs.logits.subarray(at * size, (at + 1) * size);
        throw new ContextError(
          `Cannot read logits as token ${index} of row ${row} was not scored: evaluate it with scored "all"`,
        );
      },
      probabilities: (index, temperature, row) => {
        this.#softmax ??= new SoftmaxPass(this.#model.softmax(), size);
        return this.#softmax.run(scores.logits(index, row), temperature);
      },
    };
    const evaluation = vocabulary
      ? trimmedEvaluation(tokens, { ...scores, vocabulary })
      : { tokens, ...scores };
    shared.newest = { evaluation, parents };
    return evaluation;
  }

  /**
   * The hidden state before each of a row's new tokens: the leader's, and past the leader's text what
   * was foretold here. None is known before the first token.
   */
  #features(parents: readonly number[], row: number): (Float32Array | null)[] {
    const [length, known] = [this.length(row), this.#leader!.length(row)];
    return parents.map((parent) => {
      const before = length + parent;
      if (before < 0) return null;
      if (before < known) return this.#leader!.hidden(before, row);
      if (parent < 0) return this.#text.shared.cache.hiddenAt(row, before);
      throw new ContextError(
        `Cannot evaluate ${parents.length} drafted tokens at once as each is read with what was foretold for the one before: evaluate them one by one, and commit`,
      );
    });
  }

  /** Batches and trees need a mask, which only the scattered form takes; so do a head's own rules. */
  #formFor(rows: readonly PassRow[], width: number): AttentionForm {
    const [{ length, parents }] = rows as [PassRow];
    const plain = rows.length === 1 && parents.every((parent, i) => parent === i - 1);
    return plain ? formOf(this.#model.attention, width, length) : "scattered";
  }

  /** A form's graph with the cache bound to it: without cost unless the cache is another. */
  #bind(form: AttentionForm): Bound {
    let bound = this.#bound.get(form);
    if (!bound) {
      const session = this.#model.session(form);
      bound = { session, binding: new Binding(session), cache: null };
      this.#bound.set(form, bound);
    }
    const { cache } = this.#text.shared;
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
      const [length, limit] = [this.length(row), this.#model.contextLength];
      if (length + list.length <= limit) return;
      throw new ContextError(
        `Cannot evaluate ${list.length} tokens after ${length} as the context length is ${limit}: shorten the text`,
      );
    });
  }

  #requireHidden(action: string): void {
    const { name, givesHidden } = this.#model;
    if (!givesHidden) {
      throw new ContextError(
        `Cannot ${action} as ${name} was loaded without hidden states: load it with hidden: true`,
      );
    }
    if (this.#text.shared.closed) {
      throw new ContextError(`Cannot ${action} as the context of ${name} was closed`);
    }
  }
}

function chainOf(list: readonly TokenId[]): number[] {
  return list.map((_, index) => index - 1);
}
