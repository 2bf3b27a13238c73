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
import type { OnnxContext } from "../lib/engine/onnx_model.ts";
import type { Precision } from "../lib/models/graph.ts";
import { frequentTokens } from "../lib/models/token_ranking.ts";
import { ArgumentError } from "./arguments.ts";
import { loadWithProgress } from "./load.ts";

/** The flags that choose a drafter. */
export interface DrafterFlags {
  /** The target, by its catalogue id or path. */
  readonly model: string;
  /** "none", or with commas "prompt-lookup", "ngram", "int4-self", "self:LAYERS" or models. */
  readonly draft: string;
  /** The precision of a model that drafts. */
  readonly draftPrecision: Precision;
  /** How many tokens a model that drafts scores, the most frequent; 0 for all. */
  readonly draftVocabulary: number;
}

/** Tokens by how often the default target writes them. */
const RANKING = new URL("../data/models/frequent_tokens.json", import.meta.url);

/**
 * Opens what `--draft` names.
 *
 * @param flags What to open.
 * @param target The model it drafts for.
 * @param context The context that it drafts for.
 * @param loading How a model that drafts is loaded.
 * @returns The first of those named that proposes anything, or null for none; disposing of it
 *   disposes of its models.
 * @throws {ArgumentError} If the draft's tokenizer is not the target's.
 */
export async function openDrafter(
  flags: DrafterFlags,
  target: LoadedModel,
  context: OnnxContext,
  loading: LoadOptions,
): Promise<Drafter | null> {
  if (flags.draft === "none") return null;
  const names = flags.draft.split(",");
  await using opened = new AsyncDisposableStack();
  const drafters: Drafter[] = [];
  for (const [i, draft] of names.entries()) {
    const last = i === names.length - 1;
    drafters.push(opened.use(await openOne({ ...flags, draft }, last, target, context, loading)));
  }
  opened.move(); // whoever asked disposes of them
  return drafters.length === 1 ? drafters[0]! : firstOf(drafters);
}

async function openOne(
  flags: DrafterFlags,
  last: boolean,
  target: LoadedModel,
  context: OnnxContext,
  loading: LoadOptions,
): Promise<Drafter> {
  if (flags.draft === "prompt-lookup") return promptLookup();
  // Where another drafter stands ready, an unsure n-gram costs its better draft.
  if (flags.draft === "ngram") return onlineNgram(last ? {} : { threshold: 0.7 });
  const { draftVocabulary: kept } = flags;
  const trimmed = kept === 0 ? {} : {
    vocabulary: frequentTokens(Deno.readTextFileSync(RANKING), kept, target.tokenizer),
  };
  const layers = /^self:(.*)$/.exec(flags.draft)?.[1];
  if (layers !== undefined) {
    const { precision } = target.details;
    const cut = { ...loading, ...trimmed, precision, layers: Number(layers) };
    return owning(await loadWithProgress(flags.model, cut), context);
  }
  const self = flags.draft === "int4-self";
  const model = await loadWithProgress(self ? flags.model : flags.draft, {
    ...loading,
    ...trimmed,
    precision: self ? "int4" : flags.draftPrecision,
  });
  if (model.tokenizer.fingerprint === target.tokenizer.fingerprint) return owning(model);
  await model[Symbol.asyncDispose]();
  throw new ArgumentError(
    `Cannot draft with ${flags.draft} as its tokenizer is not that of ${flags.model}: choose a draft of the target's family`,
  );
}

/** A drafter that takes its model along when it goes. It reads the text itself, or follows. */
function owning(model: LoadedModel, followed?: OnnxContext): Drafter {
  const owned = new AsyncDisposableStack();
  owned.use(model);
  const context = owned.use(followed ? model.follow(followed) : model.open());
  return {
    ...modelDrafter(context, model.name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
