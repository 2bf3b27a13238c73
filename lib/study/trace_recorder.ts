/**
 * Recording traces.
 *
 * @module
 */

import { autoregress } from "../decoding/autoregressive.ts";
import type { Drafter } from "../decoding/drafters/drafter.ts";
import { modelDrafter } from "../decoding/drafters/model.ts";
import type { Round } from "../decoding/round.ts";
import { prefill } from "../decoding/prefill.ts";
import { argmax, cut, type Distribution, sample, type Sampling } from "../decoding/sampling.ts";
import type { Context, Evaluation } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import { type Random, stream } from "../random.ts";
import { requireInteger } from "../validate.ts";
import type { ChosenDraft, ChosenTrace, DrawnDraft, DrawnTrace, Trace } from "./trace.ts";

/** Tokens of text that are scored in one pass. */
const STRIDE = 16;

/** A text that the target decoded plainly. */
export interface RecordedText extends Pick<Trace, "tokens" | "stop" | "maxTokens"> {
  /** What it continues. */
  readonly prompt: readonly TokenId[];
  /** How its tokens were chosen. */
  readonly sampling: Sampling;
}

/** Settings of a text. */
export interface RecordTextOptions {
  /** Most tokens. */
  readonly maxTokens: number;
  /** How tokens are chosen. Default greedy. */
  readonly sampling?: Sampling;
  /** Seed of sampling. */
  readonly seed: number | string;
  /** Tokens that end the text. */
  readonly endOfText: ReadonlySet<TokenId>;
  /** Stops between passes. */
  readonly signal?: AbortSignal;
}

/** A head that is to be traced. */
export interface TracedHead {
  /** The target's context: a prefix of the prompt. It is forked. */
  readonly target: Context;
  /** Opens a context of the head that follows one of the target. */
  readonly follow: (target: Context) => Context;
}

/** Settings of a trace. */
export interface RecordTraceOptions {
  /** Tokens asked of each draft: the longest draft that can be replayed. */
  readonly longest: number;
  /** Stops between passes. */
  readonly signal?: AbortSignal;
}

/**
 * Decodes the text that traces are made of. All drafts' traces of one text see the same luck.
 *
 * @param target The target's context: a prefix of the prompt. It is forked.
 * @param prompt The prompt.
 * @param options Length, sampling, seed.
 * @returns The text, with the token that ended it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const target = tableModel({ vocabularySize: 5, seed: 1 }).open();
 * const options = { maxTokens: 9, seed: 1, endOfText: new Set<number>() };
 * assertEquals((await recordText(target, [0, 1], options)).tokens.length, 9);
 * ```
 */
export async function recordText(
  target: Context,
  prompt: readonly TokenId[],
  options: RecordTextOptions,
): Promise<RecordedText> {
  const { endOfText, sampling = {}, ...decoding } = options;
  await using fork = target.fork();
  const tokens: TokenId[] = [];
  const { maxTokens } = options;
  for await (const { emitted } of autoregress(fork, prompt, { ...decoding, sampling })) {
    tokens.push(...emitted);
    if (endOfText.has(tokens.at(-1)!)) return { prompt, tokens, stop: "end", maxTokens, sampling };
  }
  return { prompt, tokens, stop: "length", maxTokens, sampling };
}

/**
 * Traces a drafter by asking it at every position. It fits any drafter whose tokens are chosen and do
 * not depend on what became of its drafts before; n-gram tables answer at once.
 *
 * @param text The text.
 * @param drafter What drafts.
 * @param options The longest draft.
 * @returns The trace.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { promptLookup } from "@specbound/specbound";
 * const text = { prompt: [7, 8, 9, 4, 7, 8], tokens: [9, 4, 5], sampling: {} };
 * const recorded = { ...text, stop: "length", maxTokens: 3 } as const;
 * const { drafts } = await traceDrafter(recorded, promptLookup(), { longest: 4 });
 * assertEquals(drafts.map(({ right }) => right), [2, 1, 0]);
 * ```
 */
