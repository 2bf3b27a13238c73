/**
 * From a catalogue id or a file to a model that runs: fetch, build, load, probe.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { cpus, hostname } from "node:os";
import { join } from "node:path";
import { type Architecture, architectureOf } from "../models/architecture.ts";
import { buildGraph } from "../models/build.ts";
import { cacheDirectory } from "../models/cache.ts";
import { findModel } from "../models/catalog.ts";
import { type ChatMessage, renderChat } from "../models/chat.ts";
import { sha256File } from "../models/digest.ts";
import { fetchModel, type FetchProgress } from "../models/fetch.ts";
import { type Gguf, openGguf } from "../models/gguf.ts";
import type { Precision } from "../models/graph.ts";
import { type GgufTokenizer, tokenizerOf } from "../models/tokenizer.ts";
import type { TokenId } from "../models/token.ts";
import { type Runtime, Session, VERSION } from "../onnx/mod.ts";
import { OnnxModel } from "./onnx_model.ts";
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
   * Whether logits must not depend on the width of a pass, whatever padding that takes.
   * Default false: passes run at the width asked for, and the probe says what that costs.
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
  /** Hash of the graph that was built. */
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

  /** Takes over a session; `loadModel` is the way to get here. */
  constructor(
    session: Session,
    architecture: Architecture,
    gguf: Pick<Gguf, "path" | "metadata">,
    details: ModelDetails,
  ) {
    super(session, architecture, {
      name: `${details.id} ${details.precision}`,
      ...(details.exact ? { pad: padTo(details.probe) } : {}),
    });
    this.tokenizer = tokenizerOf(gguf);
    this.details = details;
    this.#metadata = gguf.metadata;
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
  onStage?.(`preparing the ${precision} graph`);
  const graph = await buildGraph(
    { sha256, architecture, weights: gguf },
    { cache, precision, headPrecision, signal },
  );
  onStage?.(`loading the ${precision} graph`);
  const session = new Session(runtime, graph.path);
  try {
    const probe = await cachedProbe(cache, graph.hash, runtime, () => {
      onStage?.(`probing pass widths in ${precision}`);
      return probeWidths(new OnnxModel(session, architecture, { name: "probe" }));
    });
    const details = {
      id: model,
      sha256,
      precision,
      headPrecision,
      graph: graph.hash,
      exact,
      probe,
    };
    return new LoadedModel(session, architecture, gguf, details);
  } catch (error) {
    session[Symbol.dispose]();
    throw error;
  }
}

/** Probes once for each graph, processor, thread count and release of the library. */
async function cachedProbe(
  cache: string,
  graph: string,
  { threads }: Runtime,
  probe: () => Promise<WidthProbe>,
): Promise<WidthProbe> {
  const key = createHash("sha256")
    .update(JSON.stringify([graph, processor(), threads, VERSION]))
    .digest("hex");
  const file = join(cache, "probes", `${key.slice(0, 32)}.json`);
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    // A torn file is probed again, like a missing one.
    if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
  }
  const found = await probe();
  Deno.mkdirSync(join(cache, "probes"), { recursive: true });
  const aside = `${file}.${Deno.pid}`;
  Deno.writeTextFileSync(aside, JSON.stringify(found));
  Deno.renameSync(aside, file);
  return found;
}

/** What tells machines apart whose kernels may differ, also where they share a home directory. */
function processor(): string {
  return `${hostname()} ${cpus()[0]?.model}`;
}
