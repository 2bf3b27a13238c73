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
import { readHidden } from "../lib/engine/open_draft.ts";
import type { Precision } from "../lib/models/graph.ts";
import { frequentTokens } from "../lib/models/token_ranking.ts";
import { loadWithProgress, openDraftWithProgress } from "./load.ts";

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

/** What `--draft` names that is no model of its own. */
const BUILT_IN = /^(none|prompt-lookup|ngram|int4-self|self:.*)$/;

/**
 * Whether what `--draft` names reads the target's hidden states, so that the target must be loaded
 * with them.
 *
 * @param flags What will be opened.
 * @param loading How.
 * @returns Whether it does.
 */
export async function wantsHidden(
  { draft }: Pick<DrafterFlags, "draft">,
  loading: LoadOptions,
): Promise<boolean> {
  return await readHidden(draft.split(",").filter((name) => !BUILT_IN.test(name)), loading);
}

/**
 * Opens what `--draft` names.
 *
 * @param flags What to open.
 * @param target The model it drafts for.
 * @param context The context that it drafts for.
 * @param loading How a model that drafts is loaded.
 * @returns The first of those named that proposes anything, or null for none; disposing of it
 *   disposes of its models.
 * @throws {DraftError} If the draft's tokenizer is not the target's.
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
    const model = await loadWithProgress(flags.model, cut);
    return owning(model, model.follow(context));
  }
  if (flags.draft === "int4-self") {
    const cheaper = { ...loading, ...trimmed, precision: "int4" } as const;
    const model = await loadWithProgress(flags.model, cheaper);
    return owning(model, model.open());
  }
  const own = { ...loading, ...trimmed, precision: flags.draftPrecision };
  const draft = await openDraftWithProgress(flags.draft, target, own);
  return owning(draft.model, draft.open(context));
}

/** A drafter that takes its model and context along when it goes. */
function owning(model: LoadedModel, context: OnnxContext): Drafter {
  const owned = new AsyncDisposableStack();
  owned.use(model);
  owned.use(context);
  return {
    ...modelDrafter(context, model.name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
