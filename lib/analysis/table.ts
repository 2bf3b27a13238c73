/**
 * Cells as a table for a terminal.
 *
 * @module
 */

import { basename } from "node:path";
import type { CellSummary } from "./summary.ts";

/** Settings of the table. */
export interface TableOptions {
  /** Whether verdicts are coloured by ANSI escapes. Default false. */
  readonly colour?: boolean;
}

const COLOURS = { helps: 32, hurts: 31, undecided: 90 } as const;

const COLUMNS: readonly { readonly title: string; readonly show: (cell: CellSummary) => string }[] =
  [
    { title: "target", show: (cell) => cell.precision },
    { title: "draft", show: (cell) => draftName(cell) },
    { title: "K", show: (cell) => String(cell.draftLength) },
    { title: "n", show: (cell) => String(cell.pairs) },
    { title: "α", show: (cell) => decimals(cell.alpha) },
    { title: "τ", show: (cell) => decimals(cell.tau) },
    { title: "v", show: (cell) => decimals(cell.costs?.v) },
    { title: "S", show: (cell) => decimals(cell.speedup?.estimate) },
    {
      title: "95 %",
      show: ({ speedup }) => `${decimals(speedup?.low)}–${decimals(speedup?.high)}`,
    },
    { title: "predicted", show: (cell) => decimals(cell.predicted) },
    { title: "verdict", show: (cell) => cell.verdict },
  ];

/**
 * Aligns cells in columns: draft, K, pairs, α, τ, v, S with its interval, predicted S, verdict.
 *
 * @param cells The cells.
 * @param options Colour.
 * @returns Lines of text, and below them what was left out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(formatTable([]).split(/\s+/).slice(0, 3), ["target", "draft", "K"]);
 * ```
 */
export function formatTable(cells: readonly CellSummary[], options: TableOptions = {}): string {
  const rows = [
    COLUMNS.map(({ title }) => title),
    ...cells.map((cell) => COLUMNS.map(({ show }) => show(cell))),
  ];
  const aligned = alignRows(rows, (column) => column < 2 || column === COLUMNS.length - 1);
  const lines = aligned.map((text, line) => {
    const verdict = cells[line - 1]?.verdict;
    if (!options.colour || !verdict) return text;
    return text.replace(new RegExp(`${verdict}$`), `\x1b[${COLOURS[verdict]}m${verdict}\x1b[0m`);
  });
  return [...lines, ...remarks(cells), ""].join("\n");
}

/**
 * Sets rows of text in columns, two spaces apart.
 *
 * @param rows The rows, of as many cells each, at least one.
 * @param isLeft Which columns are aligned on the left. Default: the first two; others are numbers.
 * @returns One line a row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(alignRows([["a", "b", "n"], ["aa", "b", "10"]]), ["a   b   n", "aa  b  10"]);
 * ```
 */
export function alignRows(
  rows: readonly (readonly string[])[],
  isLeft: (column: number) => boolean = (column) => column < 2,
): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      isLeft(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  );
}

/** The columns that tell what drafts for a target. */
export type NamedDraft =
  & Pick<CellSummary, "draft" | "draftModel" | "draftPrecision" | "model">
  & Partial<Pick<CellSummary, "acceptance">>;

/**
 * A drafter in a few words.
 *
 * @param cell Its columns.
 * @returns "prompt lookup", "n-gram", "own int4" for the target's own weights, "replay α=0.7".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const none = { draftModel: null, draftPrecision: null, model: "m" };
 * assertEquals(draftName({ ...none, draft: "replay", acceptance: 0.7 }), "replay α=0.7");
 * ```
 */
export function draftName(cell: NamedDraft): string {
  if (cell.draft === "prompt-lookup") return "prompt lookup";
  if (cell.draft === "ngram") return "n-gram";
  if (cell.draft === "replay") return `replay α=${cell.acceptance}`;
  if (cell.draft === "none") return "none";
  const name = cell.draftModel === cell.model ? "own" : basename(cell.draftModel ?? "", ".gguf");
  return `${name} ${cell.draftPrecision}`;
}

/**
 * A target in a few words.
 *
 * @param cell Its columns.
 * @returns "int8", or "int8 exact" where passes run only at widths that agree to the bit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(targetName({ precision: "int8", exact: false }), "int8");
 * ```
 */
export function targetName(
  { precision, exact }: { readonly precision: string; readonly exact: boolean },
): string {
  return exact ? `${precision} exact` : precision;
}

function remarks(cells: readonly CellSummary[]): string[] {
  const total = (count: (cell: CellSummary) => number) =>
    cells.reduce((sum, cell) => sum + count(cell), 0);
  const [failed, disturbed, unequal] = [
    total((cell) => cell.failed),
    total((cell) => cell.disturbed),
    total((cell) => cell.unequal),
  ];
  return [
    failed > 0 && `${failed} pairs failed and are left out; their rows say why.`,
    disturbed > 0 && `${disturbed} pairs were disturbed by other work and are left out.`,
    unequal > 0 && `${unequal} pairs decoded other tokens than plain decoding (not exact mode).`,
  ].filter((remark) => remark !== false);
}

function decimals(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : value.toFixed(2);
}
