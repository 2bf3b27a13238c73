/** A small study on file, made by `fakeStudy`: four prompts, two precisions. */

import { writeHeader } from "../../lib/study/columns.ts";
import {
  readRounds,
  readRuns,
  type Records,
  ROUND_COLUMNS,
  RUN_COLUMNS,
  writeRounds,
  writeRuns,
} from "../../lib/study/records.ts";
import { fakeStudy } from "./fake_study.ts";

const FOLDER = new URL("./fixture/", import.meta.url);

/** Reads the fixture; UPDATE=1 makes it anew. */
export async function readFixture(): Promise<Records> {
  const [runs, rounds] = [new URL("runs.csv", FOLDER), new URL("rounds.csv", FOLDER)];
  if (Deno.env.has("UPDATE")) {
    const made = await fakeStudy({
      prompts: 4,
      changes: {
        precisions: ["fp32", "int4"],
        acceptances: [0.5, 0.9],
        draftLengths: [2, 8],
        maxTokens: 16,
      },
    });
    await Deno.mkdir(FOLDER, { recursive: true });
    await Deno.writeTextFile(runs, writeHeader(RUN_COLUMNS) + writeRuns(made.runs));
    await Deno.writeTextFile(rounds, writeHeader(ROUND_COLUMNS) + writeRounds(made.rounds));
  }
  return {
    runs: readRuns(await Deno.readTextFile(runs)),
    rounds: readRounds(await Deno.readTextFile(rounds)),
  };
}