export async function traceDrafter(
  text: RecordedText,
  drafter: Drafter,
  options: RecordTraceOptions,
): Promise<ChosenTrace> {
  const { prompt, tokens } = text;
  requireInteger("trace", "longest", options.longest, 1);
  await drafter.begin?.(prompt);
  const drafts: ChosenDraft[] = [];
  for (const [position, token] of tokens.entries()) {
    options.signal?.throwIfAborted();
    const drafted = await draftAt(text, position, drafter, options);
    const wrong = drafted.tokens.findIndex((guess, i) => guess !== tokens[position + i]);
    const offered = drafted.tokens.length;
    drafts.push({ offered, right: wrong < 0 ? offered : wrong, confidences: drafted.confidences });
    drafter.observe?.(plainRound(token), [...prompt, ...tokens.slice(0, position + 1)]);
  }
  return chosenTrace(text, drafts, options);
}

/**
 * Traces a model that drafts greedily. What it makes of the text is read off wide passes; only what
 * it would draft on from each wrong token takes passes of its own, and these are the same wherever
 * the draft began.
 *
 * @param text A greedy text.
 * @param draft The draft's context: a prefix of the prompt. It is forked.
 * @param options The longest draft.
 * @returns The trace that {@linkcode traceDrafter} would make.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { modelDrafter, tableModel } from "@specbound/specbound";
 * const [target, draft] = [1, 2].map((seed) => tableModel({ vocabularySize: 3, seed }));
 * const options = { maxTokens: 20, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(target!.open(), [0, 1], options);
 * const slow = await traceDrafter(text, modelDrafter(draft!), { longest: 4 });
 * assertEquals(await traceModel(text, draft!.open(), { longest: 4 }), slow);
 * ```
 */
export async function traceModel(
  text: RecordedText,
  draft: Context,
  options: RecordTraceOptions,
): Promise<ChosenTrace> {
  const { prompt, tokens, maxTokens } = text;
  const { longest, signal } = options;
  requireInteger("trace", "longest", longest, 1);
  const guesses: { readonly right: boolean; readonly confidence: number }[] = [];
  await score(text, [draft], ([pass], index, token) => {
    const guess = argmax(pass!.logits(index));
    const confidence = pass!.probabilities(index, 1)[guess]!;
    guesses.push({ right: guess === token, confidence });
  }, signal);
  const wrong = guesses.flatMap(({ right }, position) => right ? [] : [position]);
  if (text.stop === "end") wrong.push(tokens.length); // drafts go on past the end of the text

  await using context = draft.fork();
  await using drafter = modelDrafter(context);
  const fromWrong = new Map<number, readonly number[]>();
  for (const position of wrong) {
    signal?.throwIfAborted();
    fromWrong.set(position, (await draftAt(text, position, drafter, options)).confidences);
    context.truncate(Math.min(context.length(), prompt.length + position));
  }
  const drafts = tokens.map((_, position) => {
    const offered = Math.max(0, Math.min(longest, maxTokens - position - 1));
    const next = wrong.find((place) => place >= position) ?? tokens.length;
    const sure = guesses.slice(position, next).map(({ confidence }) => confidence);
    // The last token's confidence is not asked for, as the draft ends there anyway.
    const confidences = [...sure, ...fromWrong.get(next) ?? []].slice(0, Math.max(0, offered - 1));
    return { offered, right: Math.min(next - position, offered), confidences };
  });
  return chosenTrace(text, drafts, options);
}

/**
 * Traces a model that draws its drafts as the target draws its tokens.
 *
 * @param text A text drawn from the target.
 * @param contexts The target's and the draft's: prefixes of the prompt. They are forked.
 * @param options The longest draft, and the seed of the draws that calibration looks at.
 * @returns The trace.
 *
 * @example A draft equal to its target always stands
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const model = tableModel({ vocabularySize: 5, seed: 1 });
 * const options = { maxTokens: 9, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(model.open(), [0], { ...options, sampling: { temperature: 1 } });
 * const contexts = { target: model.open(), draft: model.open() };
 * const { drafts } = await traceDraws(text, contexts, { longest: 4, seed: 1 });
 * for (const { overlap } of drafts) assertAlmostEquals(overlap, 1);
 * ```
 */
export async function traceDraws(
  text: RecordedText,
  { target, draft }: { readonly target: Context; readonly draft: Context },
  options: RecordTraceOptions & { readonly seed: number | string },
): Promise<DrawnTrace> {
  requireInteger("trace", "longest", options.longest, 1);
  const random = stream(options.seed, "calibration");
  const drafts: DrawnDraft[] = [];
  await score(text, [target, draft], (passes, index, token) => {
    const [p, q] = passes.map((pass) => distributionAt(pass, index, text.sampling)) as [
      Distribution,
      Distribution,
    ];
    drafts.push({ chance: Math.min(1, q[token]! / p[token]!), ...compare(p, q, random) });
  }, options.signal);
  return drawnTrace(text, drafts, options);
}

