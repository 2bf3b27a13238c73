/**
 * From a catalogue id or a file to a model that runs: fetch, build, load, probe.
 *
 * @module
 */

import { type Architecture, architectureOf } from "../models/architecture.ts";
import { buildGraphs, type BuildSource } from "../models/build.ts";
import { cacheDirectory } from "../models/cache.ts";
import { findModel } from "../models/catalog.ts";
import { type ChatMessage, renderChat } from "../models/chat.ts";
import { sha256File } from "../models/digest.ts";
import { fetchModel, type FetchProgress } from "../models/fetch.ts";
import { type Gguf, openGguf } from "../models/gguf.ts";
import type { AttentionForm, Precision } from "../models/graph.ts";
import { randomWeights } from "../models/random_weights.ts";
import { findShape, isShape, ShapeOnlyError } from "../models/shapes.ts";
import { type GgufTokenizer, tokenizerOf } from "../models/tokenizer.ts";
import type { TokenId } from "../models/token.ts";
import { type TrimmedVocabulary, trimVocabulary } from "../models/trimmed_vocabulary.ts";
import type { Runtime } from "../onnx/mod.ts";
import { requireInteger } from "../validate.ts";
import { fasterForm } from "./form_probe.ts";
import { Graphs } from "./graphs.ts";
import { OnnxModel } from "./onnx_model.ts";
import { remember } from "./remember.ts";
import { padTo, probeWidths, type WidthProbe } from "./width_probe.ts";

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
  /** The cache directory. Default: the user's. */
  readonly cache?: string;
  /** Stops fetching. */
  readonly signal?: AbortSignal;
  /** Hears of a download's progress. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Hears what comes next: "building the int4 graph". */
  readonly onStage?: (stage: string) => void;
}

/** What a record says of a model. */
export interface ModelDetails {
  /** The catalogue id, the shape's id, or the file's path. */
  readonly id: string;
  /** SHA-256 of the weights' file, or of what random weights are drawn from. */
  readonly sha256: string;
  /** Precision of the matrices. */
  readonly precision: Precision;
  /** Precision of the output head. */
  readonly headPrecision: Precision;
  /** Layers that are kept, from the first. */
  readonly layers: number;
  /** Tokens that are scored. */
  readonly scoredTokens: number;
  /** The form of attention that single rows run through. */
  readonly form: AttentionForm;
  /** Hash of the graphs and their weights. */
  readonly graph: string;
  /** Whether passes are padded to widths that agree. */
  readonly exact: boolean;
  /** Which widths agree here. */
  readonly probe: WidthProbe;
}

/** A model's text side: what a shape with random weights lacks. */
interface TextSide {
  readonly tokenizer: GgufTokenizer;
  readonly metadata: Gguf["metadata"];
}

/** A model ready to decode, with its tokenizer and what a record says of it. */
export class LoadedModel extends OnnxModel {
  /** What a record says of the model. */
  readonly details: ModelDetails;
  readonly #text: TextSide | null;

  /** Loads the graph of single rows; `loadModel` is the way to get here. */
  constructor(
    graphs: Graphs,
    architecture: Architecture,
    text: TextSide | null,
    details: ModelDetails,
    name: string,
    vocabulary?: TrimmedVocabulary,
  ) {
    super(graphs, architecture, {
      name,
      vocabulary,
      form: details.form,
      ...(details.exact ? { pad: padTo(details.probe) } : {}),
    });
    this.#text = text;
    this.details = details;
  }

  /** Text to tokens and back. Throws a {@linkcode ShapeOnlyError} if the weights are random. */
  get tokenizer(): GgufTokenizer {
    return this.#requireText().tokenizer;
  }

  /**
   * A text as the model reads it: special tokens written out in it are recognised. Throws a
   * {@linkcode ShapeOnlyError} if the weights are random.
   */
  encodeText(text: string): TokenId[] {
    const { beginOfText } = this.tokenizer;
    const tokens = this.tokenizer.encode(text, { special: true });
    return beginOfText === null || tokens[0] === beginOfText ? tokens : [beginOfText, ...tokens];
  }

