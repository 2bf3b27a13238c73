/**
 * What drafts, as a command's flags name it.
 *
 * @module
 */

import type { Drafter } from "../lib/decoding/drafters/drafter.ts";
import { firstOf } from "../lib/decoding/drafters/first_of.ts";
import { modelDrafter } from "../lib/decoding/drafters/model.ts";
import { onlineNgram } from "../lib/decoding/drafters/online_ngram.ts";
import { promptLookup } from "../lib/decoding/drafters/prompt_lookup.ts";
import type { LoadedModel, LoadOptions } from "../lib/engine/load.ts";
import type { Precision } from "../lib/models/graph.ts";
import { ArgumentError } from "./arguments.ts";
import { loadWithProgress } from "./load.ts";

/** The flags that choose a drafter. */
export interface DrafterFlags {
  /** The target, by its catalogue id or path. */
  readonly model: string;
  /** "none", or with commas "prompt-lookup", "ngram", "int4-self" or models. */
  readonly draft: string;
  /** The precision of a model that drafts. */
  readonly draftPrecision: Precision;
}

/**
 * Opens what `--draft` names.
 *
 * @param flags What to open.
 * @param target The model it drafts for.
 * @param loading How a model that drafts is loaded.
 * @returns The first of those named that proposes anything, or null for none; disposing of it
 *   disposes of its models.
 * @throws {ArgumentError} If the draft's tokenizer is not the target's.
 */
export async function openDrafter(
  flags: DrafterFlags,
  target: LoadedModel,
  loading: LoadOptions,
): Promise<Drafter | null> {
  if (flags.draft === "none") return null;
  const names = flags.draft.split(",");
  await using opened = new AsyncDisposableStack();
  const drafters: Drafter[] = [];
  for (const [i, draft] of names.entries()) {
    const last = i === names.length - 1;
    drafters.push(opened.use(await openOne({ ...flags, draft }, last, target, loading)));
  }
  opened.move(); // whoever asked disposes of them
  return drafters.length === 1 ? drafters[0]! : firstOf(drafters);
}

async function openOne(
  flags: DrafterFlags,
  last: boolean,
  target: LoadedModel,
  loading: LoadOptions,
): Promise<Drafter> {
  if (flags.draft === "prompt-lookup") return promptLookup();
  // Where another drafter stands ready, an unsure n-gram costs its better draft.
  if (flags.draft === "ngram") return onlineNgram(last ? {} : { threshold: 0.7 });
  const self = flags.draft === "int4-self";
  const model = await loadWithProgress(self ? flags.model : flags.draft, {
    ...loading,
    precision: self ? "int4" : flags.draftPrecision,
  });
  if (model.tokenizer.fingerprint === target.tokenizer.fingerprint) return owning(model);
  await model[Symbol.asyncDispose]();
  throw new ArgumentError(
    `Cannot draft with ${flags.draft} as its tokenizer is not that of ${flags.model}: choose a draft of the target's family`,
  );
}

/** A drafter that takes its model along when it goes. */
function owning(model: LoadedModel): Drafter {
  const drafter = modelDrafter(model);
  return {
    ...drafter,
    async [Symbol.asyncDispose]() {
      await drafter[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
    },
  };
}
