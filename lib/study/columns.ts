/**
 * A table declared once: its columns give the types, the reader, the writer and the dictionary.
 *
 * @module
 */

import { parse, stringify } from "@std/csv";

/** Raised when a record file holds what this version cannot read. */
export class RecordError extends Error {
  /** "RecordError". */
  override readonly name = "RecordError";
}

/** One column: how its cells are written, and what they mean. */
export interface Column<Value> {
  /** "text", "integer", "number", "flag", or the values allowed. */
  readonly type: string;
  /** Unit of the values, or "". */
  readonly unit: string;
  /** What the values say, for the dictionary. */
  readonly meaning: string;
  /** Whether a cell may be empty: not measured, or without sense in this row. Never a zero. */
  readonly optional: boolean;
  /** Whether it may differ when the same is done again, as times do. */
  readonly measured: boolean;
  /** Of the schema's column: the one version that it reads. */
  readonly version?: number;
  /** Reads a cell; undefined if it is malformed. */
  read(cell: string): Value | undefined;
}

/** Columns by name, in file order. */
export type Table = Readonly<Record<string, Column<unknown>>>;

/** The row that a table describes. */
export type RowOf<T extends Table> = {
  readonly [Name in keyof T]: T[Name] extends Column<infer Value> ? Value : never;
};

const PLAIN = { optional: false, measured: false };

/**
 * A column of text on one line.
 *
 * @param meaning What the text says.
 * @returns The column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(text("Model id.").read("smollm2"), "smollm2");
 * ```
 */
export function text(meaning: string): Column<string> {
  return { type: "text", unit: "", meaning, ...PLAIN, read: (cell) => cell || undefined };
}

/**
 * A column of whole numbers.
 *
 * @param meaning What is counted.
 * @param unit The unit, if it is not a plain count.
 * @returns The column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([integer("Rounds.").read("12"), integer("Rounds.").read("1.5")], [12, undefined]);
 * ```
 */
export function integer(meaning: string, unit = ""): Column<number> {
  const read = (cell: string) => /^-?\d+$/.test(cell) ? Number(cell) : undefined;
  return { type: "integer", unit, meaning, ...PLAIN, read };
}

/**
 * A column of finite numbers.
 *
 * @param meaning What is measured.
 * @param unit The unit, or "" for a ratio.
 * @returns The column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([number("Time.", "ms").read("0.25"), number("Time.", "ms").read("")], [0.25, undefined]);
 * ```
 */
export function number(meaning: string, unit: string): Column<number> {
  const read = (cell: string) =>
    /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(cell) ? Number(cell) : undefined;
  return { type: "number", unit, meaning, ...PLAIN, read };
}

/**
 * A column of true and false.
 *
 * @param meaning What is true.
 * @returns The column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([flag("Dirty.").read("false"), flag("Dirty.").read("0")], [false, undefined]);
 * ```
 */
export function flag(meaning: string): Column<boolean> {
  const read = (cell: string) => cell === "true" ? true : cell === "false" ? false : undefined;
  return { type: "flag", unit: "", meaning, ...PLAIN, read };
}

/**
 * A column of a few fixed words.
 *
 * @param values The words.
 * @param meaning What they tell apart.
 * @returns The column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(oneOf(["ok", "failed"], "Outcome.").read("ok"), "ok");
 * ```
 */
export function oneOf<const Value extends string>(
  values: readonly Value[],
  meaning: string,
): Column<Value> {
  const read = (cell: string) => values.find((value) => value === cell);
  return { type: values.join(" \\| "), unit: "", meaning, ...PLAIN, read };
}

/**
 * The same column with empty cells allowed; an empty cell is null.
 *
 * @param column The column.
 * @returns The column of values or null.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(optional(integer("Peak memory.", "byte")).read(""), null);
 * ```
 */
export function optional<Value>(column: Column<Value>): Column<Value | null> {
  const read = (cell: string) => cell === "" ? null : column.read(cell);
  return { ...column, optional: true, read };
}

/**
 * The same column, marked as one that may differ when the same is done again: a time, a load.
 *
 * @param column The column.
 * @returns The column, measured.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(measured(number("Time.", "ms")).measured && !integer("Rounds.").measured);
 * ```
 */
export function measured<Value>(column: Column<Value>): Column<Value> {
  return { ...column, measured: true };
}

/**
 * The first column of every table: rows of any other version are malformed.
 *
 * @param version The version that is written and read.
 * @returns The column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([schemaColumn(2).read("2"), schemaColumn(2).read("1")], [2, undefined]);
 * ```
 */
export function schemaColumn(version: number): Column<number> {
  const read = (cell: string) => cell === String(version) ? version : undefined;
  return { ...integer("Version of this table."), read, version };
}

/**
 * The header line of a table.
 *
 * @param table The columns.
 * @returns One line with its line end.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(writeHeader({ id: text("Id."), count: integer("Count.") }), "id,count\n");
 * ```
 */
