/**
 * What must hold of every run, whatever it measured.
 *
 * @module
 */

import type { RoundRecord, RunRecord } from "../study/records.ts";

/** Times are rounded to the microsecond, each round's and their sum. */
const ROUNDING_MS = 0.001;

/**
 * Checks a run's counts and times against its rounds and against what decoding can do.
 *
 * @param run The run.
 * @param rounds Its rounds, in order.
 * @returns What does not hold, in words; nothing if all does. A failed run must have no figures.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readRounds, readRuns } from "@specbound/specbound";
 * const folder = "tests/analysis/fixture";
 * const [run] = readRuns(await Deno.readTextFile(`${folder}/runs.csv`));
 * const rounds = readRounds(await Deno.readTextFile(`${folder}/rounds.csv`))
 *   .filter(({ pair, arm }) => pair === run!.pair && arm === run!.arm);
 * assertEquals(checkIdentities(run!, rounds), []);
 * assertEquals(checkIdentities({ ...run!, accepted: run!.accepted! + 1 }, rounds).length, 1);
 * ```
 */
export function checkIdentities(run: RunRecord, rounds: readonly RoundRecord[]): string[] {
  if (run.status === "failed") {
    return run.rounds === null && run.decodeMs === null && rounds.length === 0
      ? []
      : ["a failed run has figures"];
  }
  let position = 0;
  const broken = rounds.flatMap((round, i) => {
    const found = checkRound(round, run, { position, last: i === rounds.length - 1 });
    position += round.emitted;
    return found;
  });
  return [...checkSums(run, rounds), ...broken, ...checkRun(run)];
}

function checkSums(run: RunRecord, rounds: readonly RoundRecord[]): string[] {
  const violations: string[] = [];
  if (run.rounds !== rounds.length) {
    violations.push(`rounds is ${run.rounds} and there are ${rounds.length}`);
  }
  for (const name of ["drafted", "tested", "accepted", "emitted"] as const) {
    const sum = rounds.reduce((total, round) => total + round[name], 0);
    if (run[name] !== sum) violations.push(`${name} is ${run[name]} and its rounds' sum ${sum}`);
  }
  for (const name of ["draftMs", "verifyMs", "sampleMs", "hostMs"] as const) {
    const sum = rounds.reduce((total, round) => total + round[name], 0);
    if (Math.abs((run[name] ?? NaN) - sum) <= ROUNDING_MS * (rounds.length + 1)) continue;
    violations.push(`${name} is ${run[name]} and its rounds' sum ${sum.toFixed(3)}`);
  }
  return violations;
}

function checkRound(
  round: RoundRecord,
  run: RunRecord,
  { position, last }: { readonly position: number; readonly last: boolean },
): string[] {
  const { drafted, tested, accepted, emitted } = round;
  const ended = last && run.stop === "end";
  // The end-of-text token is no text: it is missing, as a draft that stood or as the token after.
  const endStood = ended && accepted > 0 && tested === accepted && emitted === accepted - 1;
  const limit = Math.min(run.draftLength, run.maxTokens - position - 1);
  const holds: [boolean, string][] = [
    [Math.min(drafted, tested, accepted, emitted) >= 0, "has a negative count"],
    [drafted <= limit, `drafted ${drafted} of at most ${limit}`],
    [!alwaysDrafts(run) || drafted === limit, `drafted ${drafted} where a model drafts ${limit}`],
    [tested <= drafted, `tested ${tested} of ${drafted} drafted`],
    [accepted <= tested, `accepted ${accepted} of ${tested} tested`],
    [tested - accepted <= 1, `rejected ${tested - accepted} at once`],
    [tested > accepted || tested === drafted || endStood, "left drafted tokens untested"],
    [
      ended
        ? emitted === accepted || endStood
        : emitted === accepted + 1 || (last && emitted === accepted),
      `emitted ${emitted} for ${accepted} accepted`,
    ],
  ];
  return holds.filter(([held]) => !held).map(([, what]) => `round ${round.round} ${what}`);
}

/** A model is never at a loss for a token, and a fixed length asks for as many every time. */
function alwaysDrafts({ draft, policy }: RunRecord): boolean {
  return draft === "model" && policy.startsWith("fixed ");
}

function checkRun(run: RunRecord): string[] {
  const parts = run.draftMs! + run.verifyMs! + run.sampleMs! + run.hostMs!;
  const holds: [boolean, string][] = [
    [run.arm === "speculative" || run.drafted === 0, "plain decoding drafted"],
    [run.emitted! <= run.maxTokens, `emitted ${run.emitted} of at most ${run.maxTokens}`],
    [run.stop !== null, "it has no reason to stop"],
    [run.stop !== "length" || run.emitted === run.maxTokens, "it stopped short of its length"],
    [run.firstTokenMs! <= run.decodeMs!, "the first token came after the last"],
    [parts <= run.decodeMs! + ROUNDING_MS * 5, "parts of the time exceed the whole"],
  ];
  return holds.filter(([held]) => !held).map(([, what]) => what);
}
