/**
 * docs/findings.md: all that the records say.
 *
 * @module
 */

import { compareProcesses, countConcords } from "../lib/analysis/agreement.ts";
import { breakEven } from "../lib/analysis/boundary.ts";
import { type Figure, type Finding, say } from "../lib/analysis/claims/finding.ts";
import { DRAWS, pricedPairs, whereMeasured } from "../lib/analysis/claims/priced.ts";
import type { Evidence } from "../lib/analysis/evidence.ts";
import { joinPairs } from "../lib/analysis/pairs.ts";
import { type CellSummary, summarise } from "../lib/analysis/summary.ts";
import { draftName } from "../lib/analysis/table.ts";
import {
  nullExperiments,
  residualsByFactor,
  validate,
  type ValidatedCell,
  validationErrors,
} from "../lib/analysis/validation.ts";
import { markdownTable } from "../lib/notebook/markdown.ts";

/** Draft length of the boundary's table. */
const DRAFT_LENGTH = 4;

/**
 * The page.
 *
 * @param evidence What is on record.
 * @param findings What it makes of the claims.
 * @returns Markdown.
 */
export function findingsPage(evidence: Evidence, findings: readonly Finding[]): string {
  return [
    `# Findings

Generated from \`data\` by \`deno task findings\`; a test holds it up to date. Intervals are of 95 %.
A claim is _supported_ or _contradicted_ if all places that decide agree and are at least half of
all, _conditional_ if it holds at some and fails at others (more than one place in twenty each), else
_undecided_. A place is a measured cell, or a target, draft, length and context with measured costs;
its interval decides. What the symbols mean is in the [README](../README.md#how-to-read-a-number).`,
    section("Claims", claims(findings)),
    section("What is on record", rows(evidence)),
    section("Speed-up by target and draft", speedups(evidence)),
    section("Predicted against measured, end to end", validation(evidence)),
    section("The same study again", agreement(evidence)),
    section(
      `Boundary: break-even α at K = ${DRAFT_LENGTH}`,
      boundary(evidence),
    ),
  ].join("\n\n") + "\n";
}

function section(title: string, body: string): string {
  return `## ${title}\n\n${body}`;
}

function claims(findings: readonly Finding[]): string {
  return findings.map(({ id, claim, verdict, statement, numbers, needs }) =>
    [
      `**${id}, ${claim}: ${verdict}.** ${statement}${needs ? ` _Missing: ${needs}._` : ""}`,
      ...(numbers.length > 0 ? [numbersTable(numbers)] : []),
    ].join("\n\n")
  ).join("\n\n");
}

/** A line a number, a column a machine: side by side they can be compared. */
function numbersTable(numbers: readonly Figure[]): string {
  const columnOf = ({ machine = "value" }: Figure) => machine;
  const columns = [...new Set(numbers.map(columnOf))];
  const lines = Map.groupBy(numbers, ({ name }) => name);
  return markdownTable(
    ["", ...columns, "of"],
    [...lines].map(([name, figures]) => [
      name,
      ...columns.map((column) =>
        figures.filter((figure) => columnOf(figure) === column).map(say).join()
      ),
      sayCounts(figures),
    ]),
  );
}

function sayCounts(figures: readonly Figure[]): string {
  return `${[...new Set(figures.map(({ n }) => n))].join(", ")} ${figures[0]!.of}`;
}

function rows({ machines, traces }: Evidence): string {
  const commits = (list: readonly { readonly commit: string | null }[]) =>
    [...new Set(list.map(({ commit }) => commit?.slice(0, 7) ?? "none"))].sort().join(", ");
  const lines = [
    ...machines.flatMap(({ machine, records, costs, benches }) => [
      [machine.id, "pairs of runs", String(joinPairs(records).length), commits(records.runs)],
      [machine.id, "rounds", String(records.rounds.length), commits(records.runs)],
      [machine.id, "cells of the cost layer", String(costs.length), commits(costs)],
      [machine.id, "engines beside this one", String(peersOf(benches)), ""],
    ]),
    ["any", "traces", String(traces.length), commits(traces)],
  ];
  return markdownTable(
    ["machine", "rows", "n", "commit"],
    lines.filter(([, , n]) => n !== "0"),
  );
}

function peersOf(benches: Evidence["machines"][number]["benches"]): number {
  return new Set(benches.flatMap(({ peers }) => peers.map(({ name }) => name))).size;
}

