import { assertStringIncludes, assertThrows } from "@std/assert";
import { checkRows } from "../../lib/notebook/rows.ts";
import type { Records, RunRecord } from "../../lib/study/records.ts";
import { readFixture } from "../analysis/fixture.ts";

/** Ways in which rows go bad, and what is said of them. */
const FAULTS: readonly [string, (records: Records) => Records, string][] = [
  ["a count that its rounds do not bear out", changing({ accepted: 99 }), "its rounds' sum"],
  [
    "a round that is missing",
    ({ runs, rounds }) => ({ runs, rounds: rounds.slice(1) }),
    "rounds is",
  ],
  ["a run without its partner", ({ runs, rounds }) => {
    const { pair, arm } = runs[0]!;
    return {
      runs: runs.slice(1),
      rounds: rounds.filter((round) => round.pair !== pair || round.arm !== arm),
    };
  }, "has no partner"],
  ["more tokens than were asked for", changing({ maxTokens: 3 }), "of at most -1"],
  ["a failed run with figures", changing({ status: "failed" }), "a failed run has figures"],
  ["other text in exact mode", ({ runs, rounds }) => ({
    runs: runs.map((run) => ({ ...run, exact: true, equalsPlain: run.equalsPlain && false })),
    rounds,
  }), "other tokens in exact mode"],
  ["a replay that was not accepted as asked", ({ runs, rounds }) => ({
    runs: runs.map((run) => run.draft === "replay" ? { ...run, acceptance: 0.05 } : run),
    rounds,
  }), "the replay"],
];

function changing(change: Partial<RunRecord>): (records: Records) => Records {
  return ({ runs: [first, ...others], rounds }) => ({
    runs: [{ ...first!, ...change }, ...others],
    rounds,
  });
}

Deno.test("rows of a sound study pass", async () => {
  assertStringIncludes(checkRows(await readFixture()), "hold");
});

for (const [what, spoil, message] of FAULTS) {
  Deno.test(`the check of rows notices ${what}`, async () => {
    const records = spoil(await readFixture());
    assertThrows(() => checkRows(records), Error, message);
  });
}
