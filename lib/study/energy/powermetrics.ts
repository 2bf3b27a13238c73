/**
 * Energy of an Apple chip, or of an Intel package in a Mac: the system's own `powermetrics`, which
 * only root may run.
 *
 * @module
 */

import { requireInteger } from "../../validate.ts";
import { type EnergyMeter, unusable } from "./meter.ts";

/** How to sample. */
export interface PowermetricsOptions {
  /** The program. Default "powermetrics". */
  readonly command?: string;
  /** Milliseconds of a sample. Default 100. */
  readonly everyMs?: number;
}

/** Power of CPU, GPU and neural engine together, or of the package; in mW or W. */
const POWER =
  /^(?:Combined Power \(CPU \+ GPU \+ ANE\)|Intel energy model derived package power.*): *([\d.]+) *(mW|W)/;
const ELAPSED = /^\*\*\* Sampled system activity .*\(([\d.]+)ms elapsed\)/;

/**
 * Starts `powermetrics` and adds up its samples. A reading waits for the end of the sample it falls
 * in, and its time is that of the samples: what waiting adds is energy at rest.
 *
 * @param options Program and interval.
 * @returns The meter. Its disposal ends the program.
 * @throws {EnergyMeterError} If the program cannot be run, or gives no sample.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * const opening = openPowermetrics({ command: "no-such-program" });
 * await assertRejects(() => opening, Error, "Cannot use powermetrics as");
 * ```
 */
export async function openPowermetrics(options: PowermetricsOptions = {}): Promise<EnergyMeter> {
  const { command = "powermetrics", everyMs = 100 } = options;
  requireInteger("use powermetrics", "everyMs", everyMs, 1);
  const child = spawn(command, everyMs);
  let joules = 0;
  let seconds = 0;
  let ended = false;
  let sample = Promise.withResolvers<void>();
  const tell = (): void => {
    sample.resolve();
    sample = Promise.withResolvers();
  };
  const pump = async (): Promise<void> => {
    for await (const { watts, span } of samplesOf(child.stdout)) {
      joules += watts * span;
      seconds += span;
      tell();
    }
    ended = true;
    tell();
  };
  const pumped = pump();
  await sample.promise;
  if (ended) {
    await child.status;
    throw unusable("powermetrics", "it gave no sample: only root may run it");
  }
  return {
    name: "powermetrics",
    async read() {
      if (!ended) await sample.promise;
      return ended ? null : { joules, memoryJoules: null, seconds };
    },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await pumped;
    },
  };
}

function spawn(command: string, everyMs: number): Deno.ChildProcess {
  try {
    return new Deno.Command(command, {
      args: ["--samplers", "cpu_power", "--sample-rate", `${everyMs}`, "--buffer-size", "1"],
      env: { LC_ALL: "C" }, // else some write 1,5 for 1.5
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    throw unusable("powermetrics", (error as Error).message, error);
  }
}

/** Samples from the program's output: a line of time, then, further down, one of power. */
async function* samplesOf(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<{ readonly watts: number; readonly span: number }> {
  let span: number | null = null;
  for await (const line of linesOf(output)) {
    const elapsed = ELAPSED.exec(line);
    if (elapsed) span = Number(elapsed[1]) / 1000;
    const power = POWER.exec(line);
    if (!power || span === null) continue;
    yield { watts: Number(power[1]) / (power[2] === "mW" ? 1000 : 1), span };
    span = null;
  }
}

async function* linesOf(output: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
