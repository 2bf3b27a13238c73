/**
 * One pair: the same prompt decoded plainly and speculatively, back to back.
 *
 * @module
 */

import { autoregress } from "../decoding/autoregressive.ts";
import type { Drafter } from "../decoding/drafters/drafter.ts";
import { modelDrafter } from "../decoding/drafters/model.ts";
import { onlineNgram } from "../decoding/drafters/online_ngram.ts";
import { promptLookup } from "../decoding/drafters/prompt_lookup.ts";
import { replay } from "../decoding/drafters/replay.ts";
import { fixed } from "../decoding/policies/fixed.ts";
import { prefill } from "../decoding/prefill.ts";
import type { Round } from "../decoding/round.ts";
import { speculate } from "../decoding/speculative.ts";
import { isDisturbed, type Meter, otherLoad, readMeters } from "./meters.ts";
import type { Context } from "../engine/language_model.ts";
import type { EnergyMeter, EnergyReading } from "./energy/meter.ts";
import { energyBetween } from "./energy/used.ts";
import { type MemoryHolder, type MemorySplit, splitMemory } from "./memory_split.ts";
import type { TokenId } from "../models/token.ts";
import type { PlannedPair } from "./plan.ts";
import type { Prefilled, PreparedPrompt } from "./prepared.ts";
import { type Arm, ARMS } from "./records.ts";

/** Times a pair is run at most, until nothing disturbs it. */
const ATTEMPTS = 3;

/** What a run measured. */
export interface Measured {
  /** Its rounds. */
  readonly rounds: readonly Round[];
  /** Milliseconds from the start of decoding to the end of the first round. */
  readonly firstTokenMs: number;
  /** Milliseconds from the start of decoding to the end of the last round. */
  readonly decodeMs: number;
  /** CPU time of this process meanwhile, in seconds. */
  readonly cpuSeconds: number;
  /** Highest resident memory of this process so far, in bytes. */
  readonly peakMemoryBytes: number;
  /** Energy meanwhile; null if none was metered. */
  readonly energy: EnergyReading | null;
  /** What the run needs of memory; null if a model does not tell its sizes. */
  readonly memory: MemorySplit | null;
}

/** One run of a pair. */
export interface Run {
  /** Which of the two. */
  readonly arm: Arm;
  /** When it began. */
  readonly startedAt: Date;
  /** Its figures, or what stopped it. */
  readonly result: Measured | Error;
}

/** A finished pair. */
export interface PairResult {
  /** Both runs, in the order they ran. */
  readonly runs: readonly [Run, Run];
  /** Share of the machine that went elsewhere, or null if not known. */
  readonly otherLoad: number | null;
  /** Times the pair was run. */
  readonly attempts: number;
}

/** Settings of the runner. */
export interface RunnerOptions {
  /** Stops between rounds; the pair is dropped. */
  readonly signal?: AbortSignal;
  /** Monotonic clock in milliseconds. Default `performance.now`. */
  readonly clock?: () => number;
  /** Counters of CPU time and memory. Default: this machine's. */
  readonly meter?: Meter;
  /** Logical processors. Default: this machine's. */
  readonly cores?: number;
}

/** Settings of a pair. */
export interface PairOptions extends RunnerOptions {
  /** Counts energy. Default: none is metered. */
  readonly energyMeter?: EnergyMeter;
}

/**
 * Runs a pair, and runs it again, up to twice, while other work disturbs it. What fails becomes a
 * result; only an abort is thrown.
 *
 * @param planned The pair.
 * @param prepared Its prompt.
 * @param options Clock, meters, signal.
 * @returns Both runs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { preparePrompt, tableModel } from "@specbound/specbound";
 * const model = tableModel({ vocabularySize: 9, seed: 1 });
 * const target = {
 *   model, id: "table", hash: null, precision: "fp32", headPrecision: null, differingWidths: null, attention: null,
 *   provider: "table", endOfText: new Set<number>(),
 *   encode: () => [1, 2, 3], [Symbol.asyncDispose]: () => Promise.resolve(),
 * } as const;
 * const prompt = { id: "a", task: "story", domain: "", determinism: "low", text: "Go." } as const;
 * const condition = {
 *   model: "table", precision: "fp32", exact: false, threads: 1, draftLength: 4, maxTokens: 5,
 *   draft: { draft: "replay", acceptance: 1 }, temperature: 0, topK: 0, topP: 1, seed: 1,
 * } as const;
 * const planned = { pair: "p", key: "k", process: 1, repeat: 0, condition, first: "plain", weight: 1 } as const;
 * await using prepared = await preparePrompt(prompt, target, [], { maxTokens: 5 });
 * const { runs } = await runPair(planned, prepared);
 * assertEquals(runs.map(({ result }) => result instanceof Error ? 0 : result.rounds.length), [5, 1]);
 * ```
 */
export async function runPair(
  planned: PlannedPair,
  prepared: PreparedPrompt,
  options: PairOptions = {},
): Promise<PairResult> {
  const { meter = readMeters, cores = navigator.hardwareConcurrency } = options;
  const [first, second] = planned.first === "plain" ? ARMS : ARMS.toReversed() as [Arm, Arm];
  for (let attempts = 1;; attempts++) {
    const before = meter();
    const runs = [
      await runArm(first, planned, prepared, options),
      await runArm(second!, planned, prepared, options),
    ] as const;
    const load = otherLoad(before, meter(), cores);
    if (!isDisturbed(load) || attempts === ATTEMPTS) return { runs, otherLoad: load, attempts };
  }
}

