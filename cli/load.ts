/**
 * Loading models with their progress on stderr.
 *
 * @module
 */

import { type LoadedModel, loadModel, type LoadOptions } from "../lib/engine/load.ts";
import { type DraftOptions, type LoadedDraft, openDraft } from "../lib/engine/open_draft.ts";
import { type Progress, progress } from "./progress.ts";

/**
 * Loads a model and shows what that takes: a bar while it is fetched, a line for each step after.
 *
 * @param model A catalogue id or the path of a .gguf file.
 * @param options How to load it.
 * @returns The model.
 */
export async function loadWithProgress(model: string, options: LoadOptions): Promise<LoadedModel> {
  return await showing(model, (shown) => loadModel(model, { ...options, ...shown }));
}

/**
 * Opens a draft and shows what that takes, as {@linkcode loadWithProgress} does.
 *
 * @param draft A catalogue id or the path of a .gguf file.
 * @param target What it drafts for.
 * @param options How to load it.
 * @returns The draft.
 */
export async function openDraftWithProgress(
  draft: string,
  target: LoadedModel,
  options: DraftOptions,
): Promise<LoadedDraft> {
  return await showing(draft, (shown) => openDraft(draft, target, { ...options, ...shown }));
}

async function showing<T>(
  model: string,
  load: (shown: Required<Pick<LoadOptions, "onProgress" | "onStage">>) => Promise<T>,
): Promise<T> {
  let bar: Progress | null = null;
  const endBar = (): void => {
    bar?.end();
    bar = null;
  };
  try {
    return await load({
      onProgress: ({ source, received, total }) => {
        bar ??= progress(`Fetching ${model}`);
        bar.update(received, total, `${(received / 1e6).toFixed(0)} MB from ${source}`);
      },
      onStage: (stage) => {
        endBar();
        if (Deno.stderr.isTerminal()) console.error(`… ${stage}`);
      },
    });
  } finally {
    endBar();
  }
}
