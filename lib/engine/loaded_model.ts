/**
 * A model with its tokenizer and what a record says of it.
 *
 * @module
 */

import type { Architecture } from "../models/architecture.ts";
import { type ChatMessage, renderChat } from "../models/chat.ts";
import type { Precision } from "../models/graph.ts";
import { ShapeOnlyError } from "../models/shapes.ts";
import type { TokenId } from "../models/token.ts";
import type { GgufTokenizer } from "../models/tokenizer.ts";
import type { FormRule } from "./form_rule.ts";
import type { Graphs } from "./graphs.ts";
import type { TextSide } from "./model_source.ts";
import { OnnxModel, type OnnxModelOptions } from "./onnx_model.ts";
import { padTo, type WidthProbe } from "./width_probe.ts";

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
  /** Which form of attention passes over single rows take. */
  readonly attention: FormRule;
  /** Hash of the graphs and their weights. */
  readonly graph: string;
  /** Whether passes are padded to widths that agree. */
  readonly exact: boolean;
  /** Which widths agree here; null for a model that reads another's hidden states. */
  readonly probe: WidthProbe | null;
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
    options: Pick<OnnxModelOptions, "name" | "vocabulary"> & {
      readonly text: TextSide | null;
      readonly details: ModelDetails;
    },
  ) {
    const { text, details, ...rest } = options;
    const { attention, exact, probe } = details;
    super(graphs, architecture, {
      ...rest,
      attention,
      ...(exact && probe && { pad: padTo(probe) }),
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