/**
 * Traces a head that drafts greedily. It is asked at every position, after its target has read the
 * text up to there: what it drafts from a wrong token depends on where the draft began.
 *
 * @param text The text.
 * @param head The head, and its target's context.
 * @param options The longest draft.
 * @returns The trace.
 *
 * @example A model that needs no target has the trace of a model
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const [target, draft] = [1, 2].map((seed) => tableModel({ vocabularySize: 3, seed }));
 * const options = { maxTokens: 20, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(target!.open(), [0, 1], options);
 * const head = { target: target!.open(), follow: () => draft!.open() };
 * const trace = await traceModel(text, draft!.open(), { longest: 4 });
 * assertEquals(await traceHead(text, head, { longest: 4 }), trace);
 * ```
 */
export async function traceHead(
  text: RecordedText,
  { target, follow }: TracedHead,
  options: RecordTraceOptions,
): Promise<ChosenTrace> {
  await using leader = target.fork();
  await using context = follow(leader);
  await using drafter = modelDrafter(context);
  const behind: Drafter = {
    ...drafter,
    async begin(prompt) {
      await prefill(leader, prompt, options);
      await drafter.begin!(prompt);
    },
    async propose(read, request) {
      await prefill(leader, read, options);
      return await drafter.propose(read, request);
    },
  };
  return await traceDrafter(text, behind, options);
}

/**
 * Traces a head that draws its drafts as the target draws its tokens. At every position it reads on
 * along the text, as a draft would that stood.
 *
 * @param text A text drawn from the target.
 * @param head The head, and its target's context.
 * @param options The longest draft, and the seed of the draws that calibration looks at.
 * @returns The trace, with the chances of further tokens at each position.
 *
 * @example A model that needs no target has the same chances wherever a draft begins
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const [target, draft] = [1, 2].map((seed) => tableModel({ vocabularySize: 3, seed }));
 * const options = { maxTokens: 9, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(target!.open(), [0], { ...options, sampling: { temperature: 1 } });
 * const head = { target: target!.open(), follow: () => draft!.open() };
 * const { drafts } = await traceHeadDraws(text, head, { longest: 4, seed: 1 });
 * assertEquals(drafts[0]!.further, drafts.slice(1, 4).map(({ chance }) => chance));
 * ```
 */
export async function traceHeadDraws(
  text: RecordedText,
  { target, follow }: TracedHead,
  options: RecordTraceOptions & { readonly seed: number | string },
): Promise<DrawnTrace> {
  const { longest, signal } = options;
  requireInteger("trace", "longest", longest, 1);
  const { prompt, tokens, maxTokens, sampling } = text;
  const random = stream(options.seed, "calibration");
  await using leader = target.fork();
  await prefill(leader, prompt, options);
  await using context = follow(leader);
  await prefill(context, prompt, options);
  const wanted: number[] = []; // p of the text's token at each position
  const offered: number[][] = []; // q of the text's tokens from each position on
  const compared: Omit<DrawnDraft, "chance">[] = [];
  for (const [position, token] of tokens.entries()) {
    signal?.throwIfAborted();
    const read = [...prompt, ...tokens.slice(0, position)];
    const depth = Math.max(1, Math.min(longest, maxTokens - position - 1));
    const ahead = tokens.slice(position, position + depth);
    const shares: number[] = [];
    let first: Distribution | undefined;
    for await (const q of readOn(context, read, ahead, sampling)) {
      first ??= q;
      shares.push(q[ahead[shares.length]!]!);
    }
    const evaluation = await leader.evaluate([read.slice(-1)]);
    const p = distributionAt(evaluation, 0, sampling);
    leader.commit(evaluation, [1]);
    wanted.push(p[token]!);
    offered.push(shares);
    compared.push(compare(p, first!, random));
  }
  const drafts = compared.map((first, position): DrawnDraft => {
    const chances = offered[position]!.map((q, i) => Math.min(1, q / wanted[position + i]!));
    return { chance: chances[0]!, further: chances.slice(1), ...first };
  });
  return drawnTrace(text, drafts, options);
}

