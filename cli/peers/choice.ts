/**
 * Which other engines a bench runs beside this one.
 *
 * @module
 */

import { join } from "node:path";
import { cacheDirectory } from "../../lib/models/cache.ts";
import { fetchModel } from "../../lib/models/fetch.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import type { Precision } from "../../lib/models/graph.ts";
import type { PassTimer } from "../../lib/study/pass_times.ts";
import { ArgumentError } from "../arguments.ts";
import { startPeer } from "./process.ts";

/** A peer as `--peer` names it. */
export interface PeerChoice {
  /** The engine. */
  readonly engine: "llama.cpp" | "genai";
  /** Where llama.cpp's binaries are kept, or where genai's models lie. */
  readonly folder: string;
}

/** What a peer is to be timed on. */
export interface PeerSubject {
  /** The model: a catalogue id or the path of a .gguf file. */
  readonly model: string;
  /** The precision here. */
  readonly precision: Precision;
  /** Threads of a pass. */
  readonly threads: number;
  /** Stops the bench. */
  readonly signal?: AbortSignal;
}

/** A running peer. */
export interface Peer extends PassTimer, AsyncDisposable {
  /** What it holds the weights in. */
  readonly weights: string;
}

/**
 * Reads `--peer`.
 *
 * @param list Peers with commas: `llama.cpp` or `llama.cpp:FOLDER`, and `genai:FOLDER`.
 * @returns The peers, in that order.
 * @throws {ArgumentError} If an engine is unknown, or genai has no folder.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(readPeers("llama.cpp:bin,genai:models"), [
 *   { engine: "llama.cpp", folder: "bin" },
 *   { engine: "genai", folder: "models" },
 * ]);
 * ```
 */
export function readPeers(list: string): PeerChoice[] {
  return list.split(",").map((peer) => {
    const [, engine, folder] = peer.match(/^(.*?)(?::(.*))?$/)!;
    if (engine === "llama.cpp") {
      return { engine, folder: folder || join(cacheDirectory(), "peers", "llama.cpp") };
    }
    if (engine === "genai" && folder) return { engine, folder };
    throw new ArgumentError(
      `Cannot bench beside ${peer} as that names no peer: give llama.cpp, llama.cpp:FOLDER or genai:FOLDER`,
    );
  });
}

/**
 * Starts a peer on the same weights, as close to the precision here as it comes.
 *
 * @param choice The peer.
 * @param subject What to time it on.
 * @returns The peer, or null if it has nothing near that precision.
 * @throws {PeerError} If it cannot be started.
 */
export async function openPeer(choice: PeerChoice, subject: PeerSubject): Promise<Peer | null> {
  const { engine, folder } = choice;
  const { model, precision, signal } = subject;
  const threads = `${subject.threads}`;
  if (engine === "genai") {
    if (precision === "int8") return null; // its builder makes fp32 and int4
    const args = [script("genai.py"), join(folder, precision), threads];
    const program = { engine, command: "python3", args, needs: "Python 3" };
    const weights = precision === "int4" ? "requantised to int4, head and embedding too" : "fp32";
    return { ...await startPeer(program, signal), weights };
  }
  const path = await fetchModel(model);
  const kinds = await countKinds(path);
  const quantised = [...kinds.keys()].some((kind) => !/^B?F\d+$/.test(kind));
  if (quantised === (precision === "fp32")) return null;
  const args = [script("llama_cpp.mjs"), path, threads, folder];
  const program = { engine, command: "node", args, needs: "Node.js 20 or later" };
  const weights = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ");
  return { ...await startPeer(program, signal), weights: `the file's own: ${weights}` };
}

/** How many tensors there are of each kind, the commonest first. */
async function countKinds(path: string): Promise<Map<string, number>> {
  using gguf = await openGguf(path);
  const counts = new Map<string, number>();
  for (const { kind } of gguf.tensors.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

function script(name: string): string {
  return new URL(`../../tools/peers/${name}`, import.meta.url).pathname;
}
