/**
 * Studies that are killed again and again, and what must stand in the end.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { readRecords } from "../../lib/study/store.ts";
import { serve, type Server } from "../models/fixtures/server.ts";
import { denoArguments, type Finished, ROOT, runHere } from "./child.ts";
import { namesIn } from "./disk.ts";
import { type Random, seeded } from "./random.ts";
import { STAGES } from "./study_child.ts";
import { tinyGguf } from "./tiny_model.ts";

/** What a study does, one after the other, and how long it takes at most to be killed at it. */
const PHASES = { fetch: 300, build: 150, sweep: 500 } as const;
type Phase = keyof typeof PHASES;

/** The kills of one study, which then may finish. */
const ROUNDS: readonly Phase[] = ["fetch", "fetch", "build", "build", "sweep", "sweep", "sweep"];

const PAIRS = STAGES.flatMap(({ blocks }) => blocks.flatMap(({ pairs }) => pairs)).length;

/**
 * Kills studies until `kills` processes have died, and lets each study finish after its share: then
 * every row must stand once, and the cache must hold the model and its graphs and nothing else.
 *
 * @returns How many died in each phase.
 */
export async function killStudies(
  kills: number,
  seed: number,
): Promise<Readonly<Record<Phase, number>>> {
  const random = seeded(seed);
  const died = { fetch: 0, build: 0, sweep: 0 };
  const total = (): number => died.fetch + died.build + died.sweep;
  while (total() < kills) {
    const folder = Deno.makeTempDirSync();
    await using server = serve(tinyGguf(), { slowly: { pieces: 20, pauseMs: 15 } });
    const args = [server.url, `${folder}/cache`, `${folder}/records`];
    try {
      for (const phase of ROUNDS.slice(0, kills - total())) {
        const reached = await killIn(phase, args, random);
        if (reached !== null) died[reached]++;
      }
      await assertFinishes(folder, args, server);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  }
  return died;
}

/** Starts a study and kills it in a phase, or a later one if it is fast; null if it was done. */
async function killIn(
  phase: Phase,
  args: readonly string[],
  random: Random,
): Promise<Phase | null> {
  const child = new Deno.Command(Deno.execPath(), {
    args: denoArguments("study_child.ts", args),
    cwd: ROOT,
    stdout: "piped",
  }).spawn();
  let printed = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const read = async (): Promise<boolean> => {
    const { done, value = "" } = await reader.read();
    printed += value;
    return !done;
  };
  while (!printed.includes(phase) && await read());
  await new Promise((resolve) => setTimeout(resolve, random(PHASES[phase])));
  try {
    child.kill("SIGKILL");
  } catch {
    // it is done
  }
  while (await read());
  const { signal } = await child.status;
  return signal === "SIGKILL" ? printed.trim().split("\n").at(-1) as Phase : null;
}

async function assertFinishes(
  folder: string,
  args: readonly string[],
  server: Server,
): Promise<void> {
  const finish = (): Promise<Finished> => runHere("study_child.ts", args);
  const finished = await finish();
  assertEquals(finished.code, 0, finished.err);
  const { runs, rounds } = await readRecords(`${folder}/records`);
  assertEquals(runs.length, 2 * PAIRS);
  assertEquals(new Set(runs.map(({ pair, arm }) => `${pair} ${arm}`)).size, 2 * PAIRS);
  assertEquals(new Set(runs.map(({ status }) => status)), new Set(["ok"]));
  const names = rounds.map(({ pair, arm, round }) => `${pair} ${arm} ${round}`);
  assertEquals(new Set(names).size, names.length);
  assertEquals(namesIn(`${folder}/records`), [".lock", "rounds.csv", "runs.csv"]);
  assertEquals(Deno.readFileSync(`${folder}/cache/models/m.gguf`), tinyGguf());
  const left = namesIn(`${folder}/cache`);
  assertEquals(left.filter((name) => /partial|unpack/.test(name)), []);

  // And what stands is all there is to do: the next study fetches, builds and runs nothing.
  const before = [server.requests.length, Deno.readTextFileSync(`${folder}/records/runs.csv`)];
  assertEquals((await finish()).code, 0);
  const after = [server.requests.length, Deno.readTextFileSync(`${folder}/records/runs.csv`)];
  assertEquals(after, before);
  assertEquals(namesIn(`${folder}/cache`), left);
}