/** What a model says before each of the tokens `ahead`, which it reads one by one as if it drafted them. */
async function* readOn(
  context: Context,
  read: readonly TokenId[],
  ahead: readonly TokenId[],
  sampling: Sampling,
): AsyncGenerator<Distribution, void> {
  context.truncate(Math.min(context.length(), read.length - 1));
  let unread = read.slice(context.length());
  for (const token of ahead) {
    const evaluation = await context.evaluate([unread], undefined, "last");
    const q = distributionAt(evaluation, unread.length - 1, sampling);
    context.commit(evaluation, [unread.length]);
    yield q;
    unread = [token];
  }
}

function distributionAt(evaluation: Evaluation, index: number, sampling: Sampling): Distribution {
  return cut(evaluation.probabilities(index, sampling.temperature ?? 0), sampling);
}

/** Reads a text in wide passes, and hands over what each model's pass found before each token. */
async function score(
  { prompt, tokens }: RecordedText,
  models: readonly Context[],
  visit: (passes: readonly Evaluation[], index: number, token: TokenId) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const contexts = models.map((model) => opened.use(model.fork()));
  for (const context of contexts) await prefill(context, prompt);
  const read = [prompt.at(-1)!, ...tokens.slice(0, -1)];
  for (let from = 0; from < read.length; from += STRIDE) {
    signal?.throwIfAborted();
    const chunk = read.slice(from, from + STRIDE);
    const evaluations: Evaluation[] = [];
    for (const context of contexts) evaluations.push(await context.evaluate([chunk]));
    chunk.forEach((_, index) => visit(evaluations, index, tokens[from + index]!));
    contexts.forEach((context, i) => context.commit(evaluations[i]!, [chunk.length]));
  }
}

/** A draft after the text's first `position` tokens, and how sure the drafter was. */
async function draftAt(
  { prompt, tokens, maxTokens, sampling }: RecordedText,
  position: number,
  drafter: Drafter,
  { longest }: RecordTraceOptions,
): Promise<{ readonly tokens: readonly TokenId[]; readonly confidences: readonly number[] }> {
  const limit = Math.min(longest, maxTokens - position - 1);
  if (limit < 1) return { tokens: [], confidences: [] };
  const confidences: number[] = [];
  const proceed = (confidence: number) => confidences.push(confidence) > 0;
  const request = { limit, sampling, random: NOT_DRAWN, proceed };
  const text = [...prompt, ...tokens.slice(0, position)];
  const proposal = await drafter.propose(text, request);
  if (proposal.distributions || proposal.parents) {
    throw new TypeError(
      `Cannot trace ${drafter.name} as its drafts are drawn or trees: trace a draft of chosen tokens`,
    );
  }
  return { tokens: proposal.tokens, confidences };
}

/** Chosen tokens need no luck. */
const NOT_DRAWN: Random = () => {
  throw new TypeError("Cannot trace a drafter that draws: trace its model instead");
};

/** A token of the text as plain decoding emits it. */
function plainRound(token: TokenId): Round {
  const times = { draftMs: 0, verifyMs: 0, sampleMs: 0, hostMs: 0 };
  const counts = { drafter: null, drafted: [], tested: 0, accepted: 0 };
  return { ...counts, emitted: [token], stop: null, ...times };
}

/** How much of p and q is the same, and what becomes of a token that is drawn from q. */
function compare(p: Distribution, q: Distribution, random: Random): Omit<DrawnDraft, "chance"> {
  const drawn = sample(q, random);
  let overlap = 0;
  for (let i = 0; i < p.length; i++) overlap += Math.min(p[i]!, q[i]!);
  return { overlap, confidence: q[drawn]!, acceptance: Math.min(1, p[drawn]! / q[drawn]!) };
}

function drawnTrace(
  { prompt: _prompt, sampling: _sampling, ...traced }: RecordedText,
  drafts: readonly DrawnDraft[],
  { longest }: RecordTraceOptions,
): DrawnTrace {
  return { choice: "drawn", ...traced, longest, drafts };
}

function chosenTrace(
  { prompt: _prompt, sampling: _sampling, ...traced }: RecordedText,
  drafts: readonly ChosenDraft[],
  { longest }: RecordTraceOptions,
): ChosenTrace {
  return { choice: "chosen", ...traced, longest, drafts };
}
