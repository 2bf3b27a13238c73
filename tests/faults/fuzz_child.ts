/**
 * Reads hostile files in a process of its own: `fuzz_child.ts FOLDER FROM TO`. Prints what came of
 * them as JSON. The file that is being read lies in the folder under its seed, so that whoever
 * waits can tell where this hangs or dies.
 */

import { ArchitectureError, architectureOf } from "../../lib/models/architecture.ts";
import { GgufError, openGguf } from "../../lib/models/gguf.ts";
import { TokenizerError, tokenizerOf } from "../../lib/models/tokenizer.ts";
import { mutate } from "./mutate.ts";
import { tinyGguf } from "./tiny_model.ts";

/** What came of the files. */
export interface FuzzReport {
  /** Files by the name of the error that refused them; "read" for those that none did. */
  readonly outcomes: Record<string, number>;
  /** Errors that are not the library's own, by seed. */
  readonly foreign: Record<number, string>;
  /** The longest that a file took, in milliseconds. */
  readonly slowestMs: number;
  /** The largest buffer that was asked for, in bytes. */
  readonly largestBuffer: number;
  /** Peak growth of the process's memory, in bytes. */
  readonly growth: number;
}

let largestBuffer = 0;

/** Notes how large the buffers are that anything here asks for, touched or not. */
function watch(name: "ArrayBuffer" | "Uint8Array" | "Float32Array" | "Float64Array"): void {
  const original = globalThis[name];
  const bytes = "BYTES_PER_ELEMENT" in original ? original.BYTES_PER_ELEMENT : 1;
  Object.defineProperty(globalThis, name, {
    value: new Proxy(original, {
      construct(target, args, created) {
        if (typeof args[0] === "number") largestBuffer = Math.max(largestBuffer, args[0] * bytes);
        return Reflect.construct(target, args, created);
      },
    }),
  });
}

async function readAll(path: string): Promise<void> {
  using gguf = await openGguf(path);
  // The network's shape may be refused; vocabulary and tensors are read nevertheless.
  const errors: unknown[] = [];
  for (const read of [() => architectureOf(gguf), () => tokenizerOf(gguf).encode("the thing")]) {
    try {
      read();
    } catch (error) {
      errors.push(error);
    }
  }
  for (const name of gguf.tensors.keys()) gguf.readFloats(name);
  const foreign = errors.find((error) => !isOwn(error));
  if (errors.length > 0) throw foreign ?? errors[0];
}

function isOwn(error: unknown): error is Error {
  const types = [GgufError, ArchitectureError, TokenizerError];
  return types.some((type) => error instanceof type) && isMild(error as Error);
}

/** Running out of memory or stack is no answer, whatever it is wrapped in. */
function isMild({ message }: Error): boolean {
  return message.startsWith("Cannot ") && message.length < 2000 &&
    !/allocation failed|call stack|Invalid (array|typed array|string) length/.test(message);
}

function memory(): number {
  return Deno.memoryUsage().rss;
}

if (import.meta.main) {
  const [folder, from, to] = [Deno.args[0]!, Number(Deno.args[1]), Number(Deno.args[2])];
  const sound = tinyGguf();
  const soundPath = `${folder}/sound`;
  Deno.writeFileSync(soundPath, sound);
  for (let i = 0; i < 20; i++) await readAll(soundPath);
  (["ArrayBuffer", "Uint8Array", "Float32Array", "Float64Array"] as const).forEach(watch);
  await readAll(soundPath);
  const outcomes: Record<string, number> = {};
  const foreign: Record<number, string> = {};
  const before = memory();
  let [slowestMs, peak] = [0, before];
  for (let seed = from; seed < to; seed++) {
    const path = `${folder}/${seed}`;
    Deno.writeFileSync(path, mutate(sound, seed));
    const started = performance.now();
    let outcome = "read";
    try {
      await readAll(path);
    } catch (error) {
      outcome = (error as Error).name;
      if (!isOwn(error)) foreign[seed] = String((error as Error).stack).slice(0, 1000);
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    slowestMs = Math.max(slowestMs, performance.now() - started);
    peak = Math.max(peak, memory());
    Deno.removeSync(path);
  }
  const report: FuzzReport = {
    outcomes,
    foreign,
    slowestMs,
    largestBuffer,
    growth: peak - before,
  };
  console.log(JSON.stringify(report));
}
