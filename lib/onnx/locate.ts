/**
 * Where npm:onnxruntime-node keeps the library.
 *
 * @module
 */

import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { OnnxRuntimeError } from "./error.ts";

/** The release whose library this module drives; deno.json pins the package to it. */
export const VERSION = "1.30.0";

/** File names by operating system, as the package lays them out. */
const FILES: Readonly<Record<string, { folder: string; file: string }>> = {
  linux: { folder: "linux", file: "libonnxruntime.so.1" },
  darwin: { folder: "darwin", file: `libonnxruntime.${VERSION}.dylib` },
  windows: { folder: "win32", file: "onnxruntime.dll" },
};

/**
 * The library's path inside the package.
 *
 * @param os The operating system, as `Deno.build.os` names it.
 * @param arch The processor, as `Deno.build.arch` names it.
 * @returns A path relative to the package's root.
 * @throws {OnnxRuntimeError} If the package carries no library for that system.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(libraryPath("linux", "x86_64"), "bin/napi-v6/linux/x64/libonnxruntime.so.1");
 * ```
 */
export function libraryPath(os: string, arch: string): string {
  const layout = FILES[os];
  if (!layout) {
    throw new OnnxRuntimeError(
      `Cannot load ONNX Runtime as npm:onnxruntime-node carries no library for ${os}: use Linux, macOS or Windows`,
    );
  }
  const folder = arch === "aarch64" ? "arm64" : "x64";
  return `bin/napi-v6/${layout.folder}/${folder}/${layout.file}`;
}

/**
 * Finds the library that npm:onnxruntime-node installed for this machine.
 *
 * @returns An absolute path.
 * @throws {OnnxRuntimeError} If the package is not installed or carries nothing for this system.
 */
export function locateLibrary(): string {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve("onnxruntime-node");
  } catch (cause) {
    throw new OnnxRuntimeError(
      "Cannot load ONNX Runtime as npm:onnxruntime-node is not installed: run `deno install`",
      { cause },
    );
  }
  const root = new URL("../", pathToFileURL(entry)); // the entry is dist/index.js
  const file = fileURLToPath(new URL(libraryPath(Deno.build.os, Deno.build.arch), root));
  try {
    Deno.statSync(file);
  } catch (cause) {
    throw new OnnxRuntimeError(
      `Cannot load ONNX Runtime as ${file} cannot be read: allow reading node_modules, and check that the package supports ${Deno.build.os} ${Deno.build.arch}`,
      { cause },
    );
  }
  return file;
}
