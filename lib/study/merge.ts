/**
 * The records of shards made one: nothing lost, and the same bytes in whatever order they are given.
 *
 * @module
 */

import { join } from "node:path";
import { readRows, RecordError, type Table, writeHeader, writeRows } from "./columns.ts";
import { COST_COLUMNS } from "./cost_records.ts";
import { readLines, replaceFile, takeLock } from "./line_file.ts";
import { ROUND_COLUMNS, type RoundRecord, RUN_COLUMNS, type RunRecord } from "./records.ts";
import { requireAlike } from "./provenance.ts";
import { wholePairs } from "./store.ts";

type Row = Readonly<Record<string, unknown>>;

/** Files whose rows make units, which stand or fall whole. */
interface Family {
  /** The column that names the unit of a row. */
  readonly unit: string;
  /** Tables by file, in the order to write them; a unit stands by its rows in the last. */
  readonly tables: Readonly<Record<string, Table>>;
  /** Whether rows, by file, are all of a unit. */
  isWhole(rows: readonly (readonly Row[])[]): boolean;
}

const FAMILIES: readonly Family[] = [{
  unit: "pair",
  tables: { "rounds.csv": ROUND_COLUMNS, "runs.csv": RUN_COLUMNS },
  isWhole(rows) {
    const [rounds, runs] = rows as unknown as [RoundRecord[], RunRecord[]];
    return wholePairs({ runs, rounds }).runs.length === 2;
  },
}, {
  unit: "cell",
  tables: { "costs.csv": COST_COLUMNS },
  isWhole: ([costs]) => costs!.length === 1,
}];

const FILES = FAMILIES.flatMap(({ tables }) => Object.keys(tables));

/** A unit as one folder has it. */
interface Unit {
  readonly name: string;
  readonly folder: string;
  /** Its rows, by file of the family. */
  readonly rows: readonly (readonly Row[])[];
  /** Lines of them, by file. */
  readonly lines: readonly string[];
}

/** What came of merging the records of one machine. */
export interface MergedMachine {
  /** Machine id. */
  readonly machine: string;
  /** Rows of each file. */
  readonly rows: Readonly<Record<string, number>>;
  /** Pairs and cells that were measured more than once; of these the earliest was kept. */
  readonly repeated: number;
}

