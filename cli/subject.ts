/**
 * Models as studies see them.
 *
 * @module
 */

import { loadModel } from "../lib/engine/load.ts";
import type { Runtime } from "../lib/onnx/mod.ts";
import { type SubjectLoader, subjectOf } from "../lib/study/subject.ts";
import { ArgumentError } from "./arguments.ts";

/**
 * A loader of real weights.
 *
 * @param runtime Where passes run.
 * @param signal Stops what is loaded.
 * @param note Told what loading does.
 * @returns The loader. All that it loads must share the first model's tokenizer, or it throws an
 *   ArgumentError.
 */
export function subjectLoader(
  runtime: Runtime,
  signal: AbortSignal,
  note: (text: string) => void,
): SubjectLoader {
  let first: { readonly id: string; readonly fingerprint: string } | null = null;
  return async (id, { precision, exact }) => {
    const model = await loadModel(id, {
      runtime,
      precision,
      exact,
      signal,
      onStage: note,
      onProgress: ({ source, received, total }) =>
        note(`fetching ${id} from ${source}, ${Math.floor(100 * received / total)}%`),
    });
    const { fingerprint } = model.tokenizer;
    first ??= { id, fingerprint };
    if (fingerprint !== first.fingerprint) {
      await model[Symbol.asyncDispose]();
      throw new ArgumentError(
        `Cannot draft with ${id} as its tokenizer is not that of ${first.id}: choose a draft of the target's family`,
      );
    }
    return subjectOf(model);
  };
}
