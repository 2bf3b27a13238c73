/**
 * A network that runs on ONNX Runtime.
 *
 * @module
 */

import type { Architecture } from "../models/architecture.ts";
import type { TokenId } from "../models/token.ts";
import { Binding, type Runtime, type Session } from "../onnx/mod.ts";
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
import { writeMask } from "./mask.ts";
import { Scratch } from "./scratch.ts";

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
}

/** A decoder whose graph was written by `writeGraph`. */
export class OnnxModel implements LanguageModel {
  readonly name: string;
  readonly vocabularySize: number;
  readonly contextLength: number;
  /** The graph, loaded. */
  readonly session: Session;
  /** The network's sizes. */
  readonly architecture: Architecture;
  /** The width that a pass is padded to. */
  readonly pad: (width: number) => number;

  /**
   * Takes over a session; it is disposed with the model.
   *
   * @param session The graph, loaded.
   * @param architecture The network's sizes.
   * @param options Name and padding.
   */
  constructor(session: Session, architecture: Architecture, options: OnnxModelOptions) {
    this.session = session;
    this.architecture = architecture;
    this.name = options.name;
    this.pad = options.pad ?? ((width) => width);
    this.vocabularySize = architecture.vocabularySize;
    this.contextLength = architecture.contextLength;
  }

  /** Opens an empty context of `rows` sequences. */
  open(rows = 1): Context {
    requireInteger("open a context", "rows", rows, 1);
    const { layers, keyValueHeads, headSize } = this.architecture;
    const shape = { layers, rows, heads: keyValueHeads, headSize };
    const cache = new KeyValueCache(this.session.runtime, shape, STEP);
    return new OnnxContext(this, cache, new Array(rows).fill(0));
  }

  /** Disposes of the session. Contexts must be gone before. */
  [Symbol.asyncDispose](): Promise<void> {
    this.session[Symbol.dispose]();
    return Promise.resolve();
  }
}

/** The newest evaluation, and what committing it needs. */
interface Newest {
  readonly evaluation: Evaluation;
  readonly parents: readonly (readonly number[])[];
}

class OnnxContext implements Context {
  readonly #model: OnnxModel;
  readonly #binding: Binding;
  readonly #inputs: PassInputs;
  readonly #lengths: number[];
  #cache: KeyValueCache;
  #newest: Newest | null = null;
  #running: Promise<void> | null = null;

  constructor(model: OnnxModel, cache: KeyValueCache, lengths: number[]) {
    this.#model = model;
    this.#cache = cache;
    this.#lengths = lengths;
    this.#binding = new Binding(model.session);
    this.#inputs = new PassInputs(model.session.runtime);
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

  fork(): Context {
    return new OnnxContext(this.#model, this.#cache.share(), [...this.#lengths]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.catch(() => {}); // its own caller hears of a failure
    this.#binding[Symbol.dispose]();
    this.#inputs[Symbol.dispose]();
    this.#cache.release();
  }

  async #evaluate(
    tokens: readonly (readonly TokenId[])[],
    parents: readonly (readonly number[])[],
    scored: readonly { readonly row: number; readonly index: number }[],
  ): Promise<Evaluation> {
    const { architecture, vocabularySize, pad } = this.#model;
    requireTokens(tokens, this.rows, vocabularySize);
    parents.forEach((tree, row) => requireTree(tree, tokens[row]!.length));
    this.#requireRoom(tokens);
    this.#newest = null;

    const width = pad(Math.max(1, ...tokens.map((list) => list.length)));
    const scores = pad(Math.max(1, scored.length));
    this.#cache = this.#cache.own(this.#lengths, this.#capacityFor(width));
    const { capacity } = this.#cache;
    const groups = architecture.heads / architecture.keyValueHeads;
    const pass = { rows: this.rows, width, scores, capacity, groups, vocabularySize };
    const rows = this.#lengths.map((length, row) => ({ length, parents: parents[row]! }));
    const last = this.#model.contextLength - 1;
    const logits = this.#inputs.write(this.#binding, pass, {
      tokens,
      positions: rows.map(({ length, parents }) => positionsOf(length, parents, width, last)),
      slots: this.#lengths,
      mask: (mask) => writeMask(mask, rows, width, groups, capacity),
      scored: scored.map(({ row, index }) => row * width + index),
    });
    this.#cache.layers.forEach(({ key, value }, layer) => {
      for (const [side, tensor] of [["key", key], ["value", value]] as const) {
        this.#binding.input(`cache.${layer}.${side}`, tensor);
        this.#binding.output(`new.${layer}.${side}`, tensor);
      }
    });
    this.#running = this.#binding.run();
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

