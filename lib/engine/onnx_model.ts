/**
 * A network that runs on ONNX Runtime.
 *
 * @module
 */

import type { Architecture } from "../models/architecture.ts";
import type { AttentionForm } from "../models/graph.ts";
import type { TrimmedVocabulary } from "../models/trimmed_vocabulary.ts";
import type { Runtime, Session } from "../onnx/mod.ts";
import { requireInteger } from "../validate.ts";
import { type FormRule, formsOf, SCATTERED } from "./form_rule.ts";
import type { Graphs } from "./graphs.ts";
import { ContextError, type LanguageModel } from "./language_model.ts";
import { CachedContext, type OnnxContext } from "./onnx_context.ts";

export { slotsFor } from "./capacity.ts";
export type { OnnxContext } from "./onnx_context.ts";

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
   * Which form of attention passes over a single row of text without branches take. Batches and trees
   * always take the scattered form, whose graph is loaded when the first comes. Default: scattered.
   */
  readonly attention?: FormRule;
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
  /** Which form of attention passes over a single row of text without branches take. */
  readonly attention: FormRule;
  /** The tokens that are scored, if not all are. */
  readonly vocabulary: TrimmedVocabulary | undefined;
  /** Whether its contexts keep the tokens' hidden states. */
  readonly givesHidden: boolean;
  /** Whether it reads hidden states of another, and so has no contexts but those that follow. */
  readonly readsHidden: boolean;
  readonly #graphs: Graphs;

  /**
   * Loads the graphs that single rows run through.
   *
   * @param graphs The graphs; the model disposes of them.
   * @param architecture The network's sizes.
   * @param options Name, padding, forms, vocabulary.
   */
  constructor(graphs: Graphs, architecture: Architecture, options: OnnxModelOptions) {
    this.#graphs = graphs;
    this.architecture = architecture;
    this.name = options.name;
    this.pad = options.pad ?? ((width) => width);
    this.attention = options.attention ?? SCATTERED;
    this.vocabulary = options.vocabulary;
    this.vocabularySize = architecture.vocabularySize;
    this.contextLength = architecture.contextLength;
    const sessions = formsOf(this.attention).map((form) => this.session(form));
    const { inputs, outputs } = sessions[0]!;
    this.givesHidden = outputs.includes("hidden");
    this.readsHidden = inputs.includes("features");
  }

  get weightBytes(): number {
    return this.#graphs.weightBytes;
  }

  /** Where the graphs run. */
  get runtime(): Runtime {
    return this.#graphs.runtime;
  }

  /** The graph of a form, loaded. */
  session(form: AttentionForm): Session {
    return this.#graphs.session(form);
  }

  /** The graph that turns logits into probabilities, loaded. */
  softmax(): Session {
    return this.#graphs.softmax();
  }

  /**
   * Opens an empty context of `rows` sequences. Throws a {@linkcode ContextError} if the network
   * reads hidden states: it can only {@linkcode OnnxModel.follow}.
   */
  open(rows = 1): OnnxContext {
    requireInteger("open a context", "rows", rows, 1);
    if (!this.readsHidden) return CachedContext.open(this, rows);
    throw new ContextError(
      `Cannot open a context of ${this.name} as it reads a target's hidden states: let it follow a context of the target`,
    );
  }

  /**
   * Opens a context that drafts behind another, for models that cannot do without.
   *
   * A model made of the other's first layers, whose keys and values are those of the other
   * (LayerSkip, Elhoushi et al. 2024, §4.3), shares its cache: it has read the other's text too, and
   * takes no memory and no prefill. What it commits itself lies past the other's text, and is
   * forgotten when the other evaluates or its text changes; what either of them does ends the newest
   * evaluation of the other.
   *
   * A model that reads hidden states (EAGLE, Li et al. 2024, §4.1) has a cache of its own, and reads
   * the text itself, up to one token past the other's. What it commits beyond is read with states
   * that it foretold, one token a pass, and forgotten when the other's text changes. Who cuts the
   * other's text truncates the new context too.
   *
   * @param context A context of the whole model, in any precision; close it after the new one.
   * @returns The context.
   * @throws {ContextError} If that model does not begin with this one's layers, or was loaded without
   *   the hidden states that this one reads.
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
