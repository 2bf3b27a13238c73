/**
 * Everything that is on record, as one plain object.
 *
 * @module
 */

import { join } from "node:path";
import { exists } from "../models/exists.ts";
import { type Bench, readBench } from "../study/bench_records.ts";
import type { CostRecord } from "../study/cost_records.ts";
import { readCosts } from "../study/cost_store.ts";
import { type HardwarePart, readHardware } from "../study/hardware.ts";
import { type Machine, readMachine } from "../study/provenance.ts";
import type { Records } from "../study/records.ts";
import { readRecords } from "../study/store.ts";
import type { TraceRecord } from "../study/trace_records.ts";
import { readTraces } from "../study/trace_store.ts";
import type { DraftManifest } from "./draft_manifest.ts";
import { selectPairs } from "./pairs.ts";

/** What one machine has on record. What was not measured is empty. */
export interface MachineEvidence {
  /** The machine. */
  readonly machine: Machine;
  /** Its pairs. */
  readonly records: Records;
  /** Its cost layer. */
  readonly costs: readonly CostRecord[];
  /** This engine beside others. */
  readonly benches: readonly Bench[];
}

/** What all machines have on record, and what holds on any machine. */
export interface Evidence {
  /** One entry a folder of records. */
  readonly machines: readonly MachineEvidence[];
  /** The behaviour layer. */
  readonly traces: readonly TraceRecord[];
  /** The trained drafts. */
  readonly manifest: DraftManifest;
  /** Published figures of processors. */
  readonly parts: readonly HardwarePart[];
}

/**
 * Reads all records, in an order that does not depend on how they were appended. Files that are not
 * there are no evidence, and no error.
 *
 * @param folder Folder of `records`, `traces`, `models` and `hardware.csv`.
 * @returns The evidence.
 * @throws {RecordError} If a file is malformed, or of another version.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const nothing = await readEvidence("no/such/folder");
 * assertEquals(nothing.machines, []);
 * ```
 */
export async function readEvidence(folder: string): Promise<Evidence> {
  const machines: MachineEvidence[] = [];
  for (const name of await foldersIn(join(folder, "records"))) {
    const path = join(folder, "records", name);
    const machine = await readMachine(path);
    if (machine === null) continue;
    const has = (file: string) => exists(join(path, file));
    machines.push({
      machine,
      records: has("runs.csv") ? await readRecords(path) : { runs: [], rounds: [] },
      costs: has("costs.csv") ? await readCosts(path) : [],
      benches: has("bench.json")
        ? readBench(await Deno.readTextFile(join(path, "bench.json")))
        : [],
    });
  }
  const traces = join(folder, "traces");
  const hardware = join(folder, "hardware.csv");
  return inOrder({
    machines,
    traces: (await foldersIn(traces)).length > 0 ? await readTraces(traces) : [],
    manifest: await readJson<DraftManifest>(join(folder, "models/manifest.json")) ?? { drafts: {} },
    parts: exists(hardware) ? readHardware(await Deno.readTextFile(hardware)) : [],
  });
}

/**
 * The same evidence in an order of its own: bootstraps draw rows by their place, so without it a
 * verdict could hang on the order of a file.
 *
 * @param evidence The evidence.
 * @returns It, ordered: machines by id; pairs, cells and traces by when they were taken and by name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const evidence = { machines: [], traces: [], manifest: { drafts: {} }, parts: [] };
 * assertEquals(inOrder(evidence), evidence);
 * ```
 */
export function inOrder(evidence: Evidence): Evidence {
  return {
    ...evidence,
    machines: sortedBy(evidence.machines, ({ machine }) => [machine.id]).map((one) => ({
      ...one,
      records: {
        runs: sortedBy(one.records.runs, ({ pair, arm }) => [pair, arm]),
        rounds: sortedBy(one.records.rounds, ({ pair, arm, round }) => [pair, arm, round]),
      },
      costs: sortedBy(one.costs, ({ startedAt, cell }) => [startedAt, cell]),
    })),
    traces: sortedBy(evidence.traces, ({ recordedAt, key }) => [recordedAt, key]),
    parts: sortedBy(evidence.parts, ({ id }) => [id]),
  };
}

/**
 * The evidence of one machine at a time: what one lacks, another does not make up for.
 *
 * @param evidence The evidence.
 * @returns One entry a machine.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const evidence = { machines: [], traces: [], manifest: { drafts: {} }, parts: [] };
 * assertEquals(eachMachine(evidence), []);
 * ```
 */
export function eachMachine(evidence: Evidence): Evidence[] {
  return evidence.machines.map((machine) => ({ ...evidence, machines: [machine] }));
}

/**
 * One study's pairs on the machine that has most of them.
 *
 * @param evidence The evidence.
 * @param study The study's name.
 * @returns The machine and the pairs; null if no machine has any.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(fullestStudy({ machines: [] }, "quick"), null);
 * ```
 */
export function fullestStudy(
  { machines }: Pick<Evidence, "machines">,
  study: string,
): { readonly of: MachineEvidence; readonly records: Records } | null {
  const [most] = machines.map((of) => ({
    of,
    records: selectPairs(of.records, (run) => run.study === study),
  }))
    .filter(({ records }) => records.runs.length > 0)
    .toSorted((a, b) => b.records.runs.length - a.records.runs.length);
  return most ?? null;
}

function sortedBy<T>(rows: readonly T[], keysOf: (row: T) => readonly (string | number)[]): T[] {
  return rows.map((row) => ({ row, keys: keysOf(row) })).sort((a, b) => {
    const i = a.keys.findIndex((key, i) => key !== b.keys[i]);
    return i < 0 ? 0 : a.keys[i]! < b.keys[i]! ? -1 : 1;
  }).map(({ row }) => row);
}

async function foldersIn(path: string): Promise<string[]> {
  if (!exists(path)) return [];
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
}

async function readJson<T>(path: string): Promise<T | null> {
  return exists(path) ? JSON.parse(await Deno.readTextFile(path)) : null;
}
