/**
 * The cost layer on disk: whole rows, or nothing of them.
 *
 * @module
 */

import { RecordError, writeHeader, writeRows } from "./columns.ts";
import { COST_COLUMNS, type CostRecord, readCostRows } from "./cost_records.ts";
import { appendLines, readLines, replaceFile, takeLock } from "./line_file.ts";

/** The open cost layer of one machine; one writer at a time, of runs or of costs. */
export interface CostStore extends AsyncDisposable {
  /** Every cell on disk, those appended since included. */
  readonly costs: readonly CostRecord[];
  /** Whether a killed writer left a torn line, which opening dropped. */
  readonly repaired: boolean;
  /** Writes a cell through to the disk. */
  append(cost: CostRecord): Promise<void>;
}

/**
 * Opens a machine's cost layer for writing, and drops a line that a killed writer left torn.
 *
 * @param folder The machine's folder; made if absent.
 * @returns The store. Dispose of it to let others write.
 * @throws {RecordError} If another process writes there, or the file is of another version.
 *
 * @example
 * ```ts
 * import { assertEquals, assertRejects } from "@std/assert";
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await openCosts(folder);
 *   assertEquals(store.costs, []);
 *   await assertRejects(() => openCosts(folder), Error, "another process writes there");
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function openCosts(folder: string): Promise<CostStore> {
  const lock = await takeLock(folder);
  try {
    const path = pathIn(folder);
    const { text, torn } = await readLines(path);
    const costs = text ? readCostRows(text, path) : [];
    if (torn || !text) await replaceFile(path, text || writeHeader(COST_COLUMNS));
    return {
      costs,
      repaired: torn,
      async append(cost) {
        await appendLines(path, writeRows(COST_COLUMNS, [cost]));
        costs.push(cost);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(lock.close()),
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * Reads a machine's cost layer without writing; a torn line is passed over.
 *
 * @param folder The machine's folder.
 * @returns The cells.
 * @throws {RecordError} If there are none, or the file is of another version.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * await assertRejects(() => readCosts("no/such/folder"), Error, "Cannot read costs");
 * ```
 */
export async function readCosts(folder: string): Promise<CostRecord[]> {
  const path = pathIn(folder);
  const { text } = await readLines(path);
  if (text) return readCostRows(text, path);
  throw new RecordError(`Cannot read costs as ${folder} holds none: run deno task sweep costs`);
}

function pathIn(folder: string): string {
  return `${folder}/costs.csv`;
}
