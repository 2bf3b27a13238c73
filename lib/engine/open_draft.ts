/**
 * From a draft's file to a model that drafts for a target.
 *
 * @module
 */

import { buildDraft } from "../models/build_draft.ts";
import { buildGraphs } from "../models/build.ts";
import { cacheDirectory } from "../models/cache.ts";
import { sha256File } from "../models/digest.ts";
import { draftNetworkOf, type DraftRole, draftRoleOf } from "../models/draft_file.ts";
import { fetchModel } from "../models/fetch.ts";
import { openGguf } from "../models/gguf.ts";
import { isShape } from "../models/shapes.ts";
import { trimVocabulary } from "../models/trimmed_vocabulary.ts";
import { assemble } from "./assemble.ts";
import { headPrecisionOf, type LoadedModel, loadModel, type LoadOptions } from "./load.ts";
import { openSource, type SourceOptions } from "./model_source.ts";
import type { Context } from "./language_model.ts";
import type { OnnxContext } from "./onnx_model.ts";

/** A model that drafts for a target. */
export interface LoadedDraft extends AsyncDisposable {
  /** The model. */
  readonly model: LoadedModel;
  /** What it borrows from its target; null for a whole model. */
  readonly role: DraftRole | null;
  /** Whether its contexts follow one of the target's ({@linkcode OnnxModel.follow}): a head's do. */
  readonly follows: boolean;
  /**
   * Opens a context to draft in for a context of the target: one that reads the text itself, or
   * follows the target's. Close it before the target's.
   */
  open(context: Context): OnnxContext;
}

/** How a draft is loaded: as a model is, but never cut. */
export type DraftOptions = Omit<LoadOptions, "layers" | "hidden">;

/** A draft that cannot draft for its target: "Cannot draft with DRAFT as REASON: WAY OUT". */
export class DraftError extends Error {
  /** The error's name, "DraftError". */
  override readonly name = "DraftError";
}

/**
 * Opens a draft of any role: a whole model, or a file that borrows from its target. Such a file says
 * so itself (`specbound.role`), and which target it was made for (`specbound.target.sha256`).
 *
 * @param draft A catalogue id, a shape's id or the path of a .gguf file.
 * @param target The target. For a draft that reads hidden states it must have been loaded with them:
 *   {@linkcode readHidden} tells.
 * @param options Runtime, precision of the draft's own matrices (default "int8"), trimmed vocabulary.
 * @returns The draft; dispose it before the target.
 * @throws {DraftError} If its tokenizer is not the target's, or the target lacks hidden states.
 * @throws {ArchitectureError} If the file was made for another target, or is incomplete.
 */
export async function openDraft(
  draft: string,
  target: LoadedModel,
  options: DraftOptions,
): Promise<LoadedDraft> {
  const { precision = "int8", headPrecision = headPrecisionOf(precision) } = options;
  const cache = options.cache ?? cacheDirectory();
  const path = await borrowingFile(draft, cache, options);
  const settings = { ...options, precision, headPrecision, cache };
  const { model, role } = path === null
    ? { model: await openWhole(draft, target, settings), role: null }
    : await openBorrowing({ draft, path }, target, settings);
  const follows = role === "feature" || role === "exit";
  return {
    model,
    role,
    follows,
    // A context of another kind is refused there.
    open: (context) => follows ? model.follow(context as OnnxContext) : model.open(),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

/**
 * Whether any of a target's drafts reads its hidden states, so that the target must be loaded with
 * `hidden: true`.
 *
 * @param drafts Catalogue ids, shapes' ids or paths of .gguf files.
 * @param options Cache, signal.
 * @returns Whether one does.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(await readHidden(["shape:smollm2-135m"]), false);
 * ```
 */
export async function readHidden(
  drafts: readonly string[],
  options: Pick<LoadOptions, "cache" | "signal" | "onProgress"> = {},
): Promise<boolean> {
  const read = await Promise.all(drafts.map(async (draft) => {
    const path = await borrowingFile(draft, options.cache ?? cacheDirectory(), options);
    if (path === null) return false;
    using gguf = await openGguf(path);
    return draftRoleOf(gguf) === "feature";
  }));
  return read.includes(true);
}

/** The path of a draft's file if it borrows from its target; null if it is a whole model. */
async function borrowingFile(
  draft: string,
  cache: string,
  { signal, onProgress }: SourceOptions,
): Promise<string | null> {
  if (isShape(draft)) return null;
  const path = await fetchModel(draft, {
    cache,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  using gguf = await openGguf(path);
  return draftRoleOf(gguf) === null ? null : path;
}

async function openWhole(
  draft: string,
  target: LoadedModel,
  options: LoadOptions,
): Promise<LoadedModel> {
  await using opened = new AsyncDisposableStack();
  const model = opened.use(await loadModel(draft, options));
  const { id } = target.details;
  const readText = !isShape(draft) && !isShape(id);
  if (readText && model.tokenizer.fingerprint !== target.tokenizer.fingerprint) {
    throw new DraftError(
      `Cannot draft with ${draft} as its tokenizer is not that of ${id}: choose a draft of the target's family`,
    );
  }
  opened.move(); // whoever asked disposes of it
  return model;
}

async function openBorrowing(
  { draft, path }: { readonly draft: string; readonly path: string },
  target: LoadedModel,
  options: DraftOptions & Required<Pick<LoadOptions, "precision" | "headPrecision" | "cache">>,
): Promise<{ readonly model: LoadedModel; readonly role: DraftRole }> {
  const { runtime, precision, headPrecision, cache, signal, onStage, exact = false } = options;
  const { id, sha256, precision: targetPrecision, headPrecision: targetHead } = target.details;
  using gguf = await openGguf(path);
  const network = draftNetworkOf(gguf, { sha256, architecture: target.architecture });
  const { role } = network;
  if (role === "feature" && !target.givesHidden) {
    throw new DraftError(
      `Cannot draft with ${draft} as ${target.name} was loaded without hidden states: load it with hidden: true`,
    );
  }
  using source = await openSource(id, cache, options);
  const { contextLength } = network.architecture;
  const room = role === "draft" ? options.contextLength ?? 0 : 0; // heads have their target's
  const architecture = { ...network.architecture, contextLength: Math.max(contextLength, room) };
  const vocabulary = options.vocabulary &&
    trimVocabulary(options.vocabulary, architecture.vocabularySize);
  onStage?.(`preparing the ${precision} graphs of ${draft}`);
  const whole = {
    ...source,
    architecture: target.architecture,
    precision: targetPrecision,
    headPrecision: targetHead,
  };
  const own = {
    ...network,
    architecture,
    weights: gguf,
    sha256: await sha256File(path),
    precision,
    headPrecision,
    vocabulary: vocabulary?.tokens,
  };
  const built = await buildGraphs(whole, { ...whole, cache, signal });
  const name = [
    `${draft} ${precision}`,
    ...(vocabulary ? [`${vocabulary.tokens.length} tokens`] : []),
  ].join(", ");
  const model = await assemble({
    id: draft,
    sha256: own.sha256,
    precision,
    headPrecision,
    exact,
    name,
    architecture,
    built: await buildDraft(own, { ...whole, built }, { signal }),
    vocabulary,
    text: source.text,
    alone: role !== "feature",
  }, { runtime, cache, onStage });
  return { model, role };
}
