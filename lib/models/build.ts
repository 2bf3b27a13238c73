/**
 * Built graphs, kept in the cache under the hash of what they were built from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { type Architecture, expectedShapes } from "./architecture.ts";
import { withLock } from "./lock.ts";
import {
  type AttentionForm,
  FORMS,
  type GraphOptions,
  type Precision,
  SOFTMAX,
  type WeightSource,
  writeForms,
  writeGraphs,
} from "./graph.ts";
import { storing } from "./storage.ts";
import { WeightFile, type WeightPlace, WEIGHTS } from "./weight_file.ts";

/** Raised by hand when `writeGraphs` or `quantize` change what they write. */
const FORMAT = 4;
/** Lists the tensors in the file of weights. */
const INDEX = "weights.json";

/** What to build, and where to keep it. */
export interface BuildOptions extends GraphOptions {
  /** The cache directory. */
  readonly cache: string;
  /**
   * How many layers to keep, from the first. The graphs of a cut network lie beside the whole one's
   * and share its weights, unless the vocabulary is trimmed too. Default: all.
   */
  readonly layers?: number | undefined;
  /** Stops waiting for another process that builds the same graph. */
  readonly signal?: AbortSignal | undefined;
}

/** A model's graphs on disk, and the weights that they share. */
export interface BuiltGraphs {
  /** The ONNX file of each form of attention. */
  readonly graphs: Readonly<Record<AttentionForm, string>>;
  /** The ONNX file that turns logits into probabilities. */
  readonly softmax: string;
  /** The file of weights. */
  readonly weights: string;
  /** The tensors in it. */
  readonly places: readonly WeightPlace[];
  /** Hash of the weights and of all that shaped the graphs. */
  readonly hash: string;
}

/** What graphs are built from. */
export interface BuildSource {
  /** What tells the weights from all others: their file's SHA-256. */
  readonly sha256: string;
  /** The network's shape. */
  readonly architecture: Architecture;
  /** The weights. */
  readonly weights: WeightSource;
}

/**
 * Builds a model's graphs unless the cache has them. Half a graph is never left: all is written
 * aside and moved into place whole, and one process builds while others wait.
 *
 * @param source What to build from.
 * @param options Precisions and cache.
 * @returns Where the graphs lie.
 * @throws {StorageError} If the disk is full or the cache cannot be written.
 */
export async function buildGraphs(
  source: BuildSource,
  options: BuildOptions,
): Promise<BuiltGraphs> {
  const { layers = source.architecture.layers } = options;
  const cut = { ...source, architecture: { ...source.architecture, layers } };
  if (options.vocabulary || layers === source.architecture.layers) {
    return await buildFolder(cut, options);
  }
  return await addGraphs(await buildFolder(source, options), cut, options);
}

async function buildFolder(source: BuildSource, options: BuildOptions): Promise<BuiltGraphs> {
  const { cache, signal, precision, headPrecision, vocabulary } = options;
  const { contextLength, layers } = source.architecture;
  const trimmed = vocabulary ? [layers, vocabulary] : [];
  const facts = [FORMAT, source.sha256, precision, headPrecision, contextLength, ...trimmed];
  const hash = hashOf(facts);
  const directory = join(cache, "graphs");
  const folder = join(directory, hash.slice(0, 32));
  const missing = (): number => graphBytes(source.architecture, options);
  if (!exists(folder)) {
    await storing({ action: `build the ${precision} graph`, directory, missing }, async () => {
      Deno.mkdirSync(directory, { recursive: true });
      await withLock(`${folder}.lock`, () => {
        if (!exists(folder)) buildInto(folder, source, options);
        return Promise.resolve();
      }, { signal });
    });
  }
  return {
    graphs: pathsOf((form) => join(folder, `${form}.onnx`)),
    softmax: join(folder, `${SOFTMAX}.onnx`),
    weights: join(folder, WEIGHTS),
    places: JSON.parse(Deno.readTextFileSync(join(folder, INDEX))),
    hash,
  };
}

/** Adds the graphs of the first layers of a network to the whole one's. */
async function addGraphs(
  whole: BuiltGraphs,
  { architecture, weights }: BuildSource,
  options: BuildOptions,
): Promise<BuiltGraphs> {
  const folder = dirname(whole.weights);
  const nameOf = (form: AttentionForm): string => `${form}.${architecture.layers}.onnx`;
  const graphs = pathsOf((form) => join(folder, nameOf(form)));
  const complete = (): boolean => Object.values(graphs).every(exists);
  if (!complete()) {
    const action = `build the ${options.precision} graph`;
    await storing({ action, directory: folder, missing: () => STRUCTURE_BYTES }, async () => {
      await withLock(`${folder}.lock`, () => {
        if (!complete()) {
          using file = new WeightFile(folder, whole.places);
          writeForms(file, architecture, weights, options, (form) => `${nameOf(form)}.partial`);
          for (const path of Object.values(graphs)) Deno.renameSync(`${path}.partial`, path);
        }
        return Promise.resolve();
      }, { signal: options.signal });
    });
  }
  return { ...whole, graphs, hash: hashOf([whole.hash, architecture.layers]) };
}

function pathsOf(pathOf: (form: AttentionForm) => string): Record<AttentionForm, string> {
  return Object.fromEntries(FORMS.map((form) => [form, pathOf(form)])) as Record<
    AttentionForm,
    string
  >;
}

function hashOf(facts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

/** Builds while no other process does. */
function buildInto(folder: string, source: BuildSource, options: GraphOptions): void {
  const aside = `${folder}.partial`; // only the lock's holder writes it
  if (exists(aside)) Deno.removeSync(aside, { recursive: true });
  Deno.mkdirSync(aside);
  try {
    using file = new WeightFile(aside);
    writeGraphs(file, source.architecture, source.weights, options);
    Deno.writeTextFileSync(join(aside, INDEX), JSON.stringify(file.places));
  } catch (error) {
    Deno.removeSync(aside, { recursive: true });
    throw error;
  }
  Deno.renameSync(aside, folder);
}

/** About what graphs take without their weights. */
const STRUCTURE_BYTES = 1e6;
/** Bytes of a weight: int8 and int4 have a float scale for each block of 32. */
const WEIGHT_BYTES: Readonly<Record<Precision, number>> = {
  fp32: 4,
  int8: 1 + 4 / 32,
  int4: 1 / 2 + 4 / 32,
};

/** About what the graphs take: its weights, an embedding of at least int8, a head, rotary tables. */
function graphBytes(
  architecture: Architecture,
  { precision, headPrecision }: GraphOptions,
): number {
  const { contextLength, headSize, vocabularySize, hidden } = architecture;
  let weights = 0;
  for (const [name, shape] of expectedShapes(architecture)) {
    if (name.startsWith("blk.")) weights += shape.reduce((product, size) => product * size, 1);
  }
  const table = vocabularySize * hidden;
  const rotary = contextLength * headSize * 4; // a cosine and a sine for every two figures
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
