/**
 * The answer of the notebook on draft sizes, in sentences and tables whose numbers come from the rows.
 *
 * @module
 */

import type { DraftSize } from "../analysis/draft_sizes.ts";
import {
  contestSizes,
  contestTraining,
  type DraftContest,
  explainSpeedup,
  RECOMMENDED_SIZES,
} from "../analysis/size_findings.ts";
import { draftName } from "../analysis/table.ts";
import type { TaskSpeed } from "../analysis/task_speed.ts";
import { Z } from "../study/interval.ts";
import { markdownTable } from "./markdown.ts";

/**
 * What size is best, what explains the speed-up, and what training for the target is worth.
 *
 * @param sizes The drafts.
 * @returns Markdown.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(answerDraftSize([]), "rank correlation");
 * ```
 */
export function answerDraftSize(sizes: readonly DraftSize[]): string {
  const points = sizes.filter(({ kind }) => kind !== "table").length;
  const explained = explainSpeedup(sizes).map(({ factor, correlation, low, high }) =>
    `${FACTORS[factor]} ${correlation === null ? "not defined" : `**${signed(correlation)}**`}${
      low === null ? "" : ` (${signed(low)} to ${signed(high!)})`
    }`
  );
  return [
    "**Best size of a draft model**, S predicted at each draft's best K:",
    "",
    ...contestSizes(sizes).map(sizeSentence),
    "",
    `**What explains S**: rank correlation over ${points} pairs of draft and target, with an interval over drafts: ${
      explained.join("; ")
    }.`,
    "",
    "**Trained for the target against not** (the target's own weights, tables of n-grams):",
    "",
    ...contestTraining(sizes).map(trainingSentence),
  ].join("\n");
}

const FACTORS = { ratio: "parameter ratio", c: "cost ratio c", alpha: "acceptance α" } as const;

/**
 * What each draft costs and yields.
 *
 * @param sizes The drafts.
 * @returns A Markdown table, a row a draft and target.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(tabulateDraftSizes([]), "| target |");
 * ```
 */
export function tabulateDraftSizes(sizes: readonly DraftSize[]): string {
  const head = [
    ...["target", "draft", "size", "c", "α", "best K", "τ", "S predicted", "S measured"],
    ...["extra MB: weights, K/V", "first token, ms"],
  ];
  return markdownTable(
    head,
    sizes.map((size) => [
      size.precision,
      size.name,
      sizeOf(size),
      size.kind === "table" ? "0" : withInterval(size.c, 3),
      alphaOf(size),
      String(size.best.draftLength),
      size.best.tau.toFixed(2),
      withInterval(size.best.predicted),
      size.lengths.flatMap(({ measured, draftLength }) =>
        measured ? [`K = ${draftLength}: ${withInterval(measured)}`] : []
      ).join("; ") || "–",
      `${megabytes(size.extraBytes.weights)}, ${megabytes(size.extraBytes.keyValues)}`,
      size.firstToken ? size.firstToken.ms.toFixed(1) : "0",
    ]),
  );
}

/**
 * What of each draft is accepted: by kind of task, and at the first places of a draft (α_i).
 *
 * @param sizes The drafts.
 * @returns A Markdown table, a row a draft and target.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(tabulateAcceptance([]), "α₄");
 * ```
 */
export function tabulateAcceptance(sizes: readonly DraftSize[]): string {
  const tasks = [...new Set(sizes.flatMap((size) => [...size.tasks.keys()]))].sort();
  const share = (found: { readonly alpha: number } | undefined) => found?.alpha.toFixed(2) ?? "–";
  return markdownTable(
    ["target", "draft", "all", ...tasks, ...PLACES],
    sizes.map(({ precision, name, alpha, tasks: found, places }) => [
      ...[precision, name, share(alpha ?? undefined)],
      ...tasks.map((task) => share(found.get(task))),
      ...PLACES.map((_, i) => share(places[i])),
    ]),
  );
}

