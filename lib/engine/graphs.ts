/**
 * A model's graphs, loaded.
 *
 * @module
 */

import type { BuiltGraphs } from "../models/build.ts";
import type { AttentionForm } from "../models/graph.ts";
import { canMapFiles, type Runtime, Session } from "../onnx/mod.ts";
import { type HeldWeights, holdWeights } from "./held_weights.ts";

/** A model's graphs, each loaded when it is first asked for, over weights that are held once. */
export class Graphs implements Disposable {
  /** Where they run. */
  readonly runtime: Runtime;
  readonly #built: Omit<BuiltGraphs, "hash">;
  readonly #onLoad: (form: AttentionForm) => void;
  readonly #sessions = new Map<AttentionForm, Session>();
  #softmax: Session | undefined;
  #held: HeldWeights | undefined;

  /**
   * Prepares; nothing is loaded yet.
   *
   * @param runtime Where to load them.
   * @param built Where they lie.
   * @param onLoad Hears which one is about to be loaded.
   */
  constructor(
    runtime: Runtime,
    built: Omit<BuiltGraphs, "hash">,
    onLoad: (form: AttentionForm) => void = () => {},
  ) {
    this.runtime = runtime;
    this.#built = built;
    this.#onLoad = onLoad;
  }

  /** Bytes of the weights, which all graphs share; of a draft that borrows, those that are its own. */
  get weightBytes(): number {
    const { ownBytes, places } = this.#built;
    return ownBytes ?? places.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The graph of a form. */
  session(form: AttentionForm): Session {
    const known = this.#sessions.get(form);
    if (known) return known;
    this.#onLoad(form);
    const { graphs, weights, places } = this.#built;
    // Where files cannot be mapped, the library reads the weights for each graph.
    if (canMapFiles) this.#held ??= holdWeights(this.runtime, weights, places);
    const options = this.#held ? { weights: this.#held.weights } : {};
    const session = new Session(this.runtime, graphs[form], options);
    this.#sessions.set(form, session);
    return session;
  }

  /** The graph that turns logits into probabilities. */
  softmax(): Session {
    return this.#softmax ??= new Session(this.runtime, this.#built.softmax);
  }

  /** Closes the graph of a form; it is loaded anew if asked for again. */
  close(form: AttentionForm): void {
    this.#sessions.get(form)?.[Symbol.dispose]();
    this.#sessions.delete(form);
  }

  /** Closes all. Bindings must be gone before. */
  [Symbol.dispose](): void {
    for (const form of [...this.#sessions.keys()]) this.close(form);
    this.#softmax?.[Symbol.dispose]();
    this.#held?.[Symbol.dispose]();
    this.#softmax = this.#held = undefined;
  }
}