async function runArm(
  arm: Arm,
  planned: PlannedPair,
  prepared: PreparedPrompt,
  options: PairOptions,
): Promise<Run> {
  const startedAt = new Date();
  try {
    await using opened = new AsyncDisposableStack();
    const context = opened.use(prepared.target.context.fork());
    await makeReady(context, prepared.tokens, options);
    const { condition } = planned;
    const decode = {
      maxTokens: condition.maxTokens,
      sampling: condition,
      seed: condition.seed,
      endOfText: prepared.target.subject.endOfText,
      ...(options.signal && { signal: options.signal }),
      ...(options.clock && { clock: options.clock }),
    };
    const own = new Map([[prepared.target, context]]);
    const rounds = arm === "plain" ? autoregress(context, prepared.tokens, decode) : speculate(
      context,
      await drafterOf(planned, prepared, own, opened, options),
      prepared.tokens,
      { ...decode, policy: fixed(condition.draftLength) },
    );
    const { residentBytes, ...measured } = await measure(rounds, options);
    const memory = memoryOf(residentBytes, prepared, own);
    return { arm, startedAt, result: { ...measured, memory } };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { arm, startedAt, result: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function measure(
  generator: AsyncIterable<Round>,
  { clock = () => performance.now(), meter = readMeters, energyMeter }: PairOptions,
): Promise<Omit<Measured, "memory"> & { readonly residentBytes: number }> {
  const rounds: Round[] = [];
  const energyBefore = await energyMeter?.read() ?? null;
  const before = meter();
  const started = clock();
  let firstTokenMs = 0;
  let decodeMs = 0;
  for await (const round of generator) {
    rounds.push(round);
    decodeMs = clock() - started;
    if (rounds.length === 1) firstTokenMs = decodeMs;
  }
  const { own, residentBytes, peakMemoryBytes } = meter();
  const cpuSeconds = own - before.own;
  const energy = energyBetween(energyBefore, await energyMeter?.read() ?? null);
  return { rounds, firstTokenMs, decodeMs, cpuSeconds, residentBytes, peakMemoryBytes, energy };
}

/** What a run needs of memory, told apart from what is held for other runs of the prompt. */
function memoryOf(
  residentBytes: number,
  { target, drafts }: PreparedPrompt,
  own: ReadonlyMap<Prefilled, Context>,
): MemorySplit | null {
  const needed: MemoryHolder[] = [];
  const others: MemoryHolder[] = [];
  for (const prefilled of [target, ...drafts]) {
    const { weightBytes } = prefilled.subject.model;
    if (weightBytes === undefined) return null;
    const fork = own.get(prefilled);
    if (fork) needed.push({ weightBytes, cacheBytes: [fork.cacheBytes ?? 0] });
    const cacheBytes = [prefilled.context.cacheBytes ?? 0];
    others.push({ weightBytes: fork ? 0 : weightBytes, cacheBytes });
  }
  return splitMemory(residentBytes, needed, others);
}

/** Does what is no part of decoding: a fork copies its cache, and a head reads the prompt. */
async function makeReady(
  context: Context,
  tokens: readonly TokenId[],
  options: PairOptions,
): Promise<void> {
  await prefill(context, tokens, options);
  await context.evaluate([tokens.slice(-1)]); // not committed, so it leaves no trace
}

async function drafterOf(
  { condition: { draft, seed }, process }: PlannedPair,
  prepared: PreparedPrompt,
  own: Map<Prefilled, Context>,
  opened: AsyncDisposableStack,
  options: PairOptions,
): Promise<Drafter> {
  switch (draft.draft) {
    case "prompt-lookup":
      return opened.use(promptLookup());
    case "ngram":
      return opened.use(onlineNgram());
    case "model": {
      const prefilled = findDraft(prepared, draft);
      const { follow } = prefilled.subject;
      // A fork of a head's context would go on following the target's that was prepared.
      const context = opened.use(
        follow ? follow(own.get(prepared.target)!) : prefilled.context.fork(),
      );
      await makeReady(context, prepared.tokens, options);
      own.set(prefilled, context);
      return opened.use(modelDrafter(context, draft.draftModel));
    }
    case "replay":
      return opened.use(replay(prepared.tokens.length, prepared.continuation, {
        acceptance: draft.acceptance,
        // Other prompts and processes err elsewhere, else a cell would see one pattern of errors only.
        seed: `${seed} ${process} ${prepared.prompt.id}`,
        vocabularySize: prepared.target.subject.model.vocabularySize,
      }));
  }
}

/**
 * The prefilled draft model that a draft names.
 *
 * @param prepared The prompt.
 * @param draft The model's id and precision.
 * @returns The draft model's context.
 * @throws {Error} If it was not prepared.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const wanted = { draftModel: "m", draftPrecision: "int4" } as const;
 * assertThrows(() => findDraft({ drafts: [] }, wanted), Error, "Cannot draft with m in int4");
 * ```
 */
export function findDraft(
  { drafts }: Pick<PreparedPrompt, "drafts">,
  { draftModel, draftPrecision }: { readonly draftModel: string; readonly draftPrecision: string },
): Prefilled {
  const found = drafts.find(({ subject }) =>
    subject.id === draftModel && subject.precision === draftPrecision
  );
  if (found) return found;
  throw new Error(
    `Cannot draft with ${draftModel} in ${draftPrecision} as it was not prepared: pass it to preparePrompt`,
  );
}
