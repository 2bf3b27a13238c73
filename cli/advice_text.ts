/**
 * Advice as text.
 *
 * @module
 */

import type { Advice } from "../lib/advice/advise.ts";
import type { Band } from "../lib/advice/bands.ts";
import type { HeldOutAdvice } from "../lib/advice/held_out.ts";
import type { MeasuredAdvice } from "../lib/advice/measured.ts";
import { expectedTokens } from "../lib/analysis/metrics.ts";
import type { Interval } from "../lib/analysis/statistics.ts";
import { alignRows, draftName } from "../lib/analysis/table.ts";

/** What is said beside the advice. */
export interface Beside {
  /** Bytes that the draft takes; null if its sizes are not at hand. */
  readonly draftBytes: number | null;
  /** What was measured end to end of the advised use; null if nothing was. */
  readonly measured: MeasuredAdvice | null;
  /** What the user should know of the data. */
  readonly notes: readonly string[];
}

/**
 * Advice for a terminal: the answer first, then K by context, then why.
 *
 * @param advice The advice.
 * @param beside What is said beside it.
 * @returns Lines of text.
 */
export function describeAdvice(advice: Advice, beside: Beside): string {
  return [
    ...answer(advice),
    "",
    ...alignRows([BAND_HEAD, ...advice.bands.map(bandRow)], () => true).map((line) => `  ${line}`),
    ...advice.bands.some(({ near }) => !near)
      ? ["  * with the acceptance of prompts of other lengths"]
      : [],
    "",
    ...labelled([
      ["Why", why(advice)],
      ["Price", priceOf(advice, beside)],
      ["Fall back", fallback(advice)],
      ["Always K = 4", usual(advice)],
      ["Measured", measured(beside.measured)],
      ["Based on", basis(advice)],
      ...beside.notes.map((note) => ["Note", note] as const),
    ]),
    ...otherWays(advice),
    "",
  ].join("\n");
}

function answer(advice: Advice): string[] {
  const { verdict, use, reply, precision, plainMs, tokenMs, context } = advice;
  const what = `${draftName({ ...use.draft, model: advice.work.model })} at K = ${use.draftLength}`;
  const where = `${precision}, prompts of ${context} tokens`;
  if (verdict === "yes") {
    return [
      `Yes: draft with ${what}. Expected S ${interval(reply)} (${where}):`,
      `${tokenMs.toFixed(1)} ms a token instead of ${plainMs.toFixed(1)}.`,
    ];
  }
  const plain = `${plainMs.toFixed(1)} ms a token`;
  if (verdict === "no") {
    return [
      `No: decode plainly, ${plain} (${where}).`,
      `The best draft, ${what}, would give S ${interval(reply)}.`,
    ];
  }
  return [
    `Undecided: decode plainly until more is known, ${plain} (${where}).`,
    `The best draft, ${what}, would give S ${interval(reply)}.`,
    ...reply.low === null
      ? ["One prompt tells little."]
      : reply.estimate < WORTHWHILE
      ? ["Little is to be won."]
      : [
        `More prompts like yours may decide it; --latency-slack ${
          Math.ceil(100 * (1 - reply.low))
        } takes the risk.`,
      ],
  ];
}

/** S below which a risk is not worth pointing to. */
const WORTHWHILE = 1.05;

const BAND_HEAD = ["context", "K", "S", "fall back below α"];

function bandRow(
  { from, to, draftLength, use, reply, threshold, verdict, near }: Band,
): string[] {
  return [
    `${from}–${to - 1}`,
    draftLength > 0 ? String(draftLength) : `off (${use.draftLength}: ${verdict})`,
    interval(reply) + (near ? "" : "*"),
    threshold.toFixed(2),
  ];
}

function why({ use, shares }: Advice): string {
  const { draftLength, alpha, tau } = use;
  const { drafting, checking, host, plainHost } = shares;
  const yields = alpha === null
    ? "nothing was ever drafted"
    : `drafts of ${draftLength} could give ${draftLength + 1} tokens a pass; at α ${
      alpha.toFixed(2)
    } they give ${tau.toFixed(2)}${offering(use)}`;
  return `${yields}. A round takes ${checking.toFixed(2)} plain passes to check, ${
    drafting.toFixed(2)
  } to draft, ${host.toFixed(2)} for the rest: S ≈ ${tau.toFixed(2)} × ${
    (1 + plainHost).toFixed(2)
  } / ${(checking + drafting + host).toFixed(2)} = ${
    (tau * (1 + plainHost) / (checking + drafting + host)).toFixed(2)
  } over all rounds (above, S is the mean over prompts)`;
}

/** Whether less was drafted than asked for. */
function offering({ alpha, tau, draftLength }: Advice["use"]): string {
  const full = expectedTokens(alpha!, draftLength);
  return tau < 0.8 * full
    ? ` (less than the ${full.toFixed(1)} of full drafts: often it offers none)`
    : "";
}

function priceOf({ firstTokenMs, work, use, speedup }: Advice, { draftBytes }: Beside): string {
  if (use.draft.costs.draft === null) return "no memory, no delay of the first token";
  const memory = draftBytes === null ? "memory unknown" : `${(draftBytes / 1e6).toFixed(0)} MB`;
  return `${memory}; the first token comes ${
    firstTokenMs.toFixed(0)
  } ms later, which S above spreads over ${work.maxTokens} tokens (without it ${
    speedup.estimate.toFixed(2)
  })`;
}

