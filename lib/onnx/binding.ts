/**
 * The tensors that a session reads and writes, bound once and run many times without a copy.
 *
 * @module
 */

import { cString, type Handle } from "./api.ts";
import { OnnxRuntimeError } from "./error.ts";
import type { Session } from "./session.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Inputs and outputs of a session. The same tensor may be bound as both: the graph then updates it
 * in place. Bound tensors are kept alive by the binding.
 */
export class Binding implements Disposable {
  readonly #session: Session;
  readonly #handle: Handle;
  readonly #bound = new Map<string, Tensor>();
  readonly #names = new Map<string, Uint8Array<ArrayBuffer>>();
  #running = false;
  #disposed = false;

  /**
   * Opens a binding with nothing bound.
   *
   * @param session The session to run.
   */
  constructor(session: Session) {
    const { api } = session.runtime;
    this.#session = session;
    this.#handle = api.create((out) => api.CreateIoBinding(session.handle, out));
    for (const name of [...session.inputs, ...session.outputs]) {
      this.#names.set(name, cString(name));
    }
  }

  /** Binds an input. Without cost if the tensor is bound to it already. */
  input(name: string, tensor: Tensor): void {
    this.#bind("BindInput", name, tensor);
  }

  /** Binds an output, which must have the shape that the graph will compute. */
  output(name: string, tensor: Tensor): void {
    this.#bind("BindOutput", name, tensor);
  }

  /**
   * Runs the graph on another thread.
   *
   * @returns When the outputs are written.
   * @throws {OnnxRuntimeError} If the library refuses, or the binding is running already.
   */
  async run(): Promise<void> {
    this.#requireIdle("run");
    this.#running = true;
    try {
      await this.#session.runtime.api.run(this.#session.handle, this.#handle);
    } finally {
      this.#running = false;
    }
  }

  /**
   * Runs the graph on this thread: for graphs that take microseconds.
   *
   * @throws {OnnxRuntimeError} If the library refuses, or the binding is running already.
   */
  runSync(): void {
    this.#requireIdle("run");
    this.#session.runtime.api.runSync(this.#session.handle, this.#handle);
  }

  /** Frees the binding, not the tensors. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#requireIdle("dispose");
    this.#session.runtime.api.release("ReleaseIoBinding", this.#handle);
    this.#disposed = true;
    this.#bound.clear();
  }

  #bind(call: "BindInput" | "BindOutput", name: string, tensor: Tensor): void {
    const key = `${call} ${name}`;
    if (this.#bound.get(key) === tensor) return;
    this.#requireIdle("bind");
    const encoded = this.#names.get(name);
    if (!encoded) {
      throw new OnnxRuntimeError(`Cannot bind ${name} as the graph has no such input or output`);
    }
    this.#session.runtime.api[call](this.#handle, encoded, tensor.handle);
    this.#bound.set(key, tensor);
  }

  #requireIdle(action: string): void {
    if (this.#disposed) {
      throw new OnnxRuntimeError(`Cannot ${action} a binding as it has been disposed`);
    }
    if (this.#running) {
      throw new OnnxRuntimeError(
        `Cannot ${action} a binding as a run is under way: await it first`,
      );
    }
  }
}
