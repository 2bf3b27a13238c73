/**
 * The one error of this module.
 *
 * @module
 */

/** Raised when ONNX Runtime cannot be loaded or refuses a call; the message holds its own words. */
export class OnnxRuntimeError extends Error {
  /** The error's name, "OnnxRuntimeError". */
  override readonly name = "OnnxRuntimeError";
}
