/**
 * The rows that drafts of many sizes are judged by: where they come from, whether they can be trusted.
 *
 * @module
 */

import type { DraftRows, DraftSize } from "../analysis/draft_sizes.ts";
import { joinPairs, pairCounts } from "../analysis/pairs.ts";
import { RecordError } from "../study/columns.ts";
import { readCosts } from "../study/cost_store.ts";
import { readTraces } from "../study/trace_store.ts";
import { readRecords } from "../study/store.ts";
import { markdownTable } from "./markdown.ts";

/**
 * Reads the three layers: costs and pairs of one machine, traces of any.
 *
 * @param folders The machine's folder of records, and the folder of traces.
 * @returns The rows.
 * @throws {RecordError} If a layer is missing or damaged.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * await assertRejects(() => readDraftRows({ machine: "no/such", traces: "data/traces" }), Error);
 * ```
 */
export async function readDraftRows(
  folders: { readonly machine: string; readonly traces: string },
): Promise<DraftRows> {
  const [costs, traces, records] = await Promise.all([
    readCosts(folders.machine),
    readTraces(folders.traces),
    readRecords(folders.machine),
  ]);
  return { costs, traces, records };
}

/**
 * Where rows come from and how many there are: a column a layer.
 *
 * @param rows The rows.
 * @returns A Markdown table.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const rows = { costs: [], traces: [], records: { runs: [], rounds: [] } };
 * assertStringIncludes(describeDraftRows(rows), "| rows | 0 | 0 | 0 |");
 * ```
 */
export function describeDraftRows({ costs, traces, records }: DraftRows): string {
  const { runs } = records;
  const list = (values: readonly unknown[]) => [...new Set(values)].sort().join(", ") || "none";
  const layers = [costs, traces, runs];
  const days = [
    costs.map(({ startedAt }) => startedAt.slice(0, 10)),
    traces.map(({ recordedAt }) => recordedAt.slice(0, 10)),
    runs.map(({ startedAt }) => startedAt.slice(0, 10)),
  ];
  const pairs = joinPairs(records);
  const count = (rows: readonly { readonly status: string }[]) =>
    String(rows.filter(({ status }) => status === "failed").length);
  return markdownTable(["", "costs", "traces", "runs"], [
    ["machine", ...layers.map((rows) => list(rows.map(({ cpu }) => cpu)))],
    ["threads", ...layers.map((rows) => list(rows.map(({ threads }) => threads)))],
    ["commit", ...layers.map((rows) => list(rows.map(commitOf)))],
    ["on", ...days.map(list)],
    ["rows", ...layers.map((rows) => String(rows.length))],
    [
      "units",
      `${new Set(costs.map(({ key }) => key)).size} cells`,
      `${new Set(traces.map(({ promptHash }) => promptHash)).size} prompts`,
      `${pairs.length} pairs`,
    ],
    ["failed", count(costs), "0", count(runs)],
    [
      "left out",
      `${costs.filter(({ disturbed }) => disturbed).length} disturbed`,
      "0",
      `${pairs.filter((pair) => !pairCounts(pair)).length} pairs`,
    ],
  ]);
}

function commitOf(
  { commit, dirty }: { readonly commit: string | null; readonly dirty: boolean | null },
): string {
  return commit ? commit.slice(0, 7) + (dirty ? ", changed" : "") : "not known";
}

/** How far S may exceed K + 1: many rounds do more work outside of passes than few. */
const MOST_ABOVE = 1.05;

/**
 * On how many prompts the drafts of each precision of the target were judged.
 *
 * @param sizes The drafts.
 * @returns "16 (fp32)", one entry a precision.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(promptCounts([]), []);
 * ```
 */
export function promptCounts(sizes: readonly DraftSize[]): string[] {
  return [...Map.groupBy(sizes, ({ precision }) => precision)]
    .map(([precision, [first]]) => `${first!.best.prompts.length} (${precision})`);
}

/**
 * Checks what must hold of drafts whatever they are, and throws if it does not: one round emits 1 to
 * K + 1 tokens and is no faster than that, acceptances are shares, models cost time, tables have no
 * size, and all drafts of a precision were judged on the same prompts.
 *
 * @param sizes The drafts.
 * @returns What was checked, in a sentence, and which drafts are missing for a precision.
 * @throws {RecordError} If something does not hold; the message names the first five.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => checkDraftSizes([]), Error, "there are none");
 * ```
 */
export function checkDraftSizes(sizes: readonly DraftSize[]): string {
  const violations = sizes.length === 0 ? ["there are none"] : sizes.flatMap(violationsOf);
  for (const [precision, same] of Map.groupBy(sizes, (size) => size.precision)) {
    const sets = same.map(({ best }) => best.prompts.map(({ prompt }) => prompt).sort().join());
    if (new Set(sets).size > 1) violations.push(`prompts differ between drafts for ${precision}`);
  }
  if (violations.length > 0) {
    throw new RecordError(`Cannot trust these drafts as ${violations.slice(0, 5).join("; ")}`);
  }
  const prompts = promptCounts(sizes);
  const missing = missingOf(sizes);
  return [
    `${sizes.length} drafts of ${prompts.length} targets: rounds emit 1 to K + 1 tokens and are no`,
    "faster than that, acceptances are shares, models cost time, and drafts for a target were judged on",
    `the same prompts: ${prompts.join(", ")}.`,
    ...missing.length > 0
      ? [
        `Not judged, as their costs or traces of enough prompts are missing: ${
          missing.join(", ")
        }.`,
      ]
      : [],
  ].join(" ");
}

/** Drafts that were judged for another precision only: "2x576 (int4)". */
function missingOf(sizes: readonly DraftSize[]): string[] {
  const others = sizes.filter(({ kind }) => kind !== "own"); // a target does not draft for itself
  const names = new Set(others.map(({ name }) => name));
  return [...Map.groupBy(others, ({ precision }) => precision)].flatMap(([precision, judged]) =>
    [...names.difference(new Set(judged.map(({ name }) => name)))]
      .map((name) => `${name} (${precision})`)
  );
}

function violationsOf({ precision, name, kind, ratio, c, alpha, lengths }: DraftSize): string[] {
  const isShare = (value: number) => 0 <= value && value <= 1;
  const checks: [holds: boolean, what: string][] = [
    [(kind === "table") === (ratio === 0), `has a size of ${ratio}`],
    [kind === "table" ? c.estimate === 0 : c.estimate > 0, `costs ${c.estimate}`],
    [alpha === null || isShare(alpha.alpha), `has α = ${alpha?.alpha}`],
    ...lengths.flatMap(({ draftLength: k, tau, predicted: { estimate } }): typeof checks => [
      [1 <= tau && tau <= k + 1, `emits ${tau} tokens a round at K = ${k}`],
      [estimate <= MOST_ABOVE * (k + 1), `promises S = ${estimate} at K = ${k}`],
    ]),
  ];
  return checks.flatMap(([holds, what]) => holds ? [] : [`${name} for ${precision} ${what}`]);
}