function fallback({ fallback: { window, retry }, obeyed, verdict }: Advice): string {
  const rule =
    `when α over ${window} drafts is below the table's, decode ${retry} rounds plainly, then try again, twice as many after each failure`;
  return verdict === "yes"
    ? `${rule}. On these prompts S is ${obeyed.estimate.toFixed(2)} with it`
    : rule;
}

function usual({ regret, verdict }: Advice): string {
  if (!regret) return "no trace knows so long drafts";
  const against = verdict === "yes" ? "the advice" : "plain decoding";
  const { estimate, low, high } = regret;
  const range = low === null ? "" : ` (${signed(low)} to ${signed(high!)})`;
  return `${signed(estimate)} time${range} against ${against}`;
}

function measured(found: MeasuredAdvice | null): string {
  if (!found) return "this draft was never run end to end in such work: deno task sweep validate";
  const { draftLength, cells, pairs, measured, predicted } = found;
  const expected = predicted === null ? "" : `; predicted of these ${predicted.toFixed(2)}`;
  return `S ${
    measured.toFixed(2)
  } end to end at K = ${draftLength}, over ${pairs} pairs of ${cells} prompts of the study${expected}`;
}

/** Other drafts that are shown. */
const SHOWN = 3;

/** The next best drafts in the same precision, and the best of each other precision. */
function otherWays({ alternatives, work, precision }: Advice): string[] {
  const groups = Map.groupBy(alternatives, (other) => other.precision);
  const same = (groups.get(precision) ?? [])
    .toSorted((a, b) => b.choice.reply.estimate - a.choice.reply.estimate).slice(0, SHOWN);
  groups.delete(precision);
  const shown = [...same, ...groups.values().map(([first]) => first!)];
  if (shown.length === 0) return [];
  const rows = shown.map(({ precision, choice: { use, reply, plainMs, tokenMs } }) => [
    precision,
    draftName({ ...use.draft, model: work.model }),
    String(use.draftLength),
    interval(reply),
    plainMs.toFixed(1),
    tokenMs.toFixed(1),
  ]);
  const head = ["other ways", "draft", "K", "S", "plain ms", "ms as advised"];
  return ["", ...alignRows([head, ...rows], () => true).map((line) => `  ${line}`)];
}

function basis({ prompts, work }: Advice): string {
  const tasks = [...new Set(prompts.map(({ task }) => task))].sort();
  const lengths = prompts.map(({ tokens }) => tokens);
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  return `${prompts.length} prompts of ${least} to ${most} tokens (${
    tasks.join(", ")
  }), temperature ${work.temperature}, B = ${work.batch}, threads ${work.threads}`;
}

/**
 * How advice held on the other half of the prompts, for a terminal.
 *
 * @param halves What was found.
 * @param beside The target, and what was measured end to end of each half's advice.
 * @returns Lines of text.
 */
export function describeHeldOut(
  halves: readonly HeldOutAdvice[],
  { model, found }: {
    readonly model: string;
    readonly found: readonly (MeasuredAdvice | null)[];
  },
): string {
  const head = ["advised", "expected S", "had", "followed", "obeyed", "always 4", "best", "with"];
  const rows = halves.map((half) => [
    `${half.verdict}: ${half.precision} ${
      draftName({ ...half.draft, model })
    } K = ${half.draftLength}`,
    interval(half.expected),
    half.had.toFixed(2),
    half.followed.toFixed(2),
    half.obeyed.toFixed(2),
    half.usual?.toFixed(2) ?? "-",
    half.best.toFixed(2),
    half.bestUse
      ? `${draftName({ ...half.bestUse.draft, model })} K = ${half.bestUse.draftLength}`
      : "plain decoding",
  ]);
  const lost = halves.map(({ best, followed }) => percent(1 - followed / best));
  return [
    "Advice from one half of the prompts, judged on the other half (S of replies):",
    "",
    ...alignRows([head, ...rows], () => true),
    "",
    `Followed, it gives away ${lost.join(" and ")} of the best that hindsight knows.`,
    ...new Set(found.map((one) => `Measured: ${measured(one)}.`)),
    "",
  ].join("\n");
}

function interval({ estimate, low, high }: Interval): string {
  const range = low === null || high === null
    ? "no interval"
    : `${low.toFixed(2)}–${high.toFixed(2)}`;
  return `${estimate.toFixed(2)} (${range})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function signed(share: number): string {
  return `${share < 0 ? "−" : "+"}${percent(Math.abs(share))}`;
}

/** Characters of a line. */
const LINE = 96;

/** Paragraphs under labels, broken into lines. */
function labelled(paragraphs: readonly (readonly [label: string, text: string])[]): string[] {
  const width = Math.max(...paragraphs.map(([label]) => label.length)) + 2;
  return paragraphs.flatMap(([label, text]) => {
    const lines = [""];
    for (const word of text.split(" ")) {
      const last = lines.at(-1)!;
      if (last && last.length + 1 + word.length > LINE - width) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return lines.map((line, i) => (i === 0 ? label : "").padEnd(width) + line);
  });
}
