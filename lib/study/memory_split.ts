/**
 * What memory a run needs, by purpose.
 *
 * @module
 */

/** A model in memory, and the contexts that are open on it. */
export interface MemoryHolder {
  /** Bytes of its weights as executed. */
  readonly weightBytes: number;
  /** Bytes of the keys and values of each context. */
  readonly cacheBytes: readonly number[];
}

/** Memory by purpose, in bytes. */
export interface MemorySplit {
  /** Weights of the models that the run needs. */
  readonly weightBytes: number;
  /** Keys and values of the contexts that it needs, room for more tokens included. */
  readonly keyValueBytes: number;
  /**
   * Everything else: activations, libraries, the program. Null if that comes out negative, as it
   * does where weights are mapped that were never read.
   */
  readonly bufferBytes: number | null;
}

/**
 * Splits a process's memory. A process may hold models and contexts that one of its runs does not
 * need: the plain partner of a pair needs no draft. What is left once all are taken away serves all.
 *
 * @param residentBytes Resident memory of the process.
 * @param needed What the run needs.
 * @param others What the process holds besides.
 * @returns The split. Its sum is what a process would take that held only what the run needs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const target = { weightBytes: 500, cacheBytes: [40] }, draft = { weightBytes: 100, cacheBytes: [10] };
 * const plain = splitMemory(700, [target], [draft]);
 * assertEquals(plain, { weightBytes: 500, keyValueBytes: 40, bufferBytes: 50 });
 * ```
 */
export function splitMemory(
  residentBytes: number,
  needed: readonly MemoryHolder[],
  others: readonly MemoryHolder[] = [],
): MemorySplit {
  const [used, unused] = [held(needed), held(others)];
  const rest = residentBytes - used.weights - used.caches - unused.weights - unused.caches;
  return {
    weightBytes: used.weights,
    keyValueBytes: used.caches,
    bufferBytes: rest < 0 ? null : rest,
  };
}

function held(holders: readonly MemoryHolder[]): { weights: number; caches: number } {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    weights: sum(holders.map(({ weightBytes }) => weightBytes)),
    caches: sum(holders.flatMap(({ cacheBytes }) => cacheBytes)),
  };
}