function speedups({ machines }: Evidence): string {
  const cells = machines.flatMap(({ records }) => summarise(records))
    .filter(({ speedup, draftLength }) => speedup !== null && draftLength > 0);
  const decimals = (value: number | null | undefined) => value?.toFixed(2) ?? "";
  const mode = (cell: CellSummary) =>
    [
      `${cell.maxTokens} tokens`,
      ...(cell.temperature > 0 ? [`T = ${cell.temperature}`] : []),
      ...(cell.exact ? ["exact"] : []),
    ].join(", ");
  const head = "machine, target, draft, K, runs, pairs, prompts, α, τ, v, S, predicted, verdict"
    .split(", ");
  return markdownTable(
    head,
    cells.map((cell) => [
      cell.machine,
      cell.precision,
      draftName(cell),
      String(cell.draftLength),
      mode(cell),
      String(cell.pairs),
      String(cell.prompts),
      decimals(cell.alpha),
      decimals(cell.tau),
      decimals(cell.costs?.v),
      say(cell.speedup!),
      decimals(cell.predicted),
      cell.verdict,
    ]),
  ) + "\n\nPredicted: from each cell's own α and costs, E[τ] / (K·c + v + h).";
}

function validation({ machines, traces }: Evidence): string {
  const layers = machines.map(({ machine, records, costs }) => ({
    machine,
    cells: validate(records, traces, costs),
    nulls: nullExperiments(records).filter(({ speedup }) => speedup !== null),
  }));
  const cells = layers.flatMap(({ cells }) => cells);
  if (!validationErrors(cells)) {
    return "No pair on record has both a trace and costs that predict it.";
  }
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`.replace("-", "−");
  const nulls = layers.flatMap(({ machine, nulls }) => nulls.map((one) => ({ machine, ...one })));
  return [
    "Traces and costs, measured apart, predict S. Off by how much, in the median and at the 90th percentile, over the cells that are predicted; _from counts_ takes the runs' own rounds instead of traces, so that its errors are those of the costs alone; _measured again_ is the last process beside those before it.",
    markdownTable(
      ["machine", "mode", "text", "predicted", "from counts", "measured again"],
      layers.flatMap(({ machine, cells }) => {
        const predicted = cells.filter(({ error }) => error !== null);
        const kindOf = ({ exact, temperature }: ValidatedCell) =>
          [exact ? "exact" : "fast", temperature === 0 ? "greedy" : "sampled"].join();
        return [...Map.groupBy(predicted, kindOf)].sort().map(([kind, same]) => {
          const errors = (["error", "countsError", "repeatError"] as const).map((of) => {
            const off = validationErrors(same, of);
            return off ? `${percent(off.median)}, ${percent(off.percentile90)} (${off.cells})` : "";
          });
          return [machine.id, ...kind.split(","), ...errors];
        });
      }),
    ),
    markdownTable(
      ["factor", "level", "cells", "bias", "median error"],
      residualsByFactor(cells, ["precision", "draft", "draftLength", "temperature", "task"])
        .map((one) => [
          one.factor,
          one.level,
          String(one.cells),
          percent(one.bias),
          percent(one.median),
        ]),
    ),
    ...(nulls.length > 0
      ? [
        "Both arms decoding plainly:",
        markdownTable(
          ["machine", "target", "pairs", "S", "undecided or 1.00 ± 0.02"],
          nulls.map((one) => [
            one.machine.id,
            one.target,
            String(one.pairs),
            say(one.speedup!),
            one.holds ? "yes" : "no",
          ]),
        ),
      ]
      : []),
  ].join("\n\n");
}

function agreement({ machines }: Evidence): string {
  const lines = machines.flatMap(({ machine, records }) => {
    const studies = Map.groupBy(compareProcesses(records), ({ study }) => study);
    return [...studies].map(([study, compared]) => {
      const cells = compared.flatMap(({ cells }) => cells);
      const { agree, decided, undecided, contradict } = countConcords(cells);
      const processes = new Set(compared.flatMap(({ processes }) => processes)).size;
      const counts = [processes, cells.length, agree, decided, undecided, contradict];
      return [machine.id, study, ...counts.map(String)];
    });
  });
  if (lines.length === 0) return "No study on record has two processes.";
  return "Every process of a study beside every later one, verdict by verdict:\n\n" + markdownTable(
    [
      "machine",
      "study",
      "processes",
      "cells compared",
      "the same",
      "of these decided",
      "one undecided",
      "contradict",
    ],
    lines,
  );
}

function boundary(evidence: Evidence): string {
  const pairs = pricedPairs(evidence);
  if (pairs.length === 0) return "No cost layer is on record.";
  const contexts = [...new Set(pairs.flatMap(({ contexts }) => contexts))].sort((a, b) => a - b);
  return markdownTable(
    ["machine", "target", "draft", ...contexts.map((context) => `n = ${context}`)],
    pairs.map((pair) => [
      pair.machine,
      pair.target,
      pair.draft,
      ...contexts.map((context) => {
        if (!pair.contexts.includes(context)) return "";
        const place = { context, draftLength: DRAFT_LENGTH };
        return whereMeasured(() => breakEven(pair.costs, place, DRAWS))
          .map(say).join();
      }),
    ]),
  ) + "\n\nFree drafts are tables, which cost no pass; none: not even α = 1 pays.";
}
