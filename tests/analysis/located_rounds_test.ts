import { assert, assertEquals } from "@std/assert";
import { locateRounds, passesOf } from "../../lib/analysis/located_rounds.ts";
import { joinPairs } from "../../lib/analysis/pairs.ts";
import { readFixture } from "./fixture.ts";

Deno.test("a round lies where the tokens before it end, and the last one ends the run", async () => {
  const records = await readFixture();
  for (const rounds of Map.groupBy(locateRounds(records), ({ run }) => run).values()) {
    assertEquals(rounds[0]!.context, rounds[0]!.run.context);
    for (const [i, { position }] of rounds.slice(1).entries()) {
      assertEquals(position, rounds[i]!.position + rounds[i]!.round.emitted);
    }
    const { position, round, run } = rounds.at(-1)!;
    assertEquals(position + round.emitted, run.emitted);
  }
});

Deno.test("passes are one wider than their drafts, so plain ones are of width 1", async () => {
  const records = await readFixture();
  const plain = joinPairs(records).flatMap(({ plainRounds }) => plainRounds).length;
  assert(passesOf(records).filter(({ width }) => width === 1).length >= plain);
  assertEquals(passesOf(records).length, records.rounds.length);
});
