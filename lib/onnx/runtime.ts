/**
 * The library's environment: one a process, with one thread pool for all sessions.
 *
 * @module
 */

import { requireInteger } from "../validate.ts";
import { type Api, cString, type Handle, loadApi } from "./api.ts";
import { OnnxRuntimeError } from "./error.ts";

/** Settings of the environment. */
export interface RuntimeOptions {
  /** Threads that one run uses, the caller's included. */
  readonly threads: number;
  /** Whether idle pool threads spin for work instead of sleeping. Default true. */
  readonly spinning?: boolean;
}

const LOG_ERRORS = 3;
let open: Runtime | null = null;

/**
 * ONNX Runtime, loaded and ready. The library keeps one environment a process, so a second one
 * with other settings would silently get the first one's: here it is an error.
 */
export class Runtime implements Disposable {
  /** The library's functions. */
  readonly api: Api;
  /** Threads that one run uses. */
  readonly threads: number;
  /** The environment. */
  readonly handle: Handle;
  /** The allocator of ordinary memory. */
  readonly allocator: Handle;
  /** The description of ordinary memory. */
  readonly memory: Handle;

  /**
   * Loads the library and starts its thread pool.
   *
   * @param options Threads and spinning.
   * @throws {OnnxRuntimeError} If a runtime is open already or the library cannot be loaded.
   */
  constructor(options: RuntimeOptions) {
    const { threads, spinning = true } = options;
    requireInteger("open ONNX Runtime", "threads", threads, 1);
    if (open) {
      throw new OnnxRuntimeError(
        `Cannot open ONNX Runtime as it is open with ${open.threads} threads: share that runtime or dispose it first`,
      );
    }
    const api = this.api = loadApi();
    this.threads = threads;
    const threading = api.create((out) => api.CreateThreadingOptions(out));
    try {
      api.SetGlobalIntraOpNumThreads(threading, threads);
      api.SetGlobalInterOpNumThreads(threading, 1); // nodes run one after the other
      api.SetGlobalSpinControl(threading, spinning ? 1 : 0);
      this.handle = api.create((out) =>
        api.CreateEnvWithGlobalThreadPools(LOG_ERRORS, cString("specbound"), threading, out)
      );
    } finally {
      api.release("ReleaseThreadingOptions", threading);
    }
    this.allocator = api.create((out) => api.GetAllocatorWithDefaultOptions(out));
    this.memory = api.create((out) => api.CreateCpuMemoryInfo(1, 0, out));
    open = this;
  }

  /** Ends the environment. Sessions must be gone before. */
  [Symbol.dispose](): void {
    if (open !== this) return;
    this.api.release("ReleaseMemoryInfo", this.memory);
    this.api.release("ReleaseEnv", this.handle);
    open = null;
  }
}
