/**
 * The part of `jsr:@std/csv` that this repository uses, on csv-parse and csv-stringify, for
 * networks that cannot reach JSR. Same names, options and behaviour.
 *
 * @module
 */

import { CsvError, parse as read } from "csv-parse/sync";
import { stringify as write } from "csv-stringify/sync";

/** Options of `parse`. */
export interface ParseOptions {
  /** What stands between values. Default ",". */
  readonly separator?: string;
  /** Lines that begin with this character are left out. Default: none. */
  readonly comment?: string;
  /** Drops white space before a value. Default false. */
  readonly trimLeadingSpace?: boolean;
  /** The first row is a header: it is not data, and names the columns if `columns` does not. */
  readonly skipFirstRow?: boolean;
  /** Names of the columns. */
  readonly columns?: readonly string[];
}

/** Objects if columns are named, else arrays of strings. */
export type ParseResult<T> = T extends { columns: readonly (infer C extends string)[] }
  ? (string extends C ? Record<string, string | undefined> : Record<C, string>)[]
  : T extends { skipFirstRow: true } ? Record<string, string | undefined>[]
  : string[][];

/** Reads CSV (RFC 4180). Empty lines and a byte-order mark are left out. */
export function parse(input: string): string[][];
/** Reads CSV (RFC 4180) into objects if `skipFirstRow` or `columns` is given, else into arrays. */
export function parse<const T extends ParseOptions>(input: string, options: T): ParseResult<T>;
export function parse(
  input: string,
  options: ParseOptions = {},
): string[][] | Record<string, string | undefined>[] {
  const rows = parseRows(input, options);
  if (!options.skipFirstRow && !options.columns) return rows;
  const first = options.skipFirstRow ? rows.shift() : [];
  if (first === undefined) {
    throw new TypeError("Cannot parse input: headers must be defined");
  }
  const names = options.columns ?? first;
  return rows.map((row, index) => {
    if (row.length === names.length) {
      return Object.fromEntries(names.map((name, i) => [name, row[i]]));
    }
    const line = index + (options.skipFirstRow ? 2 : 1);
    throw new SyntaxError(
      `Syntax error on line ${line}: The record has ${row.length} fields, but the header has ${names.length} fields`,
    );
  });
}

function parseRows(input: string, options: ParseOptions): string[][] {
  const { separator = ",", comment, trimLeadingSpace = false } = options;
  try {
    return read(input, {
      bom: true,
      delimiter: separator,
      comment: comment ?? null,
      comment_no_infix: true,
      ltrim: trimLeadingSpace,
      record_delimiter: ["\r\n", "\n"],
      relax_column_count: true,
      skip_empty_lines: true,
    });
  } catch (error) {
    if (error instanceof CsvError) throw new SyntaxError(error.message, { cause: error });
    throw error;
  }
}

/** A column: a property's name (an index for arrays), a path of them, or either with a header. */
export type Column =
  | string
  | number
  | readonly (string | number)[]
  | { readonly header?: string; readonly prop: string | number | readonly (string | number)[] };

/** Options of `stringify`. */
export interface StringifyOptions {
  /** Whether a row of headers comes first. Default true if columns are given. */
  readonly headers?: boolean;
  /** What stands between values. Default ",". */
  readonly separator?: string;
  /** What each column shows. Needed for objects. */
  readonly columns?: readonly Column[];
  /** Whether a byte-order mark comes first. Default false. */
  readonly bom?: boolean;
}

/** Writes CSV (RFC 4180): rows end in CRLF; null and undefined are empty, objects are JSON. */
export function stringify(
  data: readonly (Readonly<Record<string, unknown>> | readonly unknown[])[],
  options: StringifyOptions = {},
): string {
  const { columns = [], headers = columns.length > 0, separator = ",", bom = false } = options;
  const paths = columns.map(pathOf);
  const rows = data.map((item) => {
    if (paths.length > 0) return paths.map((path) => cell(valueAt(item, path)));
    if (Array.isArray(item)) return item.map(cell);
    throw new TypeError("No property accessor function was provided for object");
  });
  const header = headers ? [columns.map((column, i) => headerOf(column, paths[i]!))] : [];
  return write([...header, ...rows], {
    bom,
    delimiter: separator,
    record_delimiter: "\r\n",
    quoted_match: "\n",
  });
}

type Path = readonly (string | number)[];

function pathOf(column: Column): Path {
  const prop = typeof column === "object" && "prop" in column ? column.prop : column;
  return typeof prop === "object" ? prop as Path : [prop];
}

function headerOf(column: Column, path: Path): string {
  const header = typeof column === "object" && "prop" in column ? column.header : undefined;
  return header ?? String(path.at(-1));
}

function valueAt(item: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => typeof value === "object" && value !== null ? Reflect.get(value, key) : value,
    item,
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
