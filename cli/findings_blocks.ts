/**
 * The parts of the README that say what was found, every number from rows.
 *
 * @module
 */

import type { Finding } from "../lib/analysis/claims/finding.ts";
import { above, say, sayFirst } from "../lib/analysis/claims/finding.ts";
import { type Evidence, fullestStudy, type MachineEvidence } from "../lib/analysis/evidence.ts";
import { type PeerRatios, peerRatios } from "../lib/study/bench_records.ts";
import { joinPairs, pairCounts, pairSpeedup } from "../lib/analysis/pairs.ts";
import { geometricMean, median } from "../lib/analysis/statistics.ts";
import { type CellSummary, summarise } from "../lib/analysis/summary.ts";
import { draftName } from "../lib/analysis/table.ts";
import { validate, validationErrors } from "../lib/analysis/validation.ts";
import { markdownTable } from "../lib/notebook/markdown.ts";
import type { Records } from "../lib/study/records.ts";

/** The study that the README's table and bullets are of. */
export const STUDY = "quick";
/** Replays that the table shows, of those in the study. */
const SHOWN = [
  { acceptance: 0.9, draftLength: 8 },
  { acceptance: 0.7, draftLength: 4 },
  { acceptance: 0.3, draftLength: 8 },
] as const;

/** Raised when evidence no longer has the shape of a sentence, or a file is not up to date. */
export class FindingsError extends Error {
  /** "FindingsError". */
  override readonly name = "FindingsError";
}

/** A block's text by its name. */
export type Blocks = Readonly<Record<"table" | "bullets" | "baseline" | "claims", string>>;

/** The quick study on the machine that has most of it. */
interface Study {
  readonly of: MachineEvidence;
  readonly records: Records;
  readonly cells: readonly CellSummary[];
}

/**
 * The README's blocks.
 *
 * @param evidence What is on record.
 * @param findings What it makes of the claims.
 * @returns Markdown by name.
 * @throws {FindingsError} If a sentence would no longer be true, so that it must be written anew.
 */
export function readmeBlocks(evidence: Evidence, findings: readonly Finding[]): Blocks {
  const study = studyOf(evidence);
  return {
    table: table(study),
    bullets: bullets(study, evidence, findings),
    baseline: baseline(evidence),
    claims: claims(findings),
  };
}

function studyOf(evidence: Evidence): Study {
  const most = fullestStudy(evidence, STUDY);
  hold(most, `no machine has runs of the study ${STUDY}`);
  return { ...most!, cells: summarise(most!.records) };
}

function table({ of: { machine }, records: { runs }, cells }: Study): string {
  const precisions = [...new Set(cells.map(({ precision }) => precision))];
  const count = (name: "process" | "pair" | "prompt") => new Set(runs.map((run) => run[name])).size;
  const processes = count("process");
  const rows = [
    ...Map.groupBy(
      cells.filter(({ draft }) => draft !== "replay"),
      ({ draft, draftLength }) => `${draft} ${draftLength}`,
    ).values(),
    ...SHOWN.map((wanted) => cells.filter((cell) => isReplay(cell, wanted))),
  ].filter((row) => row.length > 0);
  const checked = cells.filter((cell) => isReplay(cell, SHOWN[0]));
  const lines = [
    ...rows.map((row) => [
      nameOf(row[0]!),
      ...precisions.map((precision) => {
        const speedup = row.find((cell) => cell.precision === precision)?.speedup;
        return speedup ? say(speedup) : "";
      }),
    ]),
    [
      `v: cost of checking ${SHOWN[0].draftLength + 1} tokens, α = ${SHOWN[0].acceptance}`,
      ...precisions.map((precision) =>
        checked.find((cell) => cell.precision === precision)?.costs?.v.toFixed(1) ?? ""
      ),
    ],
  ];
  const tokens = [...new Set(runs.map(({ maxTokens }) => maxTokens))].join(", ");
  return [
    `First study, ${
      processes === 1 ? "one process" : `${processes} processes`
    } on ${machine.cores} cores of an ${machine.cpu}${
      machine.instructionSets?.[0] ? ` (${machine.instructionSets[0]})` : ""
    }: ${
      [...new Set(runs.map(({ model }) => model))].join(", ")
    }, greedy, ${tokens} tokens a run, ${count("pair")} pairs of runs over ${
      count("prompt")
    } prompts, [rows](data/records/${machine.id}/runs.csv). S with its 95 % interval:`,
    "",
    markdownTable(["", ...precisions], lines),
  ].join("\n");
}

function nameOf(cell: CellSummary): string {
  const { draft, draftLength, acceptance, draftPrecision } = cell;
  if (draft === "replay") return `acceptance set to ${acceptance}, free drafts, K = ${draftLength}`;
  if (draft === "model") return `own ${draftPrecision} weights draft, K = ${draftLength}`;
  return `${draftName(cell)}, K = ${draftLength}`;
}