/** The small inputs of a pass, and its logits. */
class PassInputs implements Disposable {
  readonly #tokens: Scratch<"int64">;
  readonly #positions: Scratch<"int64">;
  readonly #slots: Scratch<"int64">;
  readonly #mask: Scratch<"float32">;
  readonly #scored: Scratch<"int64">;
  readonly #logits: Scratch<"float32">;

  constructor(runtime: Runtime) {
    this.#tokens = new Scratch(runtime, "int64");
    this.#positions = new Scratch(runtime, "int64");
    this.#slots = new Scratch(runtime, "int64");
    this.#mask = new Scratch(runtime, "float32");
    this.#scored = new Scratch(runtime, "int64");
    this.#logits = new Scratch(runtime, "float32");
  }

  /** Writes and binds the inputs, binds the output, and gives the memory that logits will be in. */
  write(
    binding: Binding,
    pass: {
      readonly rows: number;
      readonly width: number;
      readonly scores: number;
      readonly capacity: number;
      readonly groups: number;
      readonly vocabularySize: number;
    },
    values: {
      readonly tokens: readonly (readonly number[])[];
      readonly positions: readonly (readonly number[])[];
      readonly slots: readonly number[];
      readonly mask: (mask: Float32Array) => void;
      readonly scored: readonly number[];
    },
  ): Float32Array {
    const { rows, width, scores, capacity, groups, vocabularySize } = pass;
    const tokens = this.#tokens.shape([rows, width]);
    const positions = this.#positions.shape([rows, width]);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) {
        tokens.data[row * width + i] = BigInt(values.tokens[row]![i] ?? 0);
        positions.data[row * width + i] = BigInt(values.positions[row]![i]!);
      }
    }
    const slots = this.#slots.shape([rows]);
    values.slots.forEach((slot, row) => slots.data[row] = BigInt(slot));
    const mask = this.#mask.shape([rows, 1, width * groups, capacity]);
    values.mask(mask.data);
    const scored = this.#scored.shape([scores]);
    for (let i = 0; i < scores; i++) scored.data[i] = BigInt(values.scored[i] ?? 0);
    const logits = this.#logits.shape([scores, vocabularySize]);
    binding.input("tokens", tokens);
    binding.input("positions", positions);
    binding.input("slots", slots);
    binding.input("mask", mask);
    binding.input("logit_rows", scored);
    binding.output("logits", logits);
    return logits.data;
  }

  [Symbol.dispose](): void {
    for (
      const scratch of [
        this.#tokens,
        this.#positions,
        this.#slots,
        this.#mask,
        this.#scored,
        this.#logits,
      ]
    ) scratch[Symbol.dispose]();
  }
}

function chainOf(list: readonly TokenId[]): number[] {
  return list.map((_, index) => index - 1);
}

/** Positions in the text: a tree's tokens at their depth, padding wherever there is a position. */
function positionsOf(
  length: number,
  parents: readonly number[],
  width: number,
  last: number,
): number[] {
  const positions: number[] = [];
  for (let i = 0; i < width; i++) {
    const parent = parents[i];
    positions.push(
      parent === undefined ? Math.min(length + i, last) : (positions[parent] ?? length - 1) + 1,
    );
  }
  return positions;
}
