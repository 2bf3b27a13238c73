/**
 * What the notebook of all findings says, and what machines it compares.
 *
 * @module
 */

import { type Finding, sayFirst, VERDICTS } from "../analysis/claims/finding.ts";
import type { Evidence } from "../analysis/evidence.ts";
import { type MachineBoundary, measuredMachine, projectedMachines } from "../analysis/machines.ts";
import { passesOfCosts } from "../analysis/measured_passes.ts";
import { joinPairs } from "../analysis/pairs.ts";
import { publishedEfficiencies } from "../analysis/published.ts";
import { fitEfficiencies } from "../analysis/roofline.ts";
import { costsOfRuns } from "../analysis/validation_prediction.ts";
import { findShape } from "../models/shapes.ts";
import type { Precision } from "../models/graph.ts";
import { markdownTable } from "./markdown.ts";

/**
 * What is on record, machine by machine, and the traces that hold on all of them.
 *
 * @param evidence The evidence.
 * @returns A Markdown table.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const evidence = { machines: [], traces: [], manifest: { drafts: {} }, parts: [] };
 * assertStringIncludes(describeEvidence(evidence), "| any | traces | 0 |");
 * ```
 */
export function describeEvidence({ machines, traces }: Evidence): string {
  const commits = (rows: readonly { readonly commit: string | null }[]) =>
    [...new Set(rows.map(({ commit }) => commit?.slice(0, 7) ?? "none"))].join(", ");
  const failed = (rows: readonly { readonly status?: string }[]) =>
    String(rows.filter(({ status }) => status === "failed").length);
  return markdownTable(["machine", "rows", "n", "failed", "commit"], [
    ...machines.flatMap(({ machine: { id }, records, costs }) => [
      [id, "pairs", String(joinPairs(records).length), failed(records.runs), commits(records.runs)],
      [id, "costs", String(costs.length), failed(costs), commits(costs)],
    ]),
    ["any", "traces", String(traces.length), "0", commits(traces)],
  ]);
}

/**
 * The findings in one sentence for each verdict.
 *
 * @param findings The findings.
 * @returns Markdown.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const finding = {
 *   id: "C1", claim: "pigs fly", brief: "pigs fly", verdict: "contradicted", statement: "None did.",
 *   numbers: [],
 * } as const;
 * assertStringIncludes(answerFindings([finding]), "**1 contradicted**: pigs fly (C1)");
 * ```
 */
export function answerFindings(findings: readonly Finding[]): string {
  const sentences = VERDICTS.flatMap((verdict) => {
    const those = findings.filter((finding) => finding.verdict === verdict);
    const names = those.map(({ id, brief }) => `${brief} (${id})`).join("; ");
    return those.length === 0 ? [] : [`- **${those.length} ${verdict}**: ${names}.`];
  });
  return [`Of ${findings.length} claims:`, "", ...sentences].join("\n");
}

/**
 * Every finding with its first number.
 *
 * @param findings The findings.
 * @returns A Markdown table, a row a claim.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(tabulateFindings([]), "| verdict |");
 * ```
 */
export function tabulateFindings(findings: readonly Finding[]): string {
  return markdownTable(
    ["", "claim", "verdict", "number", "what was found"],
    findings.map((finding) => [
      ...[finding.id, finding.claim, finding.verdict],
      sayFirst(finding),
      finding.statement,
    ]),
  );
}

/** Where machines are compared. */
export interface ComparedPlace {
  /** The target's catalog id. */
  readonly model: string;
  /** The shape that is projected: the target's. */
  readonly shape: string;
  /** The target's precision. */
  readonly precision: Exclude<Precision, "fp32">;
  /** α at which S is given. */
  readonly alpha: number;
  /** n. */
  readonly context: number;
}

/**
 * Where the boundary of free drafts lies on every machine with costs, and, projected, on other
 * parts: processors by what the first machine reached, accelerators by what was published.
 *
 * @param evidence The evidence.
 * @param place Model, precision, α, n.
 * @returns The boundaries: measured ones, then projected ones.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const evidence = { machines: [], traces: [], manifest: { drafts: {} }, parts: [] };
 * const target = { model: "smollm2-135m-instruct", shape: "shape:smollm2-135m" };
 * const place = { ...target, precision: "int4", alpha: 0.7, context: 1024 } as const;
 * assertEquals(compareMachines(evidence, place), []);
 * ```
 */
export function compareMachines(
  { machines, parts }: Evidence,
  { model, shape, precision, ...place }: ComparedPlace,
): MachineBoundary[] {
  const free = { draft: "prompt-lookup", draftModel: null, draftPrecision: null } as const;
  const measured = machines.flatMap(({ machine, costs }) =>
    [...new Set(costs.map(({ threads }) => threads))].flatMap((threads) => {
      const run = { model, precision, threads, exact: false, ...free };
      const pair = costsOfRuns(costs.filter(({ kind }) => kind !== "prefill"))(run);
      const market = parts.find(({ id }) => id === machine.id)?.market ?? null;
      const name = `${machine.id}, ${threads} threads`;
      return pair ? [measuredMachine({ name, market }, pair, place)] : [];
    })
  );
  const first = machines.find(({ machine, costs }) =>
    costs.length > 0 && parts.some(({ id }) => id === machine.id)
  );
  if (!first) return measured;
  const here = parts.find(({ id }) => id === first.machine.id)!;
  const passes = passesOfCosts(first.costs.filter(({ batch }) => batch === 1));
  const projected = projectedMachines(parts.filter((part) => part !== here), {
    ...{ target: findShape(shape).architecture, draft: null, format: precision, ...place },
    efficiencies: { cpu: fitEfficiencies(passes, here), gpu: publishedEfficiencies(parts) },
  });
  return [...measured, ...projected];
}
