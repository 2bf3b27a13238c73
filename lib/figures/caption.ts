/**
 * Where a figure comes from, in words.
 *
 * @module
 */

import type { RunRecord } from "../study/records.ts";

/**
 * The caption of a figure drawn from runs.
 *
 * @param runs The runs it shows, both arms.
 * @param extra More about what is counted, after n.
 * @returns Two lines: model and machine; n.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readRuns } from "@specbound/specbound";
 * const runs = readRuns(await Deno.readTextFile("tests/analysis/fixture/runs.csv"));
 * assertEquals(captionOf(runs)[1], `n = ${runs.length / 2} pairs of runs, 4 prompts, 1 process.`);
 * ```
 */
export function captionOf(runs: readonly RunRecord[], extra = ""): string[] {
  const list = (valueOf: (run: RunRecord) => unknown) => [...new Set(runs.map(valueOf))].join(", ");
  const count = (valueOf: (run: RunRecord) => unknown) => new Set(runs.map(valueOf)).size;
  const versions = list((run) => run.onnxruntime ?? "not used");
  return [
    `${list((run) => run.model)} on ${list((run) => `${run.cpu}, ${run.threads} threads`)}; ${
      list(decodingOf)
    }, ${list((run) => run.maxTokens)} tokens a run; ONNX Runtime ${versions}.`,
    `n = ${count((run) => run.pair)} pairs of runs, ${
      quantity(count((run) => run.prompt), "prompt")
    }, ${quantity(count((run) => `${run.machine} ${run.process}`), "process")}${extra}.`,
  ];
}

function decodingOf({ temperature }: RunRecord): string {
  return temperature === 0 ? "greedy" : `temperature ${temperature}`;
}

function quantity(count: number, noun: "prompt" | "process"): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun}${noun.endsWith("s") ? "es" : "s"}`;
}