export function writeHeader(table: Table): string {
  return lines([Object.keys(table)]);
}

/**
 * Rows as CSV, without a header: exactly one line a row, so that a torn write is seen at once.
 *
 * @param table The columns.
 * @param rows The rows. Line breaks inside text become spaces.
 * @returns The lines, each with its line end.
 * @throws {RecordError} If a value does not fit its column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const table = { id: text("Id."), ms: optional(number("Time.", "ms")) };
 * assertEquals(writeRows(table, [{ id: "a", ms: null }, { id: "b", ms: 1.5 }]), "a,\nb,1.5\n");
 * ```
 */
export function writeRows<T extends Table>(table: T, rows: readonly RowOf<T>[]): string {
  return lines(rows.map((row) =>
    Object.entries(table).map(([name, column]) => {
      const value: unknown = row[name];
      const cell = value === null ? "" : String(value).replace(/\s*[\r\n]+\s*/g, " ");
      if (column.read(cell) !== undefined) return cell;
      throw new RecordError(
        `Cannot write a row as ${name} must be ${expected(column)}: current value is ${value}`,
      );
    })
  ));
}

/**
 * Rows from CSV.
 *
 * @param table The columns, which must be the file's.
 * @param csv The file's text, header included.
 * @param file The file's name, for messages.
 * @returns The rows.
 * @throws {RecordError} If the schema is another version's, whatever the other columns are; if these
 *   are others, or a cell is malformed.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * const table = { id: text("Id."), ms: optional(number("Time.", "ms")) };
 * assertEquals(readRows(table, "id,ms\na,\n", "a.csv"), [{ id: "a", ms: null }]);
 * assertThrows(() => readRows(table, "id,s\na,\n", "a.csv"), RecordError, "column 2 is s, not ms");
 * const old = { schema: schemaColumn(2), ...table };
 * assertThrows(() => readRows(old, "schema,s\n1,a\n", "a.csv"), RecordError, "its schema is 1");
 * ```
 */
export function readRows<T extends Table>(table: T, csv: string, file: string): RowOf<T>[] {
  requireSchema(table, csv, file);
  const [header = [], ...cells] = parseCells(csv, file);
  const names = Object.keys(table);
  const wrong = Array.from({ length: Math.max(names.length, header.length) }, (_, i) => i)
    .find((i) => names[i] !== header[i]);
  if (wrong !== undefined) {
    throw new RecordError(
      `Cannot read ${file} as column ${wrong + 1} is ${header[wrong] ?? "absent"}, not ${
        names[wrong] ?? "absent"
      }: it was written by another version of specbound; move it away, or read it with that version`,
    );
  }
  const columns = Object.entries(table);
  return cells.map((row, index) => {
    const where = `line ${index + 2} of ${file}`;
    if (row.length !== columns.length) {
      throw new RecordError(
        `Cannot read ${where} as it has ${row.length} cells for ${columns.length} columns: restore the file`,
      );
    }
    return Object.fromEntries(columns.map(([name, column], i) => {
      const value = column.read(row[i]!);
      if (value !== undefined) return [name, value];
      if (column.version !== undefined) throw otherSchema(where, row[i]!, column);
      throw new RecordError(
        `Cannot read ${where} as ${name} must be ${expected(column)}: it is "${row[i]}"`,
      );
    })) as RowOf<T>;
  });
}

/**
 * The dictionary of a table.
 *
 * @param table The columns.
 * @returns A Markdown table: column, type, unit, meaning.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(describeTable({ ms: number("Time.", "ms") }), "| `ms` | number | ms | Time. |");
 * ```
 */
export function describeTable(table: Table): string {
  const rows = Object.entries(table).map(([name, { type, unit, meaning, optional }]) =>
    `| \`${name}\` | ${type}${optional ? " or empty" : ""} | ${unit} | ${meaning} |`
  );
  return ["| column | type | unit | meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
}

function requireSchema({ schema }: Table, csv: string, file: string): void {
  const found = /^schema,[^\n]*\r?\n(?:"?)([^,"\r\n]+)/.exec(csv)?.[1];
  if (!schema || found === undefined || schema.read(found) !== undefined) return;
  throw otherSchema(file, found, schema);
}

function otherSchema(where: string, found: string, { version }: Column<unknown>): RecordError {
  return new RecordError(
    `Cannot read ${where} as its schema is ${found} and this version of specbound reads ${version}: read it with the version that wrote it, or move it away`,
  );
}

function parseCells(csv: string, file: string): string[][] {
  try {
    return parse(csv);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RecordError(`Cannot read ${file} as it is not CSV: ${error.message}`);
  }
}

function lines(rows: readonly (readonly string[])[]): string {
  return stringify(rows).replaceAll("\r\n", "\n");
}

function expected({ type, optional }: Column<unknown>): string {
  return `${type.replaceAll("\\", "")}${optional ? " or empty" : ""}`;
}
