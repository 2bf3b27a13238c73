/**
 * ONNX Runtime for Deno, through the library that npm:onnxruntime-node ships: outputs are written
 * where the caller binds them, caches are updated in place, runs leave the event loop alive.
 *
 * @module
 */

export * from "./api.ts";
export * from "./binding.ts";
export * from "./error.ts";
export * from "./locate.ts";
export * from "./mapped_file.ts";
export * from "./runtime.ts";
export * from "./session.ts";
export * from "./shared_weights.ts";
export * from "./tensor.ts";