interface Merge extends MergedMachine {
  /** Texts by file, in the order to write them. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Merges folders of records, machine by machine. What `out` holds of these machines is merged too,
 * so nothing there is lost. Pairs and cells are ordered by name: key, process, repeat.
 *
 * A pair or cell that several folders hold must agree in all that is not measured; of several
 * measurements the earliest is kept. Everything is read and compared before anything is written.
 * Files are replaced whole, rounds before runs: a killed merge leaves no run without its rounds, and
 * the same merge again completes it.
 *
 * @param folders Folders of records, each with a folder a machine, as sweeps make them.
 * @param out The folder of records to write; made if absent.
 * @returns What was written, by machine.
 * @throws {RecordError} If folders conflict, one holds no records, a file is torn, unknown or of
 * another version, a pair is not whole in any of them, or another process writes to `out`. Nothing
 * is written then.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * await assertRejects(() => mergeRecords(["no/shard"], "out"), Error, "holds no machine's records");
 * ```
 */
export async function mergeRecords(
  folders: readonly string[],
  out: string,
): Promise<MergedMachine[]> {
  const machines = new Set<string>();
  for (const folder of folders) {
    const found = await machinesIn(folder);
    for (const machine of found) machines.add(machine);
    if (found.length > 0) continue;
    throw new RecordError(
      `Cannot merge ${folder} as it holds no machine's records: give what a sweep had as --records`,
    );
  }
  using locks = new DisposableStack();
  const there = await machinesIn(out);
  const merges: Merge[] = [];
  for (const machine of [...machines].sort()) {
    const isThere = there.includes(machine);
    if (isThere) locks.use(await takeLock(join(out, machine)));
    merges.push(await mergeMachine(machine, isThere ? [...folders, out] : folders));
  }
  for (const { machine, texts } of merges) {
    const folder = join(out, machine);
    if (!there.includes(machine)) locks.use(await takeLock(folder));
    for (const [name, text] of Object.entries(texts)) await replaceFile(join(folder, name), text);
  }
  return merges.map(({ texts: _texts, ...merged }) => merged);
}

/** The folders in a folder of records that hold some. */
async function machinesIn(folder: string): Promise<string[]> {
  const machines: string[] = [];
  for (const name of await namesIn(folder)) {
    const files = await namesIn(join(folder, name));
    if (files.some((file) => FILES.includes(file))) machines.push(name);
  }
  return machines;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

async function mergeMachine(machine: string, folders: readonly string[]): Promise<Merge> {
  const places = folders.map((folder) => join(folder, machine));
  for (const place of places) await requireKnownTables(place);
  const texts: Record<string, string> = {};
  const rows: Record<string, number> = {};
  let repeated = 0;
  for (const family of FAMILIES) {
    const found = await Promise.all(places.map((place) => readUnits(family, place, machine)));
    const units = Object.groupBy(found.flat(), ({ name }) => name);
    const kept = Object.keys(units).sort().map((name) => {
      const whole = wholeUnits(family, units[name]!);
      if (new Set(whole.map(({ lines }) => lines.join(""))).size > 1) repeated++;
      return whole[0]!;
    });
    if (kept.length === 0) continue;
    for (const [index, [name, table]] of Object.entries(family.tables).entries()) {
      rows[name] = kept.reduce((sum, unit) => sum + unit.rows[index]!.length, 0);
      texts[name] = writeHeader(table) + kept.map(({ lines }) => lines[index]).join("");
    }
  }
  const described = await Promise.all(places.map((place) => readLines(`${place}/machine.json`)));
  const descriptions = described.flatMap(({ text, torn }) => text && !torn ? [text] : []).sort();
  requireAlike(descriptions.map((text) => JSON.parse(text)), machine);
  const [description] = descriptions; // kernels may differ: the first in order stands for all
  if (description) texts["machine.json"] = description;
  return { machine, rows, repeated, texts };
}

/** A table that is not known here would be left behind. */
async function requireKnownTables(folder: string): Promise<void> {
  const unknown = (await namesIn(folder))
    .find((name) => name.endsWith(".csv") && !FILES.includes(name));
  if (unknown === undefined) return;
  throw new RecordError(
    `Cannot merge ${folder} as this version of specbound knows no ${unknown}: merge with the version that wrote it, or move it away`,
  );
}

/** What a machine's folder holds of a family. */
async function readUnits(family: Family, folder: string, machine: string): Promise<Unit[]> {
  const tables = Object.entries(family.tables);
  const found = await Promise.all(tables.map(async ([name, table]) => {
    const path = join(folder, name);
    const rows = await readTable(table, path);
    const stray = rows.find((row) => "machine" in row && row.machine !== machine);
    if (!stray) return Map.groupBy(rows, (row) => String(row[family.unit]));
    throw new RecordError(
      `Cannot merge ${path} as a row is of machine ${stray.machine}: keep it in a folder of that name`,
    );
  }));
  return [...new Set(found.flatMap((units) => [...units.keys()]))].map((name) => {
    const rows = found.map((units) => units.get(name) ?? []);
    return { name, folder, rows, lines: tables.map(([, table], i) => writeRows(table, rows[i]!)) };
  });
}

async function readTable(table: Table, path: string): Promise<Row[]> {
  const { text, torn } = await readLines(path);
  if (torn) {
    throw new RecordError(
      `Cannot merge ${path} as its last line is torn: let its sweep finish, which repairs it`,
    );
  }
  return text ? readRows(table, text, path) : [];
}

/** The folders' whole versions of a unit, which agree in what is not measured; earliest first. */
function wholeUnits(family: Family, units: readonly Unit[]): Unit[] {
  const whole = units.filter(({ rows }) => family.isWhole(rows));
  const [{ name, folder }] = units as [Unit];
  if (whole.length === 0) {
    throw new RecordError(
      `Cannot merge ${folder} as ${family.unit} ${name} is not whole there: let its sweep finish, which repairs it, or restore the file`,
    );
  }
  const rank = ({ rows, lines }: Unit) => `${rows.at(-1)![0]!.startedAt} ${lines.join("")}`;
  const [first, ...others] = whole.sort((a, b) => rank(a) < rank(b) ? -1 : 1) as [Unit, ...Unit[]];
  for (const other of others) {
    const columns = conflicts(family, first, other);
    if (columns.length === 0) continue;
    throw new RecordError(
      `Cannot merge ${first.folder} and ${other.folder} as ${family.unit} ${name} differs in ${
        columns.join(", ")
      }: find out which is right, and leave the other out`,
    );
  }
  return whole;
}

/** Columns, by file, in which two versions of a unit differ although nothing there is measured. */
function conflicts({ tables }: Family, a: Unit, b: Unit): string[] {
  return Object.entries(tables).flatMap(([file, table], index) => {
    const [ours, theirs] = [a.rows[index]!, b.rows[index]!];
    return Object.keys(table)
      .filter((name) => !table[name]!.measured)
      .filter((name) => ours.some((row, i) => row[name] !== theirs[i]?.[name]))
      .map((name) => `${name} of ${file}`);
  });
}
