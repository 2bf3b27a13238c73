/**
 * ONNX Runtime's C functions, as exceptions-and-types instead of statuses-and-pointers.
 *
 * `OrtApi` is a struct of function pointers that only ever grows at its end, so a slot keeps its
 * meaning in every later release (onnxruntime_c_api.h).
 *
 * @module
 */

import { OnnxRuntimeError } from "./error.ts";
import { locateLibrary, VERSION } from "./locate.ts";

/** The `OrtApi` version that has all functions below, and opset 24. */
const API_VERSION = 24;

const P = "pointer";
const B = "buffer";

/** Slot in `OrtApi` and parameter types of each function; each returns a status unless said. */
export const FUNCTIONS = {
  CreateSession: { slot: 7, parameters: [P, B, P, B] },
  CreateSessionOptions: { slot: 10, parameters: [B] },
  EnableProfiling: { slot: 14, parameters: [P, B] },
  DisableMemPattern: { slot: 17, parameters: [P] },
  SetSessionGraphOptimizationLevel: { slot: 23, parameters: [P, "i32"] },
  SessionGetInputCount: { slot: 30, parameters: [P, B] },
  SessionGetOutputCount: { slot: 31, parameters: [P, B] },
  SessionGetInputName: { slot: 36, parameters: [P, "usize", P, B] },
  SessionGetOutputName: { slot: 37, parameters: [P, "usize", P, B] },
  CreateTensorAsOrtValue: { slot: 48, parameters: [P, B, "usize", "i32", B] },
  CreateTensorWithDataAsOrtValue: {
    slot: 49,
    parameters: [P, P, "usize", B, "usize", "i32", B],
  },
  GetTensorMutableData: { slot: 51, parameters: [P, B] },
  CreateCpuMemoryInfo: { slot: 69, parameters: ["i32", "i32", B] },
  AllocatorFree: { slot: 76, parameters: [P, P] },
  GetAllocatorWithDefaultOptions: { slot: 78, parameters: [B] },
  CreateEnvWithGlobalThreadPools: { slot: 119, parameters: ["i32", B, P, B] },
  DisablePerSessionThreads: { slot: 120, parameters: [P] },
  CreateThreadingOptions: { slot: 121, parameters: [B] },
  AddSessionConfigEntry: { slot: 130, parameters: [P, B, B] },
  CreateIoBinding: { slot: 134, parameters: [P, B] },
  BindInput: { slot: 136, parameters: [P, B, P] },
  BindOutput: { slot: 137, parameters: [P, B, P] },
  SetGlobalIntraOpNumThreads: { slot: 147, parameters: [P, "i32"] },
  SetGlobalInterOpNumThreads: { slot: 148, parameters: [P, "i32"] },
  SetGlobalSpinControl: { slot: 149, parameters: [P, "i32"] },
  AddInitializer: { slot: 150, parameters: [P, B, P] },
  CreatePrepackedWeightsContainer: { slot: 166, parameters: [B] },
  CreateSessionWithPrepackedWeightsContainer: { slot: 168, parameters: [P, B, P, P, B] },
  SessionOptionsAppendExecutionProvider: { slot: 216, parameters: [P, B, B, B, "usize"] },
} as const satisfies Record<string, { slot: number; parameters: Deno.NativeType[] }>;

/** Functions that give a handle back; they cannot fail. */
export const RELEASES = {
  ReleaseEnv: 92,
  ReleaseMemoryInfo: 94,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseSessionOptions: 100,
  ReleaseThreadingOptions: 122,
  ReleaseIoBinding: 135,
  ReleasePrepackedWeightsContainer: 167,
} as const;

/** What a function takes: pointers, memory, sizes as bigints, numbers. */
export type Arguments<T extends readonly Deno.NativeType[]> = {
  [K in keyof T]: T[K] extends "pointer" ? Deno.PointerValue
    : T[K] extends "buffer" ? BufferSource | null
    : T[K] extends "usize" ? bigint
    : number;
};

/** The functions, their statuses checked. */
export type Calls = {
  readonly [K in keyof typeof FUNCTIONS]: (
    ...args: Arguments<(typeof FUNCTIONS)[K]["parameters"]>
  ) => void;
};

/** A handle of the library: an environment, a session, a value. */
export type Handle = Deno.PointerObject;