  /**
   * The prompt that a conversation makes, by the model's own chat template. It begins as every text
   * does, also where the template leaves that to the tokenizer. Throws a
   * {@linkcode ShapeOnlyError} if the weights are random.
   */
  encodeChat(messages: readonly ChatMessage[]): TokenId[] {
    return this.encodeText(renderChat(this.#requireText().metadata, messages));
  }

  #requireText(): TextSide {
    if (this.#text) return this.#text;
    throw new ShapeOnlyError(this.details.id, "read or write text with");
  }
}

/**
 * Loads a model. What was fetched, built or probed before is taken from the cache.
 *
 * @param model A catalogue id, a shape's id ("shape:llama-3.2-1b") or the path of a .gguf file.
 * @param options Runtime, precision, mode.
 * @returns The model; dispose it before the runtime.
 */
export async function loadModel(model: string, options: LoadOptions): Promise<LoadedModel> {
  const { runtime, precision = "fp32", exact = false, signal, onStage } = options;
  const { headPrecision = precision === "int4" ? "int8" : precision } = options;
  const cache = options.cache ?? cacheDirectory();
  using source = isShape(model) ? shapeSource(model) : await fileSource(model, cache, options);
  const { sha256 } = source;
  const whole = withRoom(source.architecture, options.contextLength);
  const { layers = whole.layers } = options;
  requireInteger(`load ${model}`, "layers", layers, 1, whole.layers);
  const architecture = { ...whole, layers };
  const vocabulary = options.vocabulary &&
    trimVocabulary(options.vocabulary, whole.vocabularySize);
  onStage?.(`preparing the ${precision} graphs`);
  const built = await buildGraphs({ ...source, architecture: whole }, {
    cache,
    precision,
    headPrecision,
    layers,
    vocabulary: vocabulary?.tokens,
    signal,
  });

  using taken = new DisposableStack();
  const graphs = taken.use(
    new Graphs(runtime, built, (form) => onStage?.(`loading the ${precision} graph, ${form}`)),
  );
  const ask = <T>(
    what: string,
    about: readonly unknown[],
    find: () => Promise<T>,
    stands?: (answer: T) => boolean,
  ): Promise<T> =>
    remember(cache, [what, built.hash, ...about, runtime.threads], () => {
      onStage?.(`finding ${what} of ${precision}`);
      return find();
    }, stands);
  const trial = (form: AttentionForm): OnnxModel =>
    new OnnxModel(graphs, architecture, { name: form, form, vocabulary });

  const findForm = async (): Promise<FormAnswer> => {
    const found = await fasterForm([trial("scattered"), trial("grouped")]);
    graphs.close(found?.form === "grouped" ? "scattered" : "grouped");
    return { faster: found?.form ?? null, asked: Date.now() };
  };
  const { faster } = exact ? { faster: null } : await ask("the faster form", [], findForm, stands);
  const form = faster ?? "scattered";
  const probe = await ask("widths that agree", [form], () => probeWidths(trial(form)));
  const details = {
    id: model,
    sha256,
    precision,
    headPrecision,
    layers,
    scoredTokens: vocabulary?.tokens.length ?? whole.vocabularySize,
    form,
    graph: built.hash,
    exact,
    probe,
  };
  const parts = [
    `${model} ${precision}`,
    ...(layers < whole.layers ? [`${layers} layers`] : []),
    ...(vocabulary ? [`${details.scoredTokens} tokens`] : []),
  ];
  const loaded = new LoadedModel(
    graphs,
    architecture,
    source.text,
    details,
    parts.join(", "),
    vocabulary,
  );
  taken.move();
  return loaded;
}

function withRoom(architecture: Architecture, contextLength = 0): Architecture {
  return { ...architecture, contextLength: Math.max(architecture.contextLength, contextLength) };
}

/** Which form was faster, if one was, and when that was asked, in milliseconds since 1970. */
interface FormAnswer {
  readonly faster: AttentionForm | null;
  readonly asked: number;
}

/** On a machine that was busy, the question is put again the next day. */
function stands({ faster, asked }: FormAnswer): boolean {
  return faster !== null || Date.now() - asked < 24 * 60 * 60 * 1000;
}

/** What a model is built from, until it is disposed of, and its text side. */
interface ModelSource extends BuildSource, Disposable {
  readonly text: TextSide | null;
}

async function fileSource(
  model: string,
  cache: string,
  { signal, onProgress }: LoadOptions,
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
