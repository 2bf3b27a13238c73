/**
 * The one error of this module.
 *
 * @module
 */

/** Raised when ONNX Runtime cannot be loaded or refuses a call; the message holds its own words. */
export class OnnxRuntimeError extends Error {
  override readonly name = "OnnxRuntimeError";
}