/**
 * S as measured, all tasks pooled and by kind of task.
 *
 * @param speeds The cells.
 * @returns A Markdown table, a row a draft, target and K.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(tabulateSpeedByTask([]), "| all |");
 * ```
 */
export function tabulateSpeedByTask(speeds: readonly TaskSpeed[]): string {
  const tasks = [...new Set(speeds.flatMap((speed) => [...speed.tasks.keys()]))].sort();
  return markdownTable(
    ["target", "draft", "K", "prompts", "all", ...tasks],
    speeds.map(({ cell, tasks: found }) => [
      ...[cell.precision, draftName(cell).replace(/^draft-/, ""), String(cell.draftLength)],
      ...[String(cell.prompts), withInterval(cell.speedup!)],
      ...tasks.map((task) => found.get(task)?.estimate.toFixed(2) ?? "–"),
    ]),
  );
}

const PLACES = ["α₁", "α₂", "α₃", "α₄"] as const;

/**
 * What a drafted token is spent on: layers, output head, host.
 *
 * @param sizes The drafts.
 * @returns A Markdown table, a row a draft; a sentence where no split was measured.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(tabulateSplits([]), "was not measured");
 * ```
 */
export function tabulateSplits(sizes: readonly DraftSize[]): string {
  const drafts = new Map(sizes.flatMap((size) => size.split ? [[size.name, size.split]] : []));
  if (drafts.size === 0) {
    return "What a drafted token is spent on was not measured on this machine.";
  }
  const rows = [...drafts].map(([name, { layersMs, headMs, headError, hostMs }]) => {
    const total = layersMs + headMs + hostMs;
    const part = (ms: number) => `${ms.toFixed(3)} (${(100 * ms / total).toFixed(0)} %)`;
    return [name, part(layersMs), `${part(headMs)} ± ${headError.toFixed(3)}`, part(hostMs)];
  });
  return markdownTable(["draft", "layers, ms", "output head, ms", "host, ms"], rows);
}

function sizeSentence({ precision, first, second, ratio }: DraftContest): string {
  if (!first) return `- **${precision}**: no draft model is on record.`;
  const [least, most] = RECOMMENDED_SIZES;
  const inside = least <= first.ratio && first.ratio <= most;
  const band = !second
    ? "no draft of the recommended sizes is on record"
    : inside
    ? "inside 1/20 to 1/10"
    : `outside 1/20 to 1/10, where ${second.name} is the best: by prompt ${
      withInterval(ratio!)
    } times as fast`;
  return `- **${precision}**: ${speedOf(first)}, ${band}.`;
}

function trainingSentence({ precision, first, second, ratio }: DraftContest): string {
  const side = (size: DraftSize | null) => size ? speedOf(size) : "none on record";
  const outcome = ratio ? `: by prompt **${withInterval(ratio)}** times as fast` : "";
  return `- **${precision}**: ${side(first)}, against ${side(second)}${outcome}.`;
}

function speedOf(size: DraftSize): string {
  const { name, best } = size;
  return `${name} (${sizeOf(size)}) with S = **${
    withInterval(best.predicted)
  }** at K = ${best.draftLength}`;
}

function sizeOf({ ratio }: DraftSize): string {
  if (ratio === 0) return "no parameters";
  const inverse = 1 / ratio;
  return ratio === 1 ? "1" : `1/${inverse.toFixed(inverse < 10 ? 1 : 0)}`;
}

function alphaOf({ alpha }: DraftSize): string {
  if (!alpha) return "–";
  return `${alpha.alpha.toFixed(2)}${
    alpha.error === null ? "" : ` ± ${(Z * alpha.error).toFixed(2)}`
  }`;
}

function withInterval(
  { estimate, low, high }: {
    readonly estimate: number;
    readonly low: number | null;
    readonly high: number | null;
  },
  digits = 2,
): string {
  const text = estimate.toFixed(digits);
  return low === null ? text : `${text} (${low.toFixed(digits)}–${high!.toFixed(digits)})`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
