/**
 * Measuring the cost layer: cells are come back to in random order until each one's time is known
 * well enough, or the time is up.
 *
 * @module
 */

import { type Random, stream } from "../random.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import { costRecord, type CostVisit, timeOf } from "./cost_figures.ts";
import { type CostStage, pendingCosts, type PlannedCost } from "./cost_plan.ts";
import type { CostStore } from "./cost_store.ts";
import type { CostLoader, CostSubject, CostTimer } from "./cost_timer.ts";
import { isDisturbed, otherLoad, readMeters } from "./meters.ts";
import type { Origin } from "./provenance.ts";
import type { RunnerOptions } from "./runner.ts";
import type { SweepProgress } from "./sweep.ts";

/** Samples of a cell in a visit at least: a median needs three to shrug one off. */
const SAMPLES = 3;
/** Milliseconds of a visit at least, as counters of other work tick in hundredths of a second. */
const VISIT_MS = 500;
/** Visits after which a cell is given up: its interval is what it is. */
const MOST_VISITS = 40;
/** Disturbed visits to a block that are dropped; those after count, and are flagged. */
const DROPPED = 2;

/** What came of a measurement. */
export interface CostOutcome {
  /** Cells recorded in this session. */
  readonly measured: number;
  /** Cells not measured: 0 unless the time was up, or it was interrupted. */
  readonly left: number;
}

/** Settings of a measurement. */
export interface CostSweepOptions extends RunnerOptions {
  /** Loads models, one stage at a time. */
  readonly load: CostLoader;
  /** Where rows go. */
  readonly store: CostStore;
  /** Machine, code, versions. */
  readonly provenance: Origin;
  /** Milliseconds after which no sample is begun. Default: none. */
  readonly budgetMs?: number;
  /** A cell is done when its interval reaches this share of its time to either side. Default 0.02. */
  readonly tolerance?: number;
  /** Visits to a cell at least. Default 4. */
  readonly visits?: number;
  /** Called before every visit. */
  readonly onProgress?: (progress: SweepProgress) => void;
}

/** Settings with nothing left out. */
type Settings = CostSweepOptions & Required<Omit<CostSweepOptions, "signal" | "onProgress">>;

/** Cells of one model, context and batch: a visit opens one context for all of them. */
interface Block {
  readonly subject: CostSubject;
  readonly context: number;
  readonly batch: number;
  /** Cells that go on, with their visits. */
  readonly cells: Map<PlannedCost, CostVisit[]>;
  /** Visits that were dropped; they count where the time is up before any other. */
  readonly dropped: Map<PlannedCost, CostVisit>[];
}

/**
 * Measures the cells of a plan that are not on record. A visit opens a context, does each cell once
 * uncounted, then all cells in random order, again and again. Visits to different cells alternate in
 * random order, so that drift falls on all alike, and the visit, not the sample, is the unit of
 * repetition: samples of one visit share its moment and its place in memory.
 *
 * A cell is recorded when its 95 % interval over visits is tight. Looking after each visit makes
 * that interval too narrow: of planted times with normal noise, 92 % were inside. When the time is
 * up, what was visited is recorded as it is. An abort drops what is not recorded.
 *
 * @param stages The plan.
 * @param options Loader, store, provenance, budget, signal.
 * @returns How many cells were recorded, and how many are left.
 * @throws {RangeError} If an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeOrigin, openCosts } from "@specbound/specbound";
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await openCosts(folder);
 *   const provenance = await describeOrigin(".");
 *   const load = () => Promise.reject(new Error("there is nothing to load"));
 *   assertEquals(await sweepCosts([], { load, store, provenance }), { measured: 0, left: 0 });
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function sweepCosts(
  stages: readonly CostStage[],
  options: CostSweepOptions,
): Promise<CostOutcome> {
  const settings: Settings = {
    clock: () => performance.now(),
    meter: readMeters,
    cores: navigator.hardwareConcurrency,
    budgetMs: Infinity,
    tolerance: 0.02,
    visits: 4,
    ...options,
  };
  const { store, signal, clock, budgetMs, tolerance, visits } = settings;
  if (budgetMs !== Infinity) requireNumber("measure costs", "budgetMs", budgetMs, 0);
  requireNumber("measure costs", "tolerance", tolerance, 0, 1);
  requireInteger("measure costs", "visits", visits, 2);
  const pending = pendingCosts(stages, store.costs);
  const [total, before] = [pending.flatMap(({ costs }) => costs).length, store.costs.length];
  const started = clock();
  const ends = started + budgetMs;
  try {
    for (const [index, stage] of pending.entries()) {
      const stageMs = (ends - clock()) / (pending.length - index);
      const measured = () => store.costs.length - before;
      const report = (note: string) => {
        const done = measured();
        // Cells are recorded late, so it is the time that tells how far a budget has come.
        const share = Math.min(1, Math.max(done / total, (clock() - started) / budgetMs));
        settings.onProgress?.({ done, total, share, note });
      };
      await measureStage(stage, clock() + stageMs, settings, report);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  const measured = store.costs.length - before;
  return { measured, left: total - measured };
}

async function measureStage(
  stage: CostStage,
  ends: number,
  settings: Settings,
  report: (note: string) => void,
): Promise<void> {
  const over = () => settings.clock() >= ends;
  if (over()) return;
  report(`loading ${stage.precision}`);
  await using loaded = new AsyncDisposableStack();
  const blocks = await openBlocks(stage, settings, loaded);
  const random = stream(stage.costs[0]!.cell, "order of visits");
  for (let open = blocks; open.length > 0 && !over();) {
    for (const block of shuffled(open, random)) {
      if (over()) break;
      const { subject, context, batch } = block;
      report(`${subject.id} ${subject.precision} · n=${context} B=${batch}`);
      await visit(block, random, over, settings);
      await recordCells(block, MOST_VISITS, settings);
    }
    open = open.filter(({ cells }) => cells.size > 0);
  }
  for (const block of blocks) {
    for (const [cell, visits] of block.cells) {
      if (visits.length > 0) continue;
      visits.push(...block.dropped.flatMap((dropped) => dropped.get(cell) ?? []));
    }
    await recordCells(block, 1, settings);
  }
}

/** Loads a stage's target, then its drafts, and groups the cells by what a visit opens. */
async function openBlocks(
  stage: CostStage,
  { load, signal }: Settings,
  loaded: AsyncDisposableStack,
): Promise<Block[]> {
  const { model, precision, costs } = stage;
  const { threads, exact } = costs[0]!;
  const nameOf = (one: Pick<CostStage, "model" | "precision">) => `${one.model} ${one.precision}`;
  const cells = Map.groupBy(costs, nameOf);
  const own = cells.get(nameOf(stage)) ?? [];
  cells.delete(nameOf(stage));
  const drafts = [...cells.values()].map(([cell]) => cell!);
  const ids = drafts.map((draft) => draft.model);
  const target = loaded.use(await load(model, { precision, threads, exact, drafts: ids }));
  const blocks = blocksOf(target, own);
  for (const draft of drafts) {
    signal?.throwIfAborted();
    const options = { precision: draft.precision, threads, exact, target };
    const subject = loaded.use(await load(draft.model, options));
    blocks.push(...blocksOf(subject, cells.get(nameOf(draft))!));
  }
  return blocks;
}

