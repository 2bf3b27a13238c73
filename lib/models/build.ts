/**
 * Built graphs, kept in the cache under the hash of what they were built from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Architecture, expectedShapes } from "./architecture.ts";
import { withLock } from "./lock.ts";
import { type GraphOptions, type Precision, type WeightSource, writeGraph } from "./graph.ts";
import { OnnxFile } from "./onnx_file.ts";
import { REPEATED_BYTES } from "./rotary.ts";
import { storing } from "./storage.ts";

/** Raised by hand when `writeGraph` or `quantize` change what they write. */
const FORMAT = 2;

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
 * @throws {StorageError} If the disk is full or the cache cannot be written.
 */
export async function buildGraph(
  source: {
    readonly sha256: string;
    readonly architecture: Architecture;
    readonly weights: WeightSource;
  },
  options: BuildOptions,
): Promise<BuiltGraph> {
  const { cache, signal, precision, headPrecision, form } = options;
  const recipe = JSON.stringify([FORMAT, source.sha256, precision, headPrecision, form]);
  const hash = createHash("sha256").update(recipe).digest("hex");
  const graphs = join(cache, "graphs");
  const folder = join(graphs, hash.slice(0, 32));
  const built = { path: join(folder, "model.onnx"), hash };
  if (exists(built.path)) return built;
  const missing = (): number => graphBytes(source.architecture, options);
  await storing(
    { action: `build the ${precision} graph`, directory: graphs, missing },
    async () => {
      Deno.mkdirSync(graphs, { recursive: true });
      await withLock(`${folder}.lock`, () => {
        if (!exists(built.path)) buildInto(folder, source, options);
        return Promise.resolve();
      }, { signal });
    },
  );
  return built;
}

/** Builds while no other process does. */
function buildInto(
  folder: string,
  source: { readonly architecture: Architecture; readonly weights: WeightSource },
  options: GraphOptions,
): void {
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
}

/** Bytes of a weight: int8 and int4 have a float scale for each block of 32. */
const WEIGHT_BYTES: Readonly<Record<Precision, number>> = {
  fp32: 4,
  int8: 1 + 4 / 32,
  int4: 1 / 2 + 4 / 32,
};

/** About what a graph takes: its weights, an embedding of at least int8, a head, rotary tables. */
function graphBytes(
  architecture: Architecture,
  { precision, headPrecision }: GraphOptions,
): number {
  const { contextLength, heads, headSize, vocabularySize, hidden } = architecture;
  let weights = 0;
  for (const [name, shape] of expectedShapes(architecture)) {
    if (name.startsWith("blk.")) weights += shape.reduce((product, size) => product * size, 1);
  }
  const table = vocabularySize * hidden;
  const rotary = Math.min(contextLength * (heads + 2) * headSize * 4, REPEATED_BYTES);
  return weights * WEIGHT_BYTES[precision] + rotary +
    table * (WEIGHT_BYTES[precision === "fp32" ? "fp32" : "int8"] + WEIGHT_BYTES[headPrecision]);
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
