import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  byProcess,
  compareProcesses,
  compareVerdicts,
  countConcords,
} from "../../lib/analysis/agreement.ts";
import { joinPairs } from "../../lib/analysis/pairs.ts";
import { fakeStudy } from "./fake_study.ts";
import { slowed } from "./planted_machine.ts";

const study = await fakeStudy({ processes: 2, noise: 0.03 });
const [first, second] = [...byProcess(study).values()] as [typeof study, typeof study];

Deno.test("two processes of one study share every cell and contradict each other in none", () => {
  assertEquals(joinPairs(first).length + joinPairs(second).length, joinPairs(study).length);
  const cells = compareVerdicts(first, second);
  assertEquals(cells.length, 3 * 12 + 3 + 1);
  assertEquals(cells.filter(({ concord }) => concord === "contradict"), []);
  assertGreater(cells.filter(({ concord }) => concord === "agree").length, cells.length / 2);
});

Deno.test("every two processes of a study are compared, those of two studies never", () => {
  const [compared, ...others] = compareProcesses(study);
  assertEquals(others, []);
  assertEquals(compared!.processes, [1, 2]);
  assertEquals(compared!.cells, compareVerdicts(first, second));
  const { agree, decided, undecided, contradict } = countConcords(compared!.cells);
  assertEquals(agree + undecided + contradict, compared!.cells.length);
  assertGreater(decided, 0);
  assertLess(decided, agree);
  const elsewhere = second.runs.map((run) => ({ ...run, study: "other" }));
  assertEquals(compareProcesses({ ...study, runs: [...first.runs, ...elsewhere] }), []);
});

Deno.test("a planted contradiction is found, in the cell where it is", () => {
  const helping =
    compareVerdicts(first, second).find(({ first, second }) =>
      first.draft === "replay" && first.verdict === "helps" && second.verdict === "helps"
    )!.first;
  const isPlanted = (run: typeof second.runs[number]) =>
    run.draft === "replay" && run.precision === helping.precision &&
    run.acceptance === helping.acceptance && run.draftLength === helping.draftLength;
  const planted = {
    rounds: second.rounds,
    runs: second.runs.map((run) => isPlanted(run) ? { ...run, decodeMs: run.decodeMs! * 5 } : run),
  };
  const found = compareVerdicts(first, planted).filter(({ concord }) => concord === "contradict");
  assertEquals(found.map(({ first, second }) => [first.verdict, second.verdict]), [[
    "helps",
    "hurts",
  ]]);
  assertEquals(
    [found[0]!.first.precision, found[0]!.first.acceptance, found[0]!.first.draftLength],
    [helping.precision, helping.acceptance, helping.draftLength],
  );
});

Deno.test("what one leaves undecided contradicts nothing, and cells of one alone are passed over", () => {
  const [prompt] = first.runs.map((run) => run.prompt);
  const few = { ...second, runs: second.runs.filter((run) => run.prompt === prompt) };
  const cells = compareVerdicts(first, few);
  assert(cells.length > 0 && cells.length < 40);
  for (const { first, second, concord } of cells) {
    assertEquals(second.verdict, "undecided"); // one prompt leaves nothing to judge the spread by
    assertEquals(concord, first.verdict === "undecided" ? "agree" : "undecided");
  }
  const slow = slowed(second, 9, ({ arm }) => arm === "speculative");
  assertGreater(
    compareVerdicts(few, slow).filter(({ concord }) => concord === "undecided").length,
    0,
  );
});

Deno.test("a machine's name is no factor: records of two that run alike are compared", () => {
  const elsewhere = { ...second, runs: second.runs.map((run) => ({ ...run, machine: "other" })) };
  assertEquals(
    compareVerdicts(first, elsewhere).map(({ concord }) => concord),
    compareVerdicts(first, second).map(({ concord }) => concord),
  );
});
