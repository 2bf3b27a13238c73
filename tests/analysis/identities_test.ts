import { assertEquals, assertGreater } from "@std/assert";
import { checkIdentities } from "../../lib/analysis/identities.ts";
import type { RoundRecord, RunRecord } from "../../lib/study/records.ts";
import { fakeStudy } from "./fake_study.ts";

const { runs, rounds } = await fakeStudy({ prompts: 4 });
const roundsOf = (run: RunRecord) =>
  rounds.filter(({ pair, arm }) => pair === run.pair && arm === run.arm);

Deno.test("every run of a study keeps the identities", () => {
  for (const run of runs) assertEquals(checkIdentities(run, roundsOf(run)), []);
});

Deno.test("a wrong count or time planted in any column is caught", () => {
  const run = runs.find(({ draft, accepted }) => draft === "replay" && accepted! > 3)!;
  const kept = roundsOf(run);
  const caught = (changed: RunRecord, changedRounds: readonly RoundRecord[] = kept) =>
    assertGreater(checkIdentities(changed, changedRounds).length, 0);
  for (const name of ["rounds", "drafted", "tested", "accepted", "emitted"] as const) {
    caught({ ...run, [name]: run[name]! + 1 });
    caught({ ...run, [name]: run[name]! - 1 });
  }
  for (const name of ["draftMs", "verifyMs", "sampleMs", "hostMs"] as const) {
    caught({ ...run, [name]: run[name]! + 1 });
  }
  caught({ ...run, decodeMs: run.decodeMs! / 2 });
  caught({ ...run, stop: null });
  caught({ ...run, draftLength: 1 });
  caught(run, kept.slice(1));
  const rejecting = kept.findIndex(({ tested, accepted }) => tested > accepted);
  const plant = (change: Partial<RoundRecord>) =>
    kept.map((round, i) => i === rejecting ? { ...round, ...change } : round);
  const round = kept[rejecting]!;
  // Sums are kept right here, so that only the round itself can give the lie away.
  const shifted = (name: "accepted" | "tested" | "emitted", by: number) =>
    caught({ ...run, [name]: run[name]! + by }, plant({ [name]: round[name] + by }));
  shifted("accepted", 2);
  shifted("tested", 2);
  shifted("emitted", 1);
  caught({ ...run, status: "failed" });
});
