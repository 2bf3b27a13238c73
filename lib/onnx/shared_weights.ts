/**
 * Weights that several graphs read, held once.
 *
 * The library repacks a matrix for its kernels when it loads a graph. What it repacks is kept with
 * the session, unless the matrix was given to the session from outside and the session was created
 * with a container for what is repacked: then an equal matrix that the container has is used.
 *
 * @module
 */

import { cString, type Handle } from "./api.ts";
import { MappedFile } from "./mapped_file.ts";
import type { Runtime } from "./runtime.ts";
import { type ElementType, Tensor } from "./tensor.ts";

/** A tensor in a file of weights. */
export interface SharedTensor {
  /** Its name in the graphs. */
  readonly name: string;
  /** The type of its elements. */
  readonly type: ElementType;
  /** Its shape, outermost first. */
  readonly dims: readonly number[];
  /** Where it starts, in bytes from the file's start. */
  readonly offset: number;
}

/** A mapped file of weights, and what the library made of them. Dispose it after its sessions. */
export class SharedWeights implements Disposable {
  readonly #runtime: Runtime;
  readonly #file: MappedFile;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #container: Handle;

  /**
   * Maps the weights; nothing is read yet.
   *
   * @param runtime The runtime of the sessions.
   * @param path The file of weights.
   * @param tensors The tensors in it.
   * @throws {OnnxRuntimeError} If the file cannot be mapped; see {@linkcode canMapFiles}.
   */
  constructor(runtime: Runtime, path: string, tensors: readonly SharedTensor[]) {
    const { api } = runtime;
    this.#runtime = runtime;
    this.#file = new MappedFile(path);
    this.#tensors = new Map(
      tensors.map(({ name, type, dims, offset }) => [
        name,
        Tensor.over(runtime, type, dims, this.#file.at(offset)),
      ]),
    );
    this.#container = api.create((out) => api.CreatePrepackedWeightsContainer(out));
  }

  /**
   * Creates a session over the weights.
   *
   * @param path The graph, as the library takes paths.
   * @param settings The session's options.
   * @param out Receives the session.
   */
  createSession(path: BufferSource, settings: Handle, out: BufferSource): void {
    const { api, handle } = this.#runtime;
    for (const [name, tensor] of this.#tensors) {
      api.AddInitializer(settings, cString(name), tensor.handle);
    }
    api.CreateSessionWithPrepackedWeightsContainer(handle, path, settings, this.#container, out);
    this.#file.rest(); // kernels read what was made of the weights
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    this.#runtime.api.release("ReleasePrepackedWeightsContainer", this.#container);
    for (const tensor of this.#tensors.values()) tensor[Symbol.dispose]();
    this.#file[Symbol.dispose]();
  }
}