function blocksOf(subject: CostSubject, planned: readonly PlannedCost[]): Block[] {
  const places = Map.groupBy(planned, ({ context, batch }) => `${context} ${batch}`);
  return [...places.values()].map((together) => {
    const { context, batch } = together[0]!;
    const cells = new Map(together.map((cell) => [cell, []]));
    return { subject, context, batch, cells, dropped: [] };
  });
}

/** Takes samples of a block's cells; they count unless other work disturbed them. */
async function visit(
  block: Block,
  random: Random,
  over: () => boolean,
  settings: Settings,
): Promise<void> {
  const { signal, clock, meter, cores } = settings;
  const startedAt = new Date();
  await using opened = new AsyncDisposableStack();
  const timer = await openTimer(block, opened, over, settings);
  if (!timer) return;
  const samples = new Map<PlannedCost, number[]>();
  const [before, started] = [meter(), clock()];
  for (let round = 0; round < SAMPLES || clock() - started < VISIT_MS; round++) {
    for (const cell of shuffled(block.cells.keys(), random)) {
      signal?.throwIfAborted();
      if (over()) break;
      const list = samples.get(cell) ?? [];
      samples.set(cell, list);
      list.push(await timer.time(cell));
    }
    if (over()) break;
  }
  const after = meter();
  const load = otherLoad(before, after, cores);
  const { residentBytes } = after;
  const visits = new Map(
    [...samples].map(([cell, milliseconds]) =>
      [cell, { startedAt, milliseconds, load, residentBytes }] as const
    ),
  );
  if (isDisturbed(load) && block.dropped.length < DROPPED) block.dropped.push(visits);
  else for (const [cell, found] of visits) block.cells.get(cell)!.push(found);
}

/** Opens a context and does each cell once; cells that cannot be done are recorded as failed. */
async function openTimer(
  block: Block,
  opened: AsyncDisposableStack,
  over: () => boolean,
  { signal, store, provenance }: Settings,
): Promise<CostTimer | null> {
  let timer: CostTimer | null = null;
  for (const cell of [...block.cells.keys()]) {
    signal?.throwIfAborted();
    if (over()) return null;
    try {
      timer ??= opened.use(await block.subject.open(block.context, block.batch));
      await timer.time(cell);
    } catch (error) {
      block.cells.delete(cell);
      const reason = error instanceof Error ? error : new Error(String(error));
      await store.append(costRecord(cell, block.subject, reason, provenance));
    }
  }
  return block.cells.size > 0 ? timer : null;
}

function isTight(
  visits: readonly CostVisit[],
  { visits: least, tolerance }: Settings,
): boolean {
  if (visits.length < least) return false;
  const { estimate, low, high } = timeOf(visits);
  return (high! - low!) / 2 <= tolerance * estimate;
}

/** Records cells whose interval is tight, and those that were visited so often that they may go. */
async function recordCells(
  { cells, subject, dropped }: Block,
  enough: number,
  settings: Settings,
): Promise<void> {
  for (const [cell, visits] of cells) {
    const converged = isTight(visits, settings);
    if (!converged && visits.length < enough) continue;
    const result = { visits, dropped: dropped.length, converged };
    await settings.store.append(costRecord(cell, subject, result, settings.provenance));
    cells.delete(cell);
  }
}

/** Fisher and Yates's shuffle. */
function shuffled<T>(values: Iterable<T>, random: Random): T[] {
  const list = [...values];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
