/**
 * Records on disk. A killed writer leaves nothing half-written that the next one does not repair.
 *
 * @module
 */

import { RecordError, writeHeader } from "./columns.ts";
import { appendLines, readLines, replaceFile, takeLock } from "./line_file.ts";
import {
  readRounds,
  readRuns,
  type Records,
  ROUND_COLUMNS,
  RUN_COLUMNS,
  type RunRecord,
  writeRounds,
  writeRuns,
} from "./records.ts";

/** The two runs of a pair with their rounds. */
export interface PairRecords extends Records {
  /** The two runs, in the order they ran. */
  readonly runs: readonly [RunRecord, RunRecord];
}

/** The open records of one machine; one writer at a time. */
export interface RecordStore extends AsyncDisposable {
  /** Every pair on disk, those appended since included. */
  readonly runs: readonly RunRecord[];
  /** Rows that a killed writer left behind and that opening dropped. */
  readonly repaired: number;
  /** Writes a finished pair through to the disk. */
  append(pair: PairRecords): Promise<void>;
}

/**
 * Opens a folder of records for writing, and repairs what a killed writer left: a torn last line,
 * a run without its partner or its rounds, rounds without a run.
 *
 * The rounds of a pair reach the disk before its runs do, so a run that stands has all its rounds.
 * Repair writes temporary files and renames them.
 *
 * @param folder The machine's folder; made if absent.
 * @returns The store. Dispose of it to let others write.
 * @throws {RecordError} If another process writes there, or the files are of another version.
 *
 * @example
 * ```ts
 * import { assertEquals, assertRejects } from "@std/assert";
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await openRecords(folder);
 *   assertEquals(store.runs, []);
 *   await assertRejects(() => openRecords(folder), Error, "another process writes there");
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function openRecords(folder: string): Promise<RecordStore> {
  const lock = await takeLock(folder);
  try {
    const [runsPath, roundsPath] = paths(folder);
    const found = await readFiles(folder);
    const kept = wholePairs(found);
    requireOneTorn(found, kept, folder);
    const dropped = found.runs.length - kept.runs.length + found.rounds.length -
      kept.rounds.length + found.torn;
    if (dropped > 0 || found.absent > 0) {
      // Runs first: killed between the two, rounds without a run are left, and repaired again.
      await replaceFile(runsPath, writeHeader(RUN_COLUMNS) + writeRuns(kept.runs));
      await replaceFile(roundsPath, writeHeader(ROUND_COLUMNS) + writeRounds(kept.rounds));
    }
    return new FileStore(folder, lock, [...kept.runs], dropped);
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * Reads a folder of records without writing; what a killed writer left is passed over.
 *
 * @param folder The machine's folder.
 * @returns Whole pairs only.
 * @throws {RecordError} If the files are absent or of another version.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * await assertRejects(() => readRecords("no/such/folder"), Error, "Cannot read records");
 * ```
 */
export async function readRecords(folder: string): Promise<Records> {
  const found = await readFiles(folder);
  if (found.absent === 0) return wholePairs(found);
  throw new RecordError(`Cannot read records as ${folder} holds none: run a sweep first`);
}

/**
 * What is left of records when everything half-written is dropped.
 *
 * @param records Rows as found.
 * @returns Pairs with both runs and all their rounds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(wholePairs({ runs: [], rounds: [] }), { runs: [], rounds: [] });
 * ```
 */
export function wholePairs(records: Records): Records {
  const rounds = Map.groupBy(records.rounds, nameOf);
  const runs = records.runs.filter((run) =>
    (rounds.get(nameOf(run))?.length ?? 0) === (run.rounds ?? 0)
  );
  const partners = Map.groupBy(runs, (run) => run.pair);
  const kept = runs.filter((run) => partners.get(run.pair)!.length === 2);
  const names = new Set(kept.map(nameOf));
  return { runs: kept, rounds: records.rounds.filter((round) => names.has(nameOf(round))) };
}

class FileStore implements RecordStore {
  readonly #folder: string;
  readonly #lock: Deno.FsFile;
  readonly #runs: RunRecord[];
  readonly repaired: number;

  constructor(folder: string, lock: Deno.FsFile, runs: RunRecord[], repaired: number) {
    this.#folder = folder;
    this.#lock = lock;
    this.#runs = runs;
    this.repaired = repaired;
  }

  get runs(): readonly RunRecord[] {
    return this.#runs;
  }

  async append({ runs, rounds }: PairRecords): Promise<void> {
    const [runLines, roundLines] = [writeRuns(runs), writeRounds(rounds)];
    const [runsPath, roundsPath] = paths(this.#folder);
    await appendLines(roundsPath, roundLines);
    await appendLines(runsPath, runLines);
    this.#runs.push(...runs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#lock.close();
    return Promise.resolve();
  }
}

interface Found extends Records {
  /** Files that are not there. */
  readonly absent: number;
  /** Files that end in the middle of a line. */
  readonly torn: number;
}

/** Whole lines of both files; runs are read first, so that rounds of each are there already. */
async function readFiles(folder: string): Promise<Found> {
  const [runsPath, roundsPath] = paths(folder);
  const runs = await readLines(runsPath);
  const rounds = await readLines(roundsPath);
  return {
    runs: runs.text ? readRuns(runs.text, runsPath) : [],
    rounds: rounds.text ? readRounds(rounds.text, roundsPath) : [],
    absent: Number(!runs.text) + Number(!rounds.text),
    torn: Number(runs.torn) + Number(rounds.torn),
  };
}

/** A killed writer leaves parts of one pair. More is other damage, and nothing to delete. */
function requireOneTorn(found: Records, kept: Records, folder: string): void {
  const whole = new Set(kept.runs.map((run) => run.pair));
  const rows = [...found.runs, ...found.rounds];
  const broken = new Set(rows.map((row) => row.pair).filter((pair) => !whole.has(pair)));
  if (broken.size <= 1) return;
  throw new RecordError(
    `Cannot open ${folder} as ${broken.size} pairs lack a run or rounds, and a killed sweep leaves one at most: restore runs.csv and rounds.csv`,
  );
}

function paths(folder: string): [runs: string, rounds: string] {
  return [`${folder}/runs.csv`, `${folder}/rounds.csv`];
}

function nameOf({ pair, arm }: { readonly pair: string; readonly arm: string }): string {
  return `${pair} ${arm}`;
}