/** The library's functions. A status that is not OK is thrown as an {@linkcode OnnxRuntimeError}. */
export interface Api extends Calls {
  /** Calls a function whose last parameter receives a handle, and returns the handle. */
  create(call: (out: BufferSource) => void): Handle;
  /** Gives a handle back. */
  release(kind: keyof typeof RELEASES, handle: Handle): void;
  /** Runs a bound session on another thread; the event loop stays alive. */
  run(session: Handle, binding: Handle): Promise<void>;
  /** Runs a bound session on this thread. */
  runSync(session: Handle, binding: Handle): void;
}

/**
 * Loads the library and reads its function table.
 *
 * @param path The library. Default: the one npm:onnxruntime-node ships.
 * @param version The release that it must be.
 * @returns Its functions.
 * @throws {OnnxRuntimeError} If FFI is not permitted, the file is no ONNX Runtime, or it is another
 *   release.
 */
export function loadApi(path: string = locateLibrary(), version: string = VERSION): Api {
  const { getApi, release } = openBase(path);
  if (release !== version) {
    throw new OnnxRuntimeError(
      `Cannot load ${path} as it is ONNX Runtime ${release}: ${version} is needed`,
    );
  }
  const table = new Deno.UnsafePointerView(getApi(API_VERSION)!);
  const slot = (index: number): Deno.PointerValue => table.getPointer(index * 8);

  const message = call(slot(2), { parameters: [P], result: P });
  const releaseStatus = call(slot(93), { parameters: [P], result: "void" });
  const check = (action: string, status: Deno.PointerValue): void => {
    if (status === null) return;
    const text = Deno.UnsafePointerView.getCString(message(status)!);
    releaseStatus(status);
    throw new OnnxRuntimeError(`Cannot ${action} as ONNX Runtime says: ${text}`);
  };

  const calls = Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, { slot: index, parameters }]) => {
      // One table types all calls: `Calls` states their arguments exactly.
      const native = call(slot(index), { parameters, result: P }) as (
        ...args: unknown[]
      ) => Deno.PointerValue;
      return [name, (...args: unknown[]) => check(`call ${name}`, native(...args))];
    }),
  ) as unknown as Calls;
  const releases = Object.fromEntries(
    Object.entries(RELEASES).map(([name, index]) => [
      name,
      call(slot(index), { parameters: [P], result: "void" }),
    ]),
  ) as Record<keyof typeof RELEASES, (handle: Handle) => void>;
  const run = { parameters: [P, P, P], result: P } as const;
  const runHere = call(slot(133), run);
  const runOnThread = call(slot(133), { ...run, nonblocking: true });

  return {
    ...calls,
    create(fill) {
      const out = new BigUint64Array(1);
      fill(out);
      return Deno.UnsafePointer.create(out[0]!)!;
    },
    release: (kind, handle) => releases[kind](handle),
    run: async (session, binding) => check("run", await runOnThread(session, null, binding)),
    runSync: (session, binding) => check("run", runHere(session, null, binding)),
  };
}

/** A zero-terminated UTF-8 string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** A zero-terminated path in the encoding that the library expects: UTF-16 on Windows. */
export function cPath(path: string): Uint8Array<ArrayBuffer> {
  if (Deno.build.os !== "windows") return cString(path);
  const units = Uint16Array.from(`${path}\0`, (unit) => unit.charCodeAt(0));
  return new Uint8Array(units.buffer);
}

/** What `OrtApiBase` holds: where the function table is, and which release this is. */
function openBase(path: string): {
  getApi: (version: number) => Deno.PointerValue;
  release: string;
} {
  try {
    const library = Deno.dlopen(path, { OrtGetApiBase: { parameters: [], result: P } });
    const base = new Deno.UnsafePointerView(library.symbols.OrtGetApiBase()!);
    const getVersionString = call(base.getPointer(8), { parameters: [], result: P });
    return {
      getApi: call(base.getPointer(0), { parameters: ["u32"], result: P }),
      release: Deno.UnsafePointerView.getCString(getVersionString()!),
    };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new OnnxRuntimeError(
        "Cannot load ONNX Runtime as calling native code is not permitted: add --allow-ffi, without a path",
        { cause },
      );
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OnnxRuntimeError(`Cannot load ${path} as an ONNX Runtime library: ${reason}`, {
      cause,
    });
  }
}

function call<const T extends Deno.ForeignFunction>(
  pointer: Deno.PointerValue,
  definition: T,
): Deno.UnsafeFnPointer<T>["call"] {
  const native = new Deno.UnsafeFnPointer(pointer as never, definition);
  return native.call.bind(native) as Deno.UnsafeFnPointer<T>["call"];
}
