import { assert, assertEquals } from "@std/assert";
import { describeValidation } from "../../cli/validation_table.ts";
import { nullExperiments } from "../../lib/analysis/validation.ts";
import { fakeStudy } from "../analysis/fake_study.ts";
import { plantedRecords, slowed } from "../analysis/planted_machine.ts";

const records = await plantedRecords({ processes: 2, noise: 0.02 });
const linesOf = (of: typeof records, start: string) =>
  describeValidation(of, [], []).split("\n").filter((line) => line.startsWith(start));

Deno.test("the report states the null experiment of each precision, and that it holds or not", () => {
  const lines = linesOf(records, "Null experiment");
  assertEquals(lines.length, nullExperiments(records).length);
  for (const line of lines) assert(/: undecided or 1.00 ± 0.02, as it must be\.$/.test(line), line);
  const slow = slowed(records, 1.1, ({ arm }) => arm === "speculative");
  for (const line of linesOf(slow, "Null experiment")) {
    assert(line.endsWith("NEITHER UNDECIDED NOR 1.00 ± 0.02."), line);
  }
});

Deno.test("the report says how verdicts of each two processes stand, and names contradictions", async () => {
  const study = await fakeStudy({ processes: 2, noise: 0.03 });
  const verdicts = (of: typeof study) => linesOf(of, "Verdicts of processes")[0]!;
  const same =
    /1 and 2 on 40 cells: \d+ the same \([1-9]\d* decided\), \d+ undecided in one of them, 0 /;
  assert(same.test(verdicts(study)), verdicts(study));
  const slow = slowed(study, 9, ({ arm }) => arm === "speculative");
  const later = new Set(study.runs.filter((run) => run.process === 2).map(({ pair }) => pair));
  const planted = {
    runs: study.runs.map((run, i) => later.has(run.pair) ? slow.runs[i]! : run),
    rounds: study.rounds.map((round, i) => later.has(round.pair) ? slow.rounds[i]! : round),
  };
  const report = describeValidation(planted, [], []);
  assert(
    /[1-9]\d* contradict each other:\n {2}\w+ .* K=\d T=0: helps \(S [\d.]+\), then hurts/.test(
      report,
    ),
    report,
  );
});
