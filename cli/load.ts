/**
 * Loading a model with its progress on stderr.
 *
 * @module
 */

import { type LoadedModel, loadModel, type LoadOptions } from "../lib/engine/load.ts";
import { type Progress, progress } from "./progress.ts";

/**
 * Loads a model and shows what that takes: a bar while it is fetched, a line for each step after.
 *
 * @param model A catalogue id or the path of a .gguf file.
 * @param options How to load it.
 * @returns The model.
 */
export async function loadWithProgress(model: string, options: LoadOptions): Promise<LoadedModel> {
  let bar: Progress | null = null;
  const endBar = (): void => {
    bar?.end();
    bar = null;
  };
  try {
    return await loadModel(model, {
      ...options,
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
