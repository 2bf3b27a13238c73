/**
 * A sweep inside a notebook: live, stopped by the stop button, resumed by running the cell again.
 *
 * @module
 */

import { join } from "node:path";
import { Runtime } from "../onnx/mod.ts";
import { openSweepEnergy } from "../study/energy/sweep_energy.ts";
import { subjectLoader } from "../study/load_subjects.ts";
import { plan } from "../study/plan.ts";
import { presetPrompts } from "../study/preset_prompts.ts";
import type { Preset } from "../study/presets.ts";
import { describeOrigin, writeMachine } from "../study/provenance.ts";
import { nextProcess } from "../study/resume.ts";
import { openRecords } from "../study/store.ts";
import type { SubjectLoader } from "../study/subject.ts";
import { sweep } from "../study/sweep.ts";
import { requireInteger } from "../validate.ts";
import { cellProgress } from "./progress.ts";

const ROOT = new URL("../../", import.meta.url);

/** Settings of a sweep in a notebook. */
export interface MeasureOptions {
  /** Folder of records. */
  readonly records: string;
  /** Threads of a pass. */
  readonly threads: number;
  /** Whether passes are padded so that logits do not depend on their width. Default false. */
  readonly exact?: boolean;
  /** Loads models; by default from the catalogue. */
  readonly load?: SubjectLoader;
}

/**
 * Measures a study on this machine and appends the rows. What is on record is not run again: a sweep
 * that was stopped goes on, a complete one adds a replicate.
 *
 * @param study The study.
 * @param options Where rows go; threads.
 * @returns The machine's id, which names its folder.
 * @throws {RecordError} If another process writes there.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { preset } from "@specbound/specbound";
 * const records = await Deno.makeTempDir();
 * const load = () => Promise.reject(new Error("no model here"));
 * await assertRejects(() => measure(preset("tiny", "m"), { records, threads: 1, load }), Error, "no model");
 * await Deno.remove(records, { recursive: true });
 * ```
 */
export async function measure(study: Preset, options: MeasureOptions): Promise<string> {
  const { records, threads, exact = false } = options;
  requireInteger("measure", "threads", threads, 1);
  const origin = await describeOrigin(ROOT.pathname);
  const { machine } = origin;
  const folder = join(records, machine.id);
  await using store = await openRecords(folder);
  await writeMachine(folder, machine);
  const bar = cellProgress(study.name);
  await using energy = await openSweepEnergy();
  using runtime = new Runtime({ threads });
  const { ran, left } = await stoppable(async (signal) => {
    const load = options.load ?? subjectLoader(runtime, { signal });
    const settings = { threads, exact, precision: study.precisions[0]! };
    const prompts = await presetPrompts(study, () => load(study.model, settings));
    const process = nextProcess(study, prompts, settings, store.runs);
    return await sweep(plan(study, prompts, { ...settings, process }), {
      load,
      store,
      provenance: { study: study.name, ...origin, energy: energy.provenance },
      ...energy.options,
      signal,
      onProgress: ({ share, done, total, note }) =>
        void bar.update(share, `process ${process}, ${done}/${total} pairs, ${note}`),
    });
  });
  await bar.end(left > 0 ? `stopped, ${left} pairs left: run the cell again` : `${ran} pairs ran`);
  return machine.id;
}

/**
 * Runs a task that the notebook's stop button aborts. The button sends SIGINT, which would end the
 * kernel and all its variables if nobody listened.
 *
 * @param task What to do; it heeds the signal.
 * @returns The task's outcome.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(await stoppable((signal) => Promise.resolve(signal.aborted)), false);
 * ```
 */
export async function stoppable<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(new DOMException("Interrupted", "AbortError"));
  Deno.addSignalListener("SIGINT", stop);
  if ("jupyter" in Deno) Deno.addSignalListener("SIGINT", ignore); // for good
  try {
    return await task(controller.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
  }
}

/** A button that is pressed twice finds the task stopped and nobody listening, but for this. */
function ignore(): void {}
