/**
 * The seam between a study and the models it runs: tests put tables there, the sweep real weights.
 *
 * @module
 */

import { sayForms } from "../engine/form_rule.ts";
import type { Context, LanguageModel } from "../engine/language_model.ts";
import type { LoadedModel } from "../engine/load.ts";
import type { LoadedDraft } from "../engine/open_draft.ts";
import type { ChatMessage } from "../models/chat.ts";
import type { Precision } from "../models/graph.ts";
import type { TokenId } from "../models/token.ts";

/** A model under study. Disposing of it frees the model. */
export interface Subject extends AsyncDisposable {
  /** The network. */
  readonly model: LanguageModel;
  /**
   * Opens a context that drafts behind one of the target; close it before that one. Only heads have
   * it: they read what the target made of the text, and have no contexts of their own.
   */
  readonly follow?: (target: Context) => Context;
  /** Catalog id. */
  readonly id: string;
  /** SHA-256 of the weights file, or null if there is none. */
  readonly hash: string | null;
  /** Precision of the weights as executed. */
  readonly precision: Precision;
  /** Precision of the output head, or null if there is none apart. */
  readonly headPrecision: string | null;
  /** Widths of a pass whose logits differ from those of others, or null if not probed. */
  readonly differingWidths: readonly number[] | null;
  /** Which forms of attention run, or null if there is only one. */
  readonly attention: string | null;
  /** What executes it: "cpu", "table". */
  readonly provider: string;
  /** Tokens that end the text. */
  readonly endOfText: ReadonlySet<TokenId>;
  /** A conversation as the model reads it, chat template included. */
  encode(messages: readonly ChatMessage[]): readonly TokenId[];
}

/** What a loader needs to know beside the id. */
export interface SubjectOptions<Target = Subject> {
  /** Precision of the weights. */
  readonly precision: Precision;
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether logits must not depend on the width of a pass. */
  readonly exact: boolean;
  /** Of a draft: what it drafts for. */
  readonly target?: Target;
  /** Of a target: ids of what will draft for it, as heads need its hidden states. Default: none. */
  readonly drafts?: readonly string[];
}

/** Loads a model by its catalog id. */
export type SubjectLoader = (id: string, options: SubjectOptions) => Promise<Subject>;

/**
 * Real weights under study.
 *
 * @param model The model, which the subject takes along when it goes.
 * @returns The subject.
 */
export function subjectOf(model: LoadedModel): Subject {
  const { id, sha256, precision, headPrecision, probe, attention } = model.details;
  return {
    model,
    id,
    hash: sha256,
    precision,
    headPrecision,
    differingWidths: probe?.differ ?? null,
    attention: sayForms(attention),
    provider: "cpu",
    endOfText: model.tokenizer.endOfText,
    encode: (messages) => model.encodeChat(messages),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

/**
 * Real weights that draft.
 *
 * @param draft The draft, which the subject takes along when it goes.
 * @returns The subject.
 */
export function draftSubjectOf(draft: LoadedDraft): Subject {
  const subject = subjectOf(draft.model);
  return draft.follows ? { ...subject, follow: (target) => draft.open(target) } : subject;
}
