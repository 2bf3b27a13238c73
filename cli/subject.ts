/**
 * Models as studies see them.
 *
 * @module
 */

import { type LoadedModel, loadModel, type LoadOptions } from "../lib/engine/load.ts";
import { type DraftOptions, type LoadedDraft, openDraft } from "../lib/engine/open_draft.ts";
import type { Runtime } from "../lib/onnx/mod.ts";
import { draftSubjectOf, type SubjectLoader, subjectOf } from "../lib/study/subject.ts";
import { ArgumentError } from "./arguments.ts";
import { anyReadsHidden } from "./load.ts";

/**
 * A loader of real weights.
 *
 * @param runtime Where passes run.
 * @param signal Stops what is loaded.
 * @param note Told what loading does.
 * @returns The loader. It throws a DraftError if a draft's tokenizer is not its target's.
 */
export function subjectLoader(
  runtime: Runtime,
  signal: AbortSignal,
  note: (text: string) => void,
): SubjectLoader {
  return async (id, { precision, exact, target, drafts = [] }) => {
    const loading: LoadOptions = {
      runtime,
      precision,
      exact,
      signal,
      onStage: note,
      onProgress: ({ source, received, total }) =>
        note(`fetching ${id} from ${source}, ${Math.floor(100 * received / total)}%`),
    };
    if (target) {
      const model = target.model as LoadedModel; // as all that this loader gives
      return draftSubjectOf(await openStudied(id, model, loading));
    }
    const hidden = await anyReadsHidden(drafts, loading);
    return subjectOf(await loadModel(id, { ...loading, hidden }));
  };
}

/**
 * Opens a draft for rows, which know one precision of it.
 *
 * @param draft A catalogue id, a shape's id or the path of a .gguf file.
 * @param target What it drafts for.
 * @param options How to load it.
 * @returns The draft.
 * @throws {ArgumentError} If it runs layers of its target in another precision than its own.
 * @throws {DraftError} If its tokenizer is not the target's.
 */
export async function openStudied(
  draft: string,
  target: LoadedModel,
  options: DraftOptions,
): Promise<LoadedDraft> {
  const opened = await openDraft(draft, target, options);
  const { precision } = opened.model.details;
  if (opened.role !== "exit" || precision === target.details.precision) return opened;
  await opened[Symbol.asyncDispose]();
  throw new ArgumentError(
    `Cannot study ${draft} in ${precision} as its layers are those of a target in ${target.details.precision}: study it in that precision`,
  );
}
