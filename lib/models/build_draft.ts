/**
 * Graphs of drafts that borrow from their target, kept beside the target's.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { addFiles, type BuildSource, type BuiltGraphs, hashOf, pathsOf } from "./build.ts";
import { type DraftSource, writeDraftForms } from "./draft_graph.ts";
import type { Precision } from "./linear.ts";
import { WeightFile } from "./weight_file.ts";

/** Raised by hand when `writeDraftForms` changes what it writes. */
const FORMAT = 1;

/** Bytes that a full disk is said to lack: more than a draft's own weights take. */
const ROOM = 1e8;

/** A target, and how its graphs were built. */
export interface BuiltTarget extends BuildSource {
  /** Its graphs. */
  readonly built: BuiltGraphs;
  /** Precision of its matrices. */
  readonly precision: Precision;
  /** Precision of its output head. */
  readonly headPrecision: Precision;
}

/** What a draft's graphs are built from. */
export interface DraftBuildSource extends DraftSource {
  /** SHA-256 of its file. */
  readonly sha256: string;
}

/**
 * Builds a draft's graphs unless the cache has them: over the target's weights, none of which is
 * copied unless the draft wants the output head in another precision or only some rows of it.
 *
 * @param draft The draft.
 * @param target The target.
 * @param options A signal that stops waiting for another process that builds there.
 * @returns Where the graphs lie; the places are those of the target's weights.
 * @throws {StorageError} If the disk is full or the cache cannot be written.
 */
export async function buildDraft(
  draft: DraftBuildSource,
  target: BuiltTarget,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<BuiltGraphs> {
  const { sha256, precision, headPrecision, vocabulary = null } = draft;
  const { built } = target;
  const { contextLength } = draft.architecture;
  const facts = [built.hash, sha256, precision, headPrecision, vocabulary, contextLength];
  const hash = hashOf([FORMAT, ...facts]);
  const folder = dirname(built.weights);
  const name = hash.slice(0, 32);
  const weights = `${name}.bin`;
  const graphs = pathsOf((form) => join(folder, `${form}.${name}.onnx`));
  const paths = [join(folder, weights), ...Object.values(graphs)];
  await addFiles(folder, paths, { precision, signal: options.signal, missing: ROOM }, (aside) => {
    using borrowed = new WeightFile(folder, { finished: built.places });
    using file = new WeightFile(folder, { name: weights, aside: aside(weights) });
    writeDraftForms(borrowed, file, draft, target, (form) => aside(`${form}.${name}.onnx`));
  });
  return { ...built, graphs, hash, ownBytes: Deno.statSync(paths[0]!).size };
}
