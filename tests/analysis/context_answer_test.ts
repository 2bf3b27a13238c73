import { assertEquals, assertMatch } from "@std/assert";
import { answerContext, tabulateDrafters } from "../../lib/notebook/answers.ts";
import { fakeContexts } from "./fake_contexts.ts";

const records = await fakeContexts({ processes: 1 });

Deno.test("the answer names the best K at each context, and plain decoding where none pays", () => {
  const answer = answerContext(records, { acceptance: 0.5, draftLength: 8 });
  assertMatch(answer, /from \d+ to 7\.5K tokens of context: S \*\*1\.\d+\*\* → \*\*0\.\d+\*\*/);
  const [, ...cells] = answer.split("\n").find((line) => line.includes("int8, α = 0.5"))!
    .split(" | ");
  assertMatch(cells[0]!, /^K = \d: 1\.\d\d$/);
  assertEquals(cells[3], "plain");
  assertMatch(cells[4]!, /^[2-7]\.\d+K$/);
});

Deno.test("real drafters have a column for each context", () => {
  const [head, , row] = tabulateDrafters(records).split("\n").map((line) => line.split(" | "));
  assertEquals([head!.length, row!.length], [5, 5]);
  assertEquals(row![0], "| int8, prompt lookup, K = 4");
});
