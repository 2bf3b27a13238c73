/**
 * Traces on disk: a folder a target, a file a draft.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { readRows, RecordError, writeHeader, writeRows } from "./columns.ts";
import { appendLines, readLines, replaceFile, takeLock } from "./line_file.ts";
import { TRACE_COLUMNS, type TraceRecord } from "./trace_records.ts";

/** An open folder of traces; one writer at a time. */
export interface TraceStore extends AsyncDisposable {
  /** Every trace on disk, those appended since included. */
  readonly traces: readonly TraceRecord[];
  /** Torn lines that a killed writer left, which opening dropped. */
  readonly repaired: number;
  /** Writes a trace through to the disk. */
  append(trace: TraceRecord): Promise<void>;
}

/** What names a trace's file. */
export type TraceOrigin = Pick<
  TraceRecord,
  "model" | "precision" | "draft" | "draftModel" | "draftPrecision"
>;

/**
 * Where a trace is stored.
 *
 * @param origin The target and the draft. Of a model given by its path, the file's name counts.
 * @returns A path in the folder of traces.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const target = { model: "smollm2", precision: "fp32" };
 * const table = { draft: "ngram", draftModel: null, draftPrecision: null } as const;
 * assertEquals(traceFile({ ...target, ...table }), "smollm2-fp32/ngram.csv");
 * const model = { draft: "model", draftModel: "models/tiny.gguf", draftPrecision: "int8" } as const;
 * assertEquals(traceFile({ ...target, ...model }), "smollm2-fp32/tiny-int8.csv");
 * ```
 */
export function traceFile(origin: TraceOrigin): string {
  const { model, precision, draft, draftModel, draftPrecision } = origin;
  const short = (id: string) => basename(id, ".gguf").replace(/[^\w.-]+/g, "-");
  const drafted = draftModel === null ? draft : `${short(draftModel)}-${draftPrecision}`;
  return `${short(model)}-${precision}/${drafted}.csv`;
}

/**
 * Opens a folder of traces for writing, and drops lines that a killed writer left torn.
 *
 * @param folder The folder; made if absent.
 * @returns The store. Dispose of it to let others write.
 * @throws {RecordError} If another process writes there, or a file is of another version.
 *
 * @example
 * ```ts
 * import { assertEquals, assertRejects } from "@std/assert";
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await openTraces(folder);
 *   assertEquals(store.traces, []);
 *   await assertRejects(() => openTraces(folder), Error, "another process writes there");
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function openTraces(folder: string): Promise<TraceStore> {
  const lock = await takeLock(folder);
  try {
    const traces: TraceRecord[] = [];
    const begun = new Set<string>();
    let repaired = 0;
    for (const path of await filesIn(folder)) {
      const { text, torn } = await readLines(path);
      if (torn) await replaceFile(path, text || writeHeader(TRACE_COLUMNS));
      repaired += Number(torn);
      begun.add(path);
      traces.push(...(text ? readRows(TRACE_COLUMNS, text, path) : []));
    }
    return {
      traces,
      repaired,
      async append(trace) {
        const lines = writeRows(TRACE_COLUMNS, [trace]);
        const path = join(folder, traceFile(trace));
        if (!begun.has(path)) {
          await Deno.mkdir(dirname(path), { recursive: true });
          await replaceFile(path, writeHeader(TRACE_COLUMNS));
          begun.add(path);
        }
        await appendLines(path, lines);
        traces.push(trace);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(lock.close()),
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * Reads a folder of traces without writing; torn lines are passed over.
 *
 * @param folder The folder.
 * @returns The traces.
 * @throws {RecordError} If there are none, or a file is of another version.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * await assertRejects(() => readTraces("no/such/folder"), Error, "Cannot read traces");
 * ```
 */
export async function readTraces(folder: string): Promise<TraceRecord[]> {
  const traces: TraceRecord[] = [];
  for (const path of await filesIn(folder)) {
    const { text } = await readLines(path);
    if (text) traces.push(...readRows(TRACE_COLUMNS, text, path));
  }
  if (traces.length > 0) return traces;
  throw new RecordError(
    `Cannot read traces as ${folder} holds none: run deno task sweep behaviour`,
  );
}

/** The files of a folder's folders, in order of their names. */
async function filesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  const entries = (path: string) => Array.fromAsync(Deno.readDir(path));
  const targets = await entries(folder).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  for (const { name, isDirectory } of targets) {
    if (!isDirectory) continue;
    const files = await entries(join(folder, name));
    paths.push(
      ...files.filter((file) => file.name.endsWith(".csv"))
        .map((file) => join(folder, name, file.name)),
    );
  }
  return paths.sort();
}
