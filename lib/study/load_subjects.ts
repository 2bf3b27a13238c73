/**
 * Loading what is under study: real weights, a target before what drafts for it.
 *
 * @module
 */

import { type LoadedModel, loadModel, type LoadOptions } from "../engine/load.ts";
import {
  DraftError,
  type DraftOptions,
  type LoadedDraft,
  openDraft,
  readHidden,
} from "../engine/open_draft.ts";
import type { Runtime } from "../onnx/mod.ts";
import type { Condition, Draft } from "./conditions.ts";
import { draftSubjectOf, type Subject, type SubjectLoader, subjectOf } from "./subject.ts";

/** How real weights are loaded. */
export interface SubjectLoaderOptions {
  /** Stops what is loaded. */
  readonly signal?: AbortSignal;
  /** Told what loading does. */
  readonly onNote?: (text: string) => void;
}

/**
 * A loader of real weights.
 *
 * @param runtime Where passes run.
 * @param options Signal; who is told.
 * @returns The loader. It throws a DraftError if a draft cannot draft for its target in rows.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { Runtime } from "@specbound/specbound";
 * using runtime = new Runtime({ threads: 1 });
 * const load = subjectLoader(runtime);
 * const options = { precision: "int4", threads: 1, exact: false } as const;
 * await assertRejects(() => load("no-such-model", options), Error, "no-such-model");
 * ```
 */
export function subjectLoader(
  runtime: Runtime,
  { signal, onNote }: SubjectLoaderOptions = {},
): SubjectLoader {
  return async (id, { precision, exact, target, drafts = [] }) => {
    const loading: LoadOptions = {
      runtime,
      precision,
      exact,
      ...(signal && { signal }),
      ...(onNote && {
        onStage: onNote,
        onProgress: ({ source, received, total }) =>
          onNote(`fetching ${id} from ${source}, ${Math.floor(100 * received / total)}%`),
      }),
    };
    if (target) {
      const model = target.model as LoadedModel; // as all that this loader gives
      return draftSubjectOf(await openStudied(id, model, loading));
    }
    const hidden = await readHidden(drafts, loading);
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
 * @throws {DraftError} If its tokenizer is not the target's, or it runs layers of its target in
 *   another precision than its own.
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
  throw new DraftError(
    `Cannot study ${draft} in ${precision} as its layers are those of a target in ${target.details.precision}: study it in that precision`,
  );
}

/** How subjects are loaded. */
export interface LoadSubjectsOptions {
  /** Loads one. */
  readonly load: SubjectLoader;
  /** Stops between two. */
  readonly signal?: AbortSignal;
}

/**
 * Loads a target, then the models that draft for it.
 *
 * @param target The target's id and precision, and how passes run.
 * @param drafts What drafts; tables and replays need no model, and no model is loaded twice.
 * @param options Loader, signal.
 * @param loaded Disposes of them, the target last.
 * @returns The target, then the draft models.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type SubjectLoader, tableModel } from "@specbound/specbound";
 * const asked: unknown[] = [];
 * const load: SubjectLoader = (id, { precision, drafts, target }) => {
 *   asked.push([id, drafts ?? target?.id]);
 *   return Promise.resolve({
 *     model: tableModel({ vocabularySize: 9, seed: 1 }), id, hash: null, precision,
 *     headPrecision: null, differingWidths: null, attention: null, provider: "table",
 *     endOfText: new Set<number>(), encode: () => [1, 2, 3],
 *     [Symbol.asyncDispose]: () => Promise.resolve(),
 *   });
 * };
 * await using loaded = new AsyncDisposableStack();
 * const target = { model: "m", precision: "fp32", threads: 1, exact: true } as const;
 * const draft = { draft: "model", draftModel: "d", draftPrecision: "int8" } as const;
 * await loadSubjects(target, [{ draft: "ngram" }, draft, draft], { load }, loaded);
 * assertEquals(asked, [["m", ["d"]], ["d", "m"]]);
 * ```
 */
export async function loadSubjects(
  { model, precision, threads, exact }: Pick<
    Condition,
    "model" | "precision" | "threads" | "exact"
  >,
  drafts: readonly Draft[],
  { load, signal }: LoadSubjectsOptions,
  loaded: AsyncDisposableStack,
): Promise<[Subject, ...Subject[]]> {
  const models = drafts.filter((draft) => draft.draft === "model");
  const distinct = new Map(models.map((one) => [`${one.draftModel} ${one.draftPrecision}`, one]));
  const ids = new Set(models.map(({ draftModel }) => draftModel));
  const running = { threads, exact };
  const target = loaded.use(await load(model, { ...running, precision, drafts: [...ids] }));
  const subjects: [Subject, ...Subject[]] = [target];
  for (const { draftModel, draftPrecision: precision } of distinct.values()) {
    signal?.throwIfAborted();
    subjects.push(loaded.use(await load(draftModel, { ...running, precision, target })));
  }
  return subjects;
}
