/**
 * Built graphs, kept in the cache under the hash of what they were built from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Architecture } from "./architecture.ts";
import { withLock } from "./lock.ts";
import { type GraphOptions, type WeightSource, writeGraph } from "./graph.ts";
import { OnnxFile } from "./onnx_file.ts";

/** Raised by hand when `writeGraph` or `quantize` change what they write. */
const FORMAT = 1;

/** What to build, and where to keep it. */
export interface BuildOptions extends GraphOptions {
  /** The cache directory. */
  readonly cache: string;
  /** Stops waiting for another process that builds the same graph. */
  readonly signal?: AbortSignal | undefined;
}

/** A graph on disk. */
export interface BuiltGraph {
  /** The ONNX file. */
  readonly path: string;
  /** Hash of the weights and of all that shaped the graph. */
  readonly hash: string;
}

/**
 * Builds a graph unless the cache has it. Half a graph is never left: it is written aside and moved
 * into place whole, and one process builds while others wait.
 *
 * @param source The weights' SHA-256, the architecture, and the weights.
 * @param options Precisions and cache.
 * @returns Where the graph lies.
 */
export async function buildGraph(
  source: {
    readonly sha256: string;
    readonly architecture: Architecture;
    readonly weights: WeightSource;
  },
  options: BuildOptions,
): Promise<BuiltGraph> {
  const { cache, signal, precision, headPrecision } = options;
  const recipe = JSON.stringify([FORMAT, source.sha256, precision, headPrecision]);
  const hash = createHash("sha256").update(recipe).digest("hex");
  const graphs = join(cache, "graphs");
  const folder = join(graphs, hash.slice(0, 32));
  const built = { path: join(folder, "model.onnx"), hash };
  if (exists(built.path)) return built;
  Deno.mkdirSync(graphs, { recursive: true });
  await withLock(`${folder}.lock`, () => {
    if (exists(built.path)) return Promise.resolve();
    const aside = `${folder}.partial`; // only the lock's holder writes it
    if (exists(aside)) Deno.removeSync(aside, { recursive: true });
    Deno.mkdirSync(aside);
    try {
      using file = new OnnxFile(aside);
      writeGraph(file, source.architecture, source.weights, options);
    } catch (error) {
      Deno.removeSync(aside, { recursive: true });
      throw error;
    }
    Deno.renameSync(aside, folder);
    return Promise.resolve();
  }, { signal });
  return built;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
