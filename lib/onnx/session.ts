/**
 * A graph, ready to run.
 *
 * @module
 */

import { type Api, cPath, cString, type Handle } from "./api.ts";
import { OnnxRuntimeError } from "./error.ts";
import type { Runtime } from "./runtime.ts";
import type { SharedWeights } from "./shared_weights.ts";

/** Settings of a session. */
export interface SessionOptions {
  /** How far the library rewrites the graph. Default "all". */
  readonly optimization?: "none" | "basic" | "extended" | "all";
  /** Configuration entries, by the library's names: "session.disable_prepacking". */
  readonly config?: Readonly<Record<string, string>>;
  /** An execution provider to prefer over the CPU, by the library's name, and its options. */
  readonly provider?: {
    readonly name: string;
    readonly options?: Readonly<Record<string, string>>;
  };
  /** Where to write the time of each node, as a file name's beginning. */
  readonly profile?: string;
  /** Weights that the graph shares with others. Dispose them after the session. */
  readonly weights?: SharedWeights;
}

const LEVELS = { none: 0, basic: 1, extended: 2, all: 99 } as const;

/** A graph loaded by a runtime. It shares the runtime's threads with all other sessions. */
export class Session implements Disposable {
  /** The runtime that loaded it. */
  readonly runtime: Runtime;
  /** Names of the graph's inputs. */
  readonly inputs: readonly string[];
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
  #handle: Handle | null;

  /**
   * Loads a graph from a file. Weights beside it are mapped, not read.
   *
   * @param runtime The runtime.
   * @param path An ONNX file.
   * @param options Optimisation, configuration, provider, shared weights.
   * @throws {OnnxRuntimeError} If the file cannot be read or the graph is refused.
   */
  constructor(runtime: Runtime, path: string, options: SessionOptions = {}) {
    const { api } = runtime;
    this.runtime = runtime;
    const settings = api.create((out) => api.CreateSessionOptions(out));
    try {
      api.DisablePerSessionThreads(settings);
      // Patterns are kept for every set of shapes ever seen; widths and capacities vary.
      api.DisableMemPattern(settings);
      api.SetSessionGraphOptimizationLevel(settings, LEVELS[options.optimization ?? "all"]);
      for (const [name, value] of Object.entries(options.config ?? {})) {
        api.AddSessionConfigEntry(settings, cString(name), cString(value));
      }
      if (options.provider) appendProvider(api, settings, options.provider);
      if (options.profile) api.EnableProfiling(settings, cPath(options.profile));
      const { weights } = options;
      this.#handle = api.create((out) =>
        weights
          ? weights.createSession(cPath(path), settings, out)
          : api.CreateSession(runtime.handle, cPath(path), settings, out)
      );
    } finally {
      api.release("ReleaseSessionOptions", settings);
    }
    this.inputs = names(runtime, this.#handle, "Input");
    this.outputs = names(runtime, this.#handle, "Output");
  }

  /** The library's handle. */
  get handle(): Handle {
    if (this.#handle) return this.#handle;
    throw new OnnxRuntimeError("Cannot use a session as it has been disposed");
  }

  /** Frees the graph and its weights. Bindings must be gone before. */
  [Symbol.dispose](): void {
    if (this.#handle) this.runtime.api.release("ReleaseSession", this.#handle);
    this.#handle = null;
  }
}

function appendProvider(
  api: Api,
  settings: Handle,
  provider: NonNullable<SessionOptions["provider"]>,
): void {
  const entries = Object.entries(provider.options ?? {});
  const strings = entries.map(([name, value]) => [cString(name), cString(value)] as const);
  const addresses = (index: 0 | 1): BigUint64Array<ArrayBuffer> =>
    BigUint64Array.from(
      strings,
      (pair) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(pair[index])),
    );
  api.SessionOptionsAppendExecutionProvider(
    settings,
    cString(provider.name),
    addresses(0),
    addresses(1),
    BigInt(entries.length),
  );
}

function names(runtime: Runtime, session: Handle, side: "Input" | "Output"): string[] {
  const { api, allocator } = runtime;
  const total = new BigUint64Array(1);
  api[`SessionGet${side}Count`](session, total);
  return Array.from({ length: Number(total[0]) }, (_, index) => {
    const pointer = api.create((out) =>
      api[`SessionGet${side}Name`](session, BigInt(index), allocator, out)
    );
    const name = Deno.UnsafePointerView.getCString(pointer);
    api.AllocatorFree(allocator, pointer);
    return name;
  });
}
