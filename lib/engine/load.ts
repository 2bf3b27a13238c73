/**
 * From a catalogue id or a file to a model that runs: fetch, build, load, probe.
 *
 * @module
 */

import type { Architecture } from "../models/architecture.ts";
import { buildGraphs } from "../models/build.ts";
import { cacheDirectory } from "../models/cache.ts";
import type { FetchProgress } from "../models/fetch.ts";
import type { Precision } from "../models/graph.ts";
import type { TokenId } from "../models/token.ts";
import { trimVocabulary } from "../models/trimmed_vocabulary.ts";
import type { Runtime } from "../onnx/mod.ts";
import { requireInteger } from "../validate.ts";
import { assemble } from "./assemble.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { openSource } from "./model_source.ts";

export { LoadedModel, type ModelDetails } from "./loaded_model.ts";

/** How a model is to be loaded. */
export interface LoadOptions {
  /** The runtime to load it into. */
  readonly runtime: Runtime;
  /** Precision of the matrices. Default "fp32". */
  readonly precision?: Precision;
  /** Precision of the output head. Default: the matrices' own, but int8 beside int4. */
  readonly headPrecision?: Precision;
  /**
   * Whether logits must not depend on what else is evaluated, whatever that costs: one form of
   * attention for all, passes padded to widths that agree. Default false: single rows run through
   * the faster form at the width asked for, and the probe says which widths agree in it.
   */
  readonly exact?: boolean;
  /**
   * Positions to make room for beyond those that the network was made for. Text there means nothing,
   * but its passes can be timed. Default: none beyond.
   */
  readonly contextLength?: number;
  /**
   * How many layers to keep, from the first, under the model's own final norm and head: a draft cut
   * from its target (Draft & Verify, Zhang et al. 2024; LayerSkip, Elhoushi et al. 2024). In the
   * target's precision and runtime the two share weights; see {@linkcode OnnxModel.follow} for the
   * cache. Default: all.
   */
  readonly layers?: number | undefined;
  /**
   * The only tokens to score, in any order: the head has their rows alone, and no other token is ever
   * drafted (FR-Spec, Zhao et al. 2025). Default: all.
   */
  readonly vocabulary?: readonly TokenId[] | undefined;
  /**
   * Whether contexts keep the tokens' hidden states, for a draft that reads them. Scores are the same
   * to the bit. Default false.
   */
  readonly hidden?: boolean | undefined;
  /** The cache directory. Default: the user's. */
  readonly cache?: string;
  /** Stops fetching. */
  readonly signal?: AbortSignal;
  /** Hears of a download's progress. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Hears what comes next: "building the int4 graph". */
  readonly onStage?: (stage: string) => void;
}

/**
 * Loads a model. What was fetched, built or probed before is taken from the cache.
 *
 * @param model A catalogue id, a shape's id ("shape:llama-3.2-1b") or the path of a .gguf file.
 * @param options Runtime, precision, mode.
 * @returns The model; dispose it before the runtime.
 */
export async function loadModel(model: string, options: LoadOptions): Promise<LoadedModel> {
  const { precision = "fp32", exact = false, signal, onStage, hidden } = options;
  const { headPrecision = headPrecisionOf(precision), cache = cacheDirectory() } = options;
  using source = await openSource(model, cache, options);
  const { sha256, text } = source;
  const whole = withRoom(source.architecture, options.contextLength);
  const { layers = whole.layers } = options;
  requireInteger(`load ${model}`, "layers", layers, 1, whole.layers);
  const vocabulary = options.vocabulary &&
    trimVocabulary(options.vocabulary, whole.vocabularySize);
  onStage?.(`preparing the ${precision} graphs`);
  const built = await buildGraphs({ ...source, architecture: whole }, {
    cache,
    precision,
    headPrecision,
    layers,
    vocabulary: vocabulary?.tokens,
    hidden,
    signal,
  });
  const name = [
    `${model} ${precision}`,
    ...(layers < whole.layers ? [`${layers} layers`] : []),
    ...(vocabulary ? [`${vocabulary.tokens.length} tokens`] : []),
  ].join(", ");
  const architecture = { ...whole, layers };
  const described = { id: model, sha256, precision, headPrecision, exact };
  const parts = { ...described, name, architecture, built, vocabulary, text };
  return await assemble(parts, { runtime: options.runtime, cache, onStage });
}

/** An output head in int4 would change more texts than it speeds up. */
export function headPrecisionOf(precision: Precision): Precision {
  return precision === "int4" ? "int8" : precision;
}

function withRoom(architecture: Architecture, contextLength = 0): Architecture {
  return { ...architecture, contextLength: Math.max(architecture.contextLength, contextLength) };
}
