/**
 * A whole study: plan, skip what is done, run, append.
 *
 * @module
 */

import { loadSubjects } from "./load_subjects.ts";
import { pairRecords, type Provenance } from "./pair_records.ts";
import type { Block, PlannedPair, Stage } from "./plan.ts";
import { type PreparedPrompt, preparePrompt, warmUp } from "./prepared.ts";
import { pendingStages } from "./resume.ts";
import { type PairOptions, runPair } from "./runner.ts";
import type { RecordStore } from "./store.ts";
import type { SubjectLoader } from "./subject.ts";

/** Where a sweep stands. */
export interface SweepProgress {
  /** Pairs on record. */
  readonly done: number;
  /** Pairs planned. */
  readonly total: number;
  /** Share of this session's work that is done, by its expected time: for a guess of what is left. */
  readonly share: number;
  /** What runs now. */
  readonly note: string;
}

/** What came of a sweep. */
export interface SweepOutcome {
  /** Pairs that ran in this session. */
  readonly ran: number;
  /** Pairs still to run: 0 unless it was interrupted. */
  readonly left: number;
}

/** Settings of a sweep. */
export interface SweepOptions extends PairOptions {
  /** Loads models, one stage at a time. */
  readonly load: SubjectLoader;
  /** Where rows go. */
  readonly store: RecordStore;
  /** Machine, code, versions. */
  readonly provenance: Provenance;
  /** Called before and after every pair. */
  readonly onProgress?: (progress: SweepProgress) => void;
}

/**
 * Runs the pairs of a plan that are not on record. Every finished pair is written through before the
 * next begins. An abort drops the pair that runs and keeps all others.
 *
 * @param stages The plan.
 * @param options Loader, store, provenance, signal.
 * @returns How many pairs ran, and how many are left.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeOrigin, openRecords } from "@specbound/specbound";
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await openRecords(folder);
 *   const provenance = { study: "none", ...await describeOrigin(".") };
 *   const load = () => Promise.reject(new Error("there is nothing to load"));
 *   assertEquals(await sweep([], { load, store, provenance }), { ran: 0, left: 0 });
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function sweep(
  stages: readonly Stage[],
  options: SweepOptions,
): Promise<SweepOutcome> {
  const pending = pendingStages(stages, options.store.runs);
  const session = new Session(countPairs(stages), pending, options);
  try {
    for (const stage of pending) await runStage(stage, session, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
  return session.outcome;
}

/** Counts pairs, and weighs them by the time they should take. */
class Session {
  readonly #total: number;
  readonly #onProgress: SweepOptions["onProgress"];
  #left: number;
  #ran = 0;
  #weightDone = 0;
  #weightLeft: number;

  constructor(total: number, pending: readonly Stage[], { onProgress }: SweepOptions) {
    this.#total = total;
    this.#onProgress = onProgress;
    this.#left = countPairs(pending);
    this.#weightLeft = pending.flatMap(pairsOf).reduce((sum, { weight }) => sum + weight, 0);
  }

  get outcome(): SweepOutcome {
    return { ran: this.#ran, left: this.#left };
  }

  report(note: string): void {
    const share = this.#left === 0 ? 1 : this.#weightDone / (this.#weightDone + this.#weightLeft);
    const [done, total] = [this.#total - this.#left, this.#total];
    this.#onProgress?.({ done, total, share, note });
  }

  finish({ weight }: PlannedPair): void {
    this.#ran++;
    this.#left--;
    this.#weightDone += weight;
    this.#weightLeft -= weight;
  }
}

async function runStage(stage: Stage, session: Session, options: SweepOptions): Promise<void> {
  session.report(`loading ${stage.precision}`);
  await using loaded = new AsyncDisposableStack();
  const conditions = pairsOf(stage).map(({ condition }) => condition);
  const wanted = conditions.map(({ draft }) => draft);
  const [target, ...drafts] = await loadSubjects(conditions[0]!, wanted, options, loaded);
  let cold = true;
  for (const block of stage.blocks) {
    options.signal?.throwIfAborted();
    session.report(`${stage.precision} · reading ${block.prompt.id}`);
    const { maxTokens } = block.pairs[0]!.condition;
    await using prepared = await preparePrompt(block.prompt, target, drafts, {
      ...options,
      maxTokens,
    });
    if (cold) await warmUpAll(prepared, stage.blocks);
    cold = false;
    await runBlock(block, prepared, session, options);
  }
}

async function runBlock(
  { prompt, pairs }: Block,
  prepared: PreparedPrompt,
  session: Session,
  options: SweepOptions,
): Promise<void> {
  for (const planned of pairs) {
    const { precision, draft, draftLength } = planned.condition;
    session.report(`${precision} · ${prompt.id} · ${draft.draft} K=${draftLength}`);
    const result = await runPair(planned, prepared, options);
    await options.store.append(pairRecords(planned, prepared, result, options.provenance));
    session.finish(planned);
  }
  session.report(`${prompt.id} done`);
}

async function warmUpAll(prepared: PreparedPrompt, blocks: readonly Block[]): Promise<void> {
  const pairs = blocks.flatMap((block) => block.pairs);
  const widths = new Set(pairs.map(({ condition }) => condition.draftLength + 1));
  await warmUp(prepared.target, prepared.tokens, widths);
  for (const draft of prepared.drafts) await warmUp(draft, prepared.tokens, [1, 2]);
}

function pairsOf(stage: Stage): readonly PlannedPair[] {
  return stage.blocks.flatMap((block) => block.pairs);
}

function countPairs(stages: readonly Stage[]): number {
  return stages.flatMap(pairsOf).length;
}
