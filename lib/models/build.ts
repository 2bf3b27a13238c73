/**
 * Built graphs, kept in the cache under the hash of what they were built from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { exists } from "./exists.ts";
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
const FORMAT = 5;
/** Lists the tensors in the file of weights. */
const INDEX = "weights.json";

/** What to build, and where to keep it. */
export interface BuildOptions extends GraphOptions {
  /** The cache directory. */
  readonly cache: string;
  /**
   * How many layers to keep, from the first. The graphs of a cut network lie beside the whole one's
   * and share its weights, unless the vocabulary is trimmed too; so do graphs that expose hidden
   * states. Default: all.
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
  /** Bytes of the weights that are not another network's. Default: those of all places. */
  readonly ownBytes?: number;
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
  const { layers = source.architecture.layers, hidden } = options;
  const cut = { ...source, architecture: { ...source.architecture, layers } };
  const apart = options.vocabulary !== undefined || layers === source.architecture.layers;
  const built = await buildFolder(apart ? cut : source, { ...options, hidden: false });
  if (apart && !hidden) return built;
  const parts = [...(apart ? [] : [layers]), ...(hidden ? ["hidden"] : [])];
  // Scores are the same whether or not hidden states are seen, and so is what was probed of them.
  const hash = apart ? built.hash : hashOf([built.hash, layers]);
  return { ...await addGraphs(built, cut, options, parts.join(".")), hash };
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

/** Adds further graphs of a network, or of its first layers, to those that are built. */
async function addGraphs(
  built: BuiltGraphs,
  { architecture, weights }: BuildSource,
  options: BuildOptions,
  variant: string,
): Promise<BuiltGraphs> {
  const folder = dirname(built.weights);
  const nameOf = (form: AttentionForm): string => `${form}.${variant}.onnx`;
  const graphs = pathsOf((form) => join(folder, nameOf(form)));
  await addFiles(folder, Object.values(graphs), { ...options, missing: 0 }, (aside) => {
    using file = new WeightFile(folder, { finished: built.places });
    writeForms(file, architecture, weights, options, (form) => aside(nameOf(form)));
  });
  return { ...built, graphs };
}

/**
 * Adds files to a folder of graphs unless they are there, the last of them last: all are written
 * aside and moved into place whole, and one process writes while others wait.
 */
export async function addFiles(
  folder: string,
  paths: readonly string[],
  options: Pick<BuildOptions, "precision" | "signal"> & { readonly missing: number },
  write: (aside: (name: string) => string) => void,
): Promise<void> {
  const complete = (): boolean => paths.every(exists);
  if (complete()) return;
  const action = `build the ${options.precision} graph`;
  const missing = (): number => options.missing + STRUCTURE_BYTES;
  await storing({ action, directory: folder, missing }, async () => {
    await withLock(`${folder}.lock`, () => {
      if (complete()) return Promise.resolve();
      try {
        write((name) => `${name}.partial`);
      } catch (error) {
        for (const path of paths.filter((path) => exists(`${path}.partial`))) {
          Deno.removeSync(`${path}.partial`);
        }
        throw error;
      }
      for (const path of paths) Deno.renameSync(`${path}.partial`, path);
      return Promise.resolve();
    }, { signal: options.signal });
  });
}

/** A path for each form of attention. */
export function pathsOf(pathOf: (form: AttentionForm) => string): Record<AttentionForm, string> {
  return Object.fromEntries(FORMS.map((form) => [form, pathOf(form)])) as Record<
    AttentionForm,
    string
  >;
}

/** A hash of facts, for names in the cache. */
export function hashOf(facts: readonly unknown[]): string {
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