function bullets(study: Study, evidence: Evidence, findings: readonly Finding[]): string {
  return [
    workDecides(study),
    highAcceptanceHasPrice(study),
    lowAcceptanceDependsOnLength(study),
    checkingIsNotFree(study),
    ...longContext(findings),
    textInFastMode(study),
    ...predictions(evidence),
  ].map((line) => `- ${line}`).join("\n");
}

/** S of prompts differs more than S of precisions does. */
function workDecides({ records, cells }: Study): string {
  const pairs = joinPairs(records).filter((pair) =>
    pairCounts(pair) && pair.speculative.draft === "prompt-lookup" &&
    pair.speculative.precision === "fp32"
  );
  const prompts = [...Map.groupBy(pairs, ({ speculative }) => speculative.prompt)]
    .map(([prompt, same]) => ({
      prompt,
      speedup: geometricMean(same.map((pair) => pairSpeedup(pair)!)),
    }))
    .toSorted((a, b) => b.speedup - a.speedup);
  const [best, worst] = [prompts[0], prompts.at(-1)];
  const precisions = cells.filter(({ draft }) => draft === "prompt-lookup")
    .map(({ speedup }) => speedup!.estimate);
  const [most, least] = [Math.max(...precisions), Math.min(...precisions)];
  hold(
    best && worst && best.speedup / worst.speedup > most / least,
    "S differs more between precisions than between prompts",
  );
  return `**The work decides more than the precision.** Prompt lookup in fp32 ran from ${
    times(best!.speedup)
  } (\`${best!.prompt}\`) over ${
    times(median(prompts.map(({ speedup }) => speedup)))
  } in the middle to ${times(worst!.speedup)} (\`${
    worst!.prompt
  }\`); from one precision to another its mean went from ${times(most)} to ${times(least)}.`;
}

/** Two drafts of like acceptance differ in S. */
function highAcceptanceHasPrice({ cells }: Study): string {
  const fp32 = cells.filter(({ precision }) => precision === "fp32");
  const free = fp32.find(({ draft }) => draft === "prompt-lookup");
  const paid = fp32.find(({ draft }) => draft === "model");
  hold(
    free?.speedup && paid?.speedup && free.alpha! > 0.7 && paid.alpha! > 0.7 &&
      free.speedup.estimate > paid.speedup.estimate,
    "a draft that costs passes is no slower than one that costs none, at acceptance above 0.7",
  );
  return `**“Above 70 % accelerates” needs a price.** Acceptance of ${
    free!.alpha!.toFixed(2)
  } bought prompt lookup ${times(free!.speedup!.estimate)}, and ${
    paid!.alpha!.toFixed(2)
  } the target's own ${paid!.draftPrecision} weights ${
    times(paid!.speedup!.estimate)
  }, whose draft passes take ${paid!.costs!.c.toFixed(2)} of a plain pass each.`;
}

/** At one low acceptance, long drafts lose somewhere and short ones gain. */
function lowAcceptanceDependsOnLength({ cells }: Study): string {
  const low = cells.filter(({ draft, acceptance }) => draft === "replay" && acceptance === 0.3);
  const longest = Math.max(...low.map(({ draftLength }) => draftLength));
  const long = low.filter(({ draftLength }) => draftLength === longest);
  const hurting = long.filter(({ verdict }) => verdict === "hurts")
    .map(({ precision }) => precision);
  const gaining = low.filter(({ verdict }) => verdict === "helps")
    .toSorted((a, b) => b.speedup!.estimate - a.speedup!.estimate)[0];
  hold(
    hurting.length > 0 && gaining && gaining.draftLength < longest,
    "at α = 0.3 no long draft loses, or no short one gains most",
  );
  const where = hurting.length === long.length ? "every precision" : list(hurting);
  return `**“Below 40 % slows down” depends on K.** At 0.3, drafts of ${longest} hurt in ${where}, yet free drafts of ${
    gaining!.draftLength
  } gained in ${gaining!.precision}: ${say(gaining!.speedup!)}.`;
}

/** v grows from precision to precision. */
function checkingIsNotFree({ cells }: Study): string {
  const costs = cells.filter((cell) => isReplay(cell, SHOWN[0]))
    .map(({ precision, costs }) => ({ precision, v: costs!.v }));
  hold(
    costs.length > 1 && costs.every(({ v }, i) => v > 1.1 && (i === 0 || v > costs[i - 1]!.v)),
    "checking is free, or its price does not rise with fewer bits",
  );
  return `**Checking is not free, and least so in low precision:** a pass over ${
    SHOWN[0].draftLength + 1
  } tokens took ${
    costs.map(({ precision, v }) => `${v.toFixed(1)} (${precision})`).join(", ")
  } plain passes, which is why ${costs.at(-1)!.precision} gains least.`;
}

