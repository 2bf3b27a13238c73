/**
 * What models are made of: files of weights with their text side, or random weights.
 *
 * @module
 */

import { architectureOf } from "../models/architecture.ts";
import type { BuildSource } from "../models/build.ts";
import { findModel } from "../models/catalog.ts";
import { sha256File } from "../models/digest.ts";
import { fetchModel, type FetchProgress } from "../models/fetch.ts";
import { type Gguf, openGguf } from "../models/gguf.ts";
import { randomWeights } from "../models/random_weights.ts";
import { findShape, isShape } from "../models/shapes.ts";
import { type GgufTokenizer, tokenizerOf } from "../models/tokenizer.ts";

/** A model's text side: what a shape with random weights lacks. */
export interface TextSide {
  /** Text to tokens and back. */
  readonly tokenizer: GgufTokenizer;
  /** The file's metadata, which has the chat template. */
  readonly metadata: Gguf["metadata"];
}

/** What a model is built from, until it is disposed of, and its text side. */
export interface ModelSource extends BuildSource, Disposable {
  /** Its text side; null if the weights are random. */
  readonly text: TextSide | null;
}

/** How a source is opened. */
export interface SourceOptions {
  /** Stops fetching. */
  readonly signal?: AbortSignal;
  /** Hears of a download's progress. */
  readonly onProgress?: (progress: FetchProgress) => void;
}

/**
 * Opens what a model is built from, fetching it first if need be.
 *
 * @param model A catalogue id, a shape's id or the path of a .gguf file.
 * @param cache The cache directory.
 * @param options A signal, and who hears of progress.
 * @returns The source; dispose of it when the model is built.
 */
export async function openSource(
  model: string,
  cache: string,
  options: SourceOptions,
): Promise<ModelSource> {
  return isShape(model) ? shapeSource(model) : await fileSource(model, cache, options);
}

async function fileSource(
  model: string,
  cache: string,
  { signal, onProgress }: SourceOptions,
): Promise<ModelSource> {
  const path = await fetchModel(model, {
    cache,
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
  const entry = findModel(model);
  const sha256 = typeof entry === "string" ? await sha256File(path) : entry.sha256;
  using opened = new DisposableStack();
  const gguf = opened.use(await openGguf(path));
  const architecture = architectureOf(gguf);
  const text = { tokenizer: tokenizerOf(gguf), metadata: gguf.metadata };
  const open = opened.move();
  return { sha256, architecture, weights: gguf, text, [Symbol.dispose]: () => open.dispose() };
}

function shapeSource(id: string): ModelSource {
  const { architecture } = findShape(id);
  return { ...randomWeights(architecture), architecture, text: null, [Symbol.dispose]: () => {} };
}
