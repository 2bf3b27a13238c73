import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { geometricMean } from "../../lib/analysis/statistics.ts";
import { summarise } from "../../lib/analysis/summary.ts";
import { speedByTask } from "../../lib/analysis/task_speed.ts";
import { tabulateSpeedByTask } from "../../lib/notebook/draft_size_answer.ts";
import { readFixture } from "./fixture.ts";

Deno.test("pooled S is that of the summary, and tasks make it up", async () => {
  const records = await readFixture();
  const speeds = speedByTask(records, { fewest: 2 });
  const cells = summarise(records).filter(({ draft }) => draft !== "replay");
  assertEquals(speeds.map(({ cell }) => cell), cells);
  for (const { cell, tasks } of speeds) {
    const one = [...tasks.values()].every(({ low }) => low === null);
    assert(one, "the fixture has a prompt a task, so all tasks weigh alike");
    const estimates = [...tasks.values()].map(({ estimate }) => estimate);
    assertAlmostEquals(geometricMean(estimates), cell.speedup!.estimate, 1e-9);
  }
});

Deno.test("a task that is slower by a planted factor is slower by it, and no other is", async () => {
  const { runs, rounds } = await readFixture();
  const planted = runs[0]!.task;
  const slower = runs.map((run) =>
    run.task === planted && run.arm === "speculative"
      ? { ...run, decodeMs: 2 * run.decodeMs! }
      : run
  );
  const before = speedByTask({ runs, rounds }, { fewest: 2 });
  const after = speedByTask({ runs: slower, rounds }, { fewest: 2 });
  for (const [i, { tasks }] of before.entries()) {
    for (const [task, { estimate }] of tasks) {
      const factor = task === planted ? 2 : 1;
      assertAlmostEquals(estimate / after[i]!.tasks.get(task)!.estimate, factor, 1e-9);
    }
  }
});

Deno.test("cells of few prompts, and pairs that draft nothing, are not shown", async () => {
  const { runs, rounds } = await readFixture();
  const prompts = new Set(runs.map(({ prompt }) => prompt)).size;
  assertEquals(speedByTask({ runs, rounds }, { fewest: prompts + 1 }), []);
  const idle = runs.map((run) => ({ ...run, draftLength: 0, policy: "fixed 0" }));
  assertEquals(speedByTask({ runs: idle, rounds }, { fewest: 2 }), []);
});

Deno.test("the table has a row a cell and a column a task", async () => {
  const speeds = speedByTask(await readFixture(), { fewest: 2 });
  const [head, , ...rows] = tabulateSpeedByTask(speeds).split("\n");
  assertEquals(rows.length, speeds.length);
  for (const task of speeds[0]!.tasks.keys()) assert(head!.includes(`| ${task} |`));
});