/** What long context does on each machine, where that is decided on any. */
function longContext(findings: readonly Finding[]): string[] {
  const { numbers: ratios } = findings.find(({ id }) => id === "C5")!;
  const [side, ...others] = new Set(ratios.map((ratio) => above(ratio, 1)));
  if (side === undefined || (side === "undecided" && others.length === 0)) return [];
  const lead = others.length > 0
    ? "What long context does to speed-up is for the machine to say"
    : side === "for"
    ? "Long context adds speed-up"
    : "Long context takes speed-up away";
  return [
    `**${lead}:** near 8K tokens S is ${
      list(ratios.map((ratio) => `${say(ratio)} on ${ratio.machine}`))
    } times what it is at 1K–4K, the median of ${list(ratios.map(({ n }) => `${n}`))} comparisons.`,
  ];
}

/** Texts that differ from plain decoding's. */
function textInFastMode({ records: { runs } }: Study): string {
  const fast = runs.filter(({ exact, equalsPlain }) => !exact && equalsPlain !== null);
  const differing = fast.filter(({ equalsPlain }) => !equalsPlain);
  hold(fast.length > 0, "there is no greedy pair in fast mode");
  if (differing.length === 0) {
    return `Where passes run at any width (not \`--exact\`), all ${fast.length} texts equalled those of plain decoding.`;
  }
  const precisions = [...new Set(differing.map(({ precision }) => precision))].sort();
  return `Where passes run at any width (not \`--exact\`), ${differing.length} of the ${fast.length} pairs decoded other tokens than plain decoding, all in ${
    precisions.join(" and ")
  }: near ties, settled otherwise by another kernel.`;
}

/** How good predictions are, once there are rows to hold them against. */
function predictions({ machines, traces }: Evidence): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const layers = machines.map(({ machine, records, costs }) => ({
    machine,
    cells: validate(records, traces, costs),
  }));
  const missed = (isExact: boolean) =>
    layers.flatMap(({ machine, cells }) => {
      const errors = validationErrors(cells.filter(({ exact }) => exact === isExact));
      if (!errors) return [];
      const { cells: count, median, percentile90 } = errors;
      return [`${percent(median)} (${percent(percentile90)}) on ${machine.id}, of ${count} cells`];
    });
  const [exact, fast] = [missed(true), missed(false)];
  if (exact.length + fast.length === 0) return [];
  return [
    `**Costs and behaviour predict S:** measured apart and put together, they miss the measured S in the median (at the 90th percentile) ${
      [
        ...(exact.length > 0 ? [`by ${list(exact)} in exact mode`] : []),
        ...(fast.length > 0
          ? [`by ${list(fast)} in fast mode, whose text need not be the trace's`]
          : []),
      ].join("; ")
    }.`,
  ];
}

/** How fast plain decoding is beside other engines, machine by machine. */
function baseline({ machines }: Evidence): string {
  const compared = machines.flatMap(({ machine, benches }) =>
    benches.flatMap((bench) =>
      [...Map.groupBy(peerRatios(bench), ({ engine }) => engine).values()]
        .map((places) => ({ machine, places }))
    )
  ).filter(({ places }) => places.some(({ decode }) => decode !== null));
  if (compared.length === 0) return "";
  const contexts = [...new Set(compared.flatMap(({ places }) => contextsOf(places)))]
    .sort((a, b) => a - b);
  const ratio = (value: number | null | undefined) => value?.toFixed(2) ?? "";
  const rows = compared.map(({ machine, places }) => {
    const { engine, version, weights, precision, headPrecision } = places[0]!;
    const decoded = contexts.map((context) =>
      ratio(places.find((place) => place.context === context)?.decode)
    );
    const here = precision === headPrecision ? precision : `${precision}, ${headPrecision} head`;
    const read = places.find(({ prefill }) => prefill !== null)?.prefill;
    return [machine.id, `${engine} ${version}`, weights, here, ratio(read), ...decoded];
  });
  const heads = contexts.map((context) => `plain after ${context.toLocaleString("en")}`);
  return [
    "Speed-ups are over a baseline that is held beside other engines, in turn: its rate over theirs, above 1 where this engine is the faster (`deno task bench --peer …`).",
    "",
    markdownTable(["machine", "engine", "its weights", "here", "prefill", ...heads], rows),
  ].join("\n");
}

function contextsOf(places: readonly PeerRatios[]): number[] {
  return places.flatMap(({ context, decode }) => decode === null ? [] : [context]);
}

/** One line a claim. */
function claims(findings: readonly Finding[]): string {
  return markdownTable(
    ["", "claim", "verdict", "number"],
    findings.map((finding) => [finding.id, finding.brief, finding.verdict, sayFirst(finding)]),
  );
}

function isReplay(
  cell: CellSummary,
  { acceptance, draftLength }: { readonly acceptance: number; readonly draftLength: number },
): boolean {
  return cell.draft === "replay" && cell.acceptance === acceptance &&
    cell.draftLength === draftLength;
}

function times(speedup: number): string {
  return `${speedup.toFixed(2)}×`;
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Throws unless a sentence's claim holds. */
function hold(holds: unknown, otherwise: string): void {
  if (holds) return;
  throw new FindingsError(
    `Cannot write the README's findings as ${otherwise}: write that sentence anew in cli/findings_blocks.ts`,
  );
}
