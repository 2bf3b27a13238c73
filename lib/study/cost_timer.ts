/**
 * The seam between the cost layer and what it times: tests put planted costs there, the command
 * real weights.
 *
 * @module
 */

import { speculateBatch } from "../decoding/batch.ts";
import { replay } from "../decoding/drafters/replay.ts";
import { fixed } from "../decoding/policies/fixed.ts";
import type { Round } from "../decoding/round.ts";
import type { OnnxContext, OnnxModel } from "../engine/onnx_model.ts";
import type { TokenId } from "../models/token.ts";
import { type CostShape, PREFILL_WIDTH } from "./cost_plan.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

/** Times cells of one context and batch. Disposing of it frees the context. */
export interface CostTimer extends AsyncDisposable {
  /** Does it once; returns the milliseconds it took. */
  time(shape: CostShape): Promise<number>;
}

/** A model whose costs are measured. Disposing of it frees the model. */
export interface CostSubject
  extends
    AsyncDisposable,
    Pick<Subject, "id" | "hash" | "precision" | "headPrecision" | "attention" | "provider"> {
  /** Positions that the model was made for. */
  readonly limit: number;
  /** Opens `batch` rows of `context` tokens. */
  open(context: number, batch: number): Promise<CostTimer>;
}

/** Loads a model by its id. */
export type CostLoader = (
  id: string,
  options: SubjectOptions<CostSubject>,
) => Promise<CostSubject>;

/**
 * Times a model of the engine. The text before the new tokens is pretended: its slots hold zeros,
 * which cost what text and noise do. (CPU time of a pass after real text or after noise was 0.94 to
 * 1.12 times that after zeros in 27 comparisons on a busy machine, 1.007 times on average:
 * SmolLM2-135M, fp32 and int4, scattered, n = 1,024 and 4,096, w = 1, 5 and 17.)
 *
 * @param model The model.
 * @param context Tokens before the new ones. Slots that longer text took would cost shorter text
 *   time, so a timer keeps to one context.
 * @param batch Rows.
 * @param target Of a head: its target, behind a context of which its own is opened.
 * @returns The timer. It throws a RangeError if asked for prefill of a head that reads no prompt, as
 *   it finds keys and values in its target's cache.
 */
export async function costTimer(
  model: OnnxModel,
  context: number,
  batch: number,
  target?: OnnxModel,
): Promise<CostTimer> {
  await using stack = new AsyncDisposableStack();
  const leader = target && stack.use(target.open(batch));
  if (leader) await lead(leader, target, model, context);
  const opened = stack.use(leader ? model.follow(leader) : model.open(batch));
  const contexts = stack.move();
  let continuation: readonly TokenId[] = [];
  return {
    async time({ kind, width }) {
      if (kind === "prefill" && leader && !model.readsHidden) {
        throw new RangeError(
          `Cannot time prefill of ${model.name} as its target reads the prompt for it: count no time`,
        );
      }
      for (let row = 0; row < batch; row++) opened.pretend(context, row);
      if (kind === "host") {
        if (continuation.length < width) continuation = await record(opened, model, width);
        const [round] = await decode(opened, model, continuation, width - 1, width);
        return round!.sampleMs + round!.hostMs;
      }
      const list = Array.from({ length: width }, (_, i) => (i * 31 + 13) % model.vocabularySize);
      const tokens = new Array<TokenId[]>(batch).fill(list);
      const started = performance.now();
      if (kind === "pass") await opened.evaluate(tokens);
      else await opened.append(tokens);
      return performance.now() - started;
    },
    [Symbol.asyncDispose]: () => contexts.disposeAsync(),
  };
}

/**
 * Has a target's context read as far as a head's passes need: to the end of their text if the head
 * goes on in its cache, further if it reads hidden states of new tokens.
 */
async function lead(
  leader: OnnxContext,
  target: OnnxModel,
  head: OnnxModel,
  context: number,
): Promise<void> {
  const rows = Array.from({ length: leader.rows }, (_, row) => row);
  const end = Math.min(context + PREFILL_WIDTH, target.contextLength);
  for (const row of rows) leader.pretend(head.readsHidden ? end - 1 : context, row);
  if (head.readsHidden) await leader.append(rows.map(() => [0])); // so that all have slots
}

/** The model's greedy continuation, read in passes of two as verification reads: any token drafts. */
async function record(
  context: OnnxContext,
  model: OnnxModel,
  maxTokens: number,
): Promise<TokenId[]> {
  const rounds = await decode(context, model, new Array(maxTokens).fill(0), 1, maxTokens);
  return rounds.flatMap(({ emitted }) => emitted);
}

/**
 * The first row's rounds of decoding all rows with a draft. What of it is accepted is looked at like
 * any text, so a draft that is right makes a round's work outside of passes the most there can be.
 */
async function decode(
  context: OnnxContext,
  { vocabularySize }: OnnxModel,
  draft: readonly TokenId[],
  draftLength: number,
  maxTokens: number,
): Promise<Round[]> {
  const lengths = Array.from({ length: context.rows }, (_, row) => context.length(row));
  const prompts = lengths.map((length) => new Array<TokenId>(length + 1).fill(13)); // read but for one
  const rounds = await Array.fromAsync(speculateBatch(
    context,
    prompts.map(({ length }) => replay(length, draft, { acceptance: 1, seed: 1, vocabularySize })),
    prompts,
    { maxTokens, seeds: prompts.map(() => 1), policies: prompts.map(() => fixed(draftLength)) },
  ));
  lengths.forEach((length, row) => context.truncate(length, row));
  return rounds.map(([round]) => round!);
}
