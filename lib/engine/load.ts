/**
 * From a catalogue id or a file to a model that runs: fetch, build, load, probe.
 *
 * @module
 */

import { type Architecture, architectureOf } from "../models/architecture.ts";
import { buildGraph, type BuiltGraph } from "../models/build.ts";
import { cacheDirectory } from "../models/cache.ts";
import { findModel } from "../models/catalog.ts";
import { type ChatMessage, renderChat } from "../models/chat.ts";
import { sha256File } from "../models/digest.ts";
import { fetchModel, type FetchProgress } from "../models/fetch.ts";
import { type Gguf, openGguf } from "../models/gguf.ts";
import type { AttentionForm, Precision } from "../models/graph.ts";
import { type GgufTokenizer, tokenizerOf } from "../models/tokenizer.ts";
import type { TokenId } from "../models/token.ts";
import { type Runtime, Session } from "../onnx/mod.ts";
import { fasterForm } from "./form_probe.ts";
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
  /** The catalogue id, or the file's path. */
  readonly id: string;
  /** SHA-256 of the weights' file. */
  readonly sha256: string;
  /** Precision of the matrices. */
  readonly precision: Precision;
  /** Precision of the output head. */
  readonly headPrecision: Precision;
  /** The form of attention that single rows run through. */
  readonly form: AttentionForm;
  /** Hash of that form's graph. */
  readonly graph: string;
  /** Whether passes are padded to widths that agree. */
  readonly exact: boolean;
  /** Which widths agree here. */
  readonly probe: WidthProbe;
}

/** A model ready to decode, with its tokenizer and what a record says of it. */
export class LoadedModel extends OnnxModel {
  /** Text to tokens and back. */
  readonly tokenizer: GgufTokenizer;
  /** What a record says of the model. */
  readonly details: ModelDetails;
  readonly #metadata: Gguf["metadata"];

  /** Opens the graphs; `loadModel` is the way to get here. */
  constructor(
    open: (form: AttentionForm) => Session,
    architecture: Architecture,
    text: { readonly tokenizer: GgufTokenizer; readonly metadata: Gguf["metadata"] },
    details: ModelDetails,
  ) {
    super(open, architecture, {
      name: `${details.id} ${details.precision}`,
      form: details.form,
      ...(details.exact ? { pad: padTo(details.probe) } : {}),
    });
    this.tokenizer = text.tokenizer;
    this.details = details;
    this.#metadata = text.metadata;
  }

  /** A text as the model reads it: special tokens written out in it are recognised. */
  encodeText(text: string): TokenId[] {
    const { beginOfText } = this.tokenizer;
    const tokens = this.tokenizer.encode(text, { special: true });
    return beginOfText === null || tokens[0] === beginOfText ? tokens : [beginOfText, ...tokens];
  }

  /** The prompt that a conversation makes, by the model's own chat template. */
  encodeChat(messages: readonly ChatMessage[]): TokenId[] {
    return this.tokenizer.encode(renderChat(this.#metadata, messages), { special: true });
  }
}

/**
 * Loads a model. What was fetched, built or probed before is taken from the cache.
 *
 * @param model A catalogue id or the path of a .gguf file.
 * @param options Runtime, precision, mode.
 * @returns The model; dispose it before the runtime.
 */
export async function loadModel(model: string, options: LoadOptions): Promise<LoadedModel> {
  const { runtime, precision = "fp32", exact = false, signal, onProgress, onStage } = options;
  const { headPrecision = precision === "int4" ? "int8" : precision } = options;
  const cache = options.cache ?? cacheDirectory();
  const path = await fetchModel(model, {
    cache,
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
  const entry = findModel(model);
  const sha256 = typeof entry === "string" ? await sha256File(path) : entry.sha256;
  using gguf = await openGguf(path);
  const architecture = architectureOf(gguf);
  const text = { tokenizer: tokenizerOf(gguf), metadata: gguf.metadata };
  const source = { sha256, architecture, weights: gguf };
  const build = (form: AttentionForm): Promise<BuiltGraph> => {
    onStage?.(`preparing the ${precision} graph, ${form}`);
    return buildGraph(source, { cache, precision, headPrecision, form, signal });
  };
  const scattered = await build("scattered");
  const graphs = { scattered, grouped: exact ? scattered : await build("grouped") };
  const ask = <T>(what: string, form: AttentionForm, find: () => Promise<T>): Promise<T> => {
    const { hash } = graphs[form];
    return remember(cache, [what, hash, runtime.threads], () => {
      onStage?.(`finding ${what} of ${precision}`);
      return find();
    });
  };

  using sessions = new Sessions((form) => {
    onStage?.(`loading the ${precision} graph, ${form}`);
    return new Session(runtime, graphs[form].path);
  });
  const trial = (form: AttentionForm): OnnxModel =>
    new OnnxModel(sessions.open, architecture, { name: form, form });
  const form = exact ? "scattered" : await ask("the faster form", "grouped", async () => {
    const { form } = await fasterForm([trial("scattered"), trial("grouped")]);
    sessions.close(form === "grouped" ? "scattered" : "grouped");
    return form;
  });
  const probe = await ask("widths that agree", form, () => probeWidths(trial(form)));
  const graph = graphs[form].hash;
  const details = { id: model, sha256, precision, headPrecision, form, graph, exact, probe };
  const loaded = new LoadedModel(sessions.open, architecture, text, details);
  sessions.giveAway();
  return loaded;
}

/** Graphs that trials and the model after them share; those not given away are disposed of. */
class Sessions implements Disposable {
  readonly #load: (form: AttentionForm) => Session;
  readonly #opened = new Map<AttentionForm, Session>();

  constructor(load: (form: AttentionForm) => Session) {
    this.#load = load;
  }

  readonly open = (form: AttentionForm): Session => {
    const session = this.#opened.get(form) ?? this.#load(form);
    this.#opened.set(form, session);
    return session;
  };

  close(form: AttentionForm): void {
    this.#opened.get(form)?.[Symbol.dispose]();
    this.#opened.delete(form);
  }

  giveAway(): void {
    this.#opened.clear();
  }

  [Symbol.dispose](): void {
    for (const form of [...this.#opened.keys()]) this.close(form);
  }
}
