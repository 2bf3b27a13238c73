/**
 * The bench of a machine as it is kept: what this engine's passes took, beside other engines'.
 *
 * @module
 */

import * as d3 from "d3-array";
import { RecordError } from "./columns.ts";
import type { PassTimes, Work } from "./pass_times.ts";
import type { Origin } from "./provenance.ts";

// d3-array ships no types.
const median: (values: Iterable<number>) => number = d3.median;

/** Version of `bench.json`. It grows whenever a field is added, dropped or changes meaning. */
export const BENCH_SCHEMA = 1;

/** Another engine in a bench. */
export interface BenchPeer {
  /** Engine and version, as its times are named: "genai 0.18.0". */
  readonly name: string;
  /** What it holds the weights in. */
  readonly weights: string;
}

/** The settings of a bench, of which a machine keeps one each. */
export interface BenchSettings {
  /** The model's catalogue id. */
  readonly model: string;
  /** Whether passes were padded so that logits do not depend on their width. */
  readonly exact: boolean;
  /** Threads of a pass. */
  readonly threads: number;
  /** Precision of the matrices. */
  readonly precision: string;
  /** Precision of the output head. */
  readonly headPrecision: string;
}

/** What was found with one setting. */
export interface Bench extends BenchSettings, Origin {
  /** When it began: ISO 8601, UTC. */
  readonly startedAt: string;
  /** Which forms of attention ran. */
  readonly attention: string;
  /** Milliseconds of a start once the model is built. */
  readonly loadMs: number;
  /** Resident memory that loading and timing it added, in bytes. */
  readonly residentBytes: number;
  /** h: host milliseconds of a round at K = 4, as a share of a plain pass. */
  readonly hostShare: number;
  /** The other engines. */
  readonly peers: readonly BenchPeer[];
  /** The times of each work, this engine's before the peers'. */
  readonly passes: readonly PassTimes[];
}

/** A peer's times over the times here: above 1 the engine here is faster. */
export interface PeerRatios {
  /** The engine: "llama.cpp", "genai". */
  readonly engine: string;
  /** Its version. */
  readonly version: string;
  /** What it holds the weights in. */
  readonly weights: string;
  /** Precision of the matrices here. */
  readonly precision: string;
  /** Precision of the output head here. */
  readonly headPrecision: string;
  /** n: tokens before the new ones. */
  readonly context: number;
  /** Of plain decoding; null if it was not timed after so many tokens. */
  readonly decode: number | null;
  /** Of a pass, by its width. */
  readonly passes: ReadonlyMap<number, number>;
  /** Of reading a prompt; null likewise. */
  readonly prefill: number | null;
  /** h of the engine here. */
  readonly hostShare: number;
}

/**
 * Reads the text of a `bench.json`.
 *
 * @param json The text.
 * @param file The file's name, for messages.
 * @returns The benches.
 * @throws {RecordError} If the schema is another version's, or the text is no such file.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * assertEquals(readBench('{"schema":1,"benches":[]}'), []);
 * assertThrows(() => readBench('{"schema":9,"benches":[]}'), Error, "its schema is 9");
 * ```
 */
export function readBench(json: string, file = "bench.json"): Bench[] {
  const { schema, benches } = parse(json, file);
  if (schema !== BENCH_SCHEMA) {
    throw new RecordError(
      `Cannot read ${file} as its schema is ${schema} and this version of specbound reads ${BENCH_SCHEMA}: run deno task bench again`,
    );
  }
  if (Array.isArray(benches) && benches.every(isBench)) return benches;
  throw new RecordError(
    `Cannot read ${file} as it does not hold what a bench writes: restore the file`,
  );
}

/**
 * Benches as the text of a `bench.json`.
 *
 * @param benches What was found; of two with the same settings the later stays.
 * @returns The text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(readBench(writeBench([])), []);
 * ```
 */
export function writeBench(benches: readonly Bench[]): string {
  const last = new Map(benches.map((bench) => [settingsOf(bench), bench]));
  const json = JSON.stringify({ schema: BENCH_SCHEMA, benches: [...last.values()] }, null, 1);
  return `${json.replace(/\[[\d.,\s]+\]/g, (times) => times.replace(/\s+/g, ""))}\n`;
}

/**
 * How this engine stands beside the peers of a bench, by the medians of their times.
 *
 * @param bench The bench.
 * @returns An entry for each peer and context.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const pass = { kind: "pass", context: 64, tokens: 5 } as const;
 * const passes = [{ ...pass, name: "specbound", milliseconds: [10, 9, 50] }, {
 *   ...pass, name: "genai 0.18.0", milliseconds: [12],
 * }];
 * const peers = [{ name: "genai 0.18.0", weights: "int4" }];
 * const shared = { precision: "int4", headPrecision: "int4", hostShare: 0.01 };
 * const [ratios] = peerRatios({ ...shared, peers, passes });
 * assertEquals([ratios!.engine, ratios!.version, ratios!.context], ["genai", "0.18.0", 64]);
 * assertEquals([...ratios!.passes], [[5, 1.2]]);
 * ```
 */
export function peerRatios(
  bench: Pick<Bench, "precision" | "headPrecision" | "hostShare" | "peers" | "passes">,
): PeerRatios[] {
  const { precision, headPrecision, hostShare, peers, passes } = bench;
  const own = passes.filter(({ name }) => peers.every((peer) => peer.name !== name));
  const contexts = [...new Set(own.map(({ context }) => context))];
  return peers.flatMap(({ name, weights }) => {
    const space = name.indexOf(" ");
    const [engine, version] = [name.slice(0, space), name.slice(space + 1)];
    const ratioOf = (work: PassTimes) => {
      const theirs = passes.find((times) => times.name === name && isSame(times, work));
      return theirs ? [median(theirs.milliseconds) / median(work.milliseconds)] : [];
    };
    return contexts.map((context) => {
      const here = own.filter((work) => work.context === context);
      const of = (kind: Work["kind"]) => here.filter((work) => work.kind === kind);
      return {
        ...{ engine, version, weights, precision, headPrecision, context },
        decode: of("decode").flatMap(ratioOf)[0] ?? null,
        passes: new Map(
          of("pass").flatMap((work) => ratioOf(work).map((ratio) => [work.tokens, ratio])),
        ),
        prefill: of("prefill").flatMap(ratioOf)[0] ?? null,
        hostShare,
      };
    });
  });
}

function isSame(a: Work, b: Work): boolean {
  return a.kind === b.kind && a.context === b.context && a.tokens === b.tokens;
}

function settingsOf({ model, exact, threads, precision, headPrecision }: BenchSettings): string {
  return [model, exact, threads, precision, headPrecision].join("\t");
}

function parse(json: string, file: string): { schema?: unknown; benches?: unknown } {
  try {
    return { ...JSON.parse(json) };
  } catch (error) {
    throw new RecordError(`Cannot read ${file} as it is not JSON: ${(error as Error).message}`);
  }
}

const FIELDS = {
  model: "string",
  exact: "boolean",
  threads: "number",
  precision: "string",
  headPrecision: "string",
  machine: "object",
  code: "object",
  versions: "object",
  startedAt: "string",
  attention: "string",
  loadMs: "number",
  residentBytes: "number",
  hostShare: "number",
  peers: "object",
  passes: "object",
} as const satisfies Readonly<Record<keyof Bench, string>>;

function isBench(value: unknown): value is Bench {
  const hasFields = (of: unknown, fields: Readonly<Record<string, string>>) =>
    typeof of === "object" && of !== null &&
    Object.entries(fields).every(([name, type]) =>
      typeof (of as Record<string, unknown>)[name] === type
    );
  if (!hasFields(value, FIELDS)) return false;
  const { peers, passes } = value as Bench;
  const pass = { name: "string", kind: "string", context: "number", tokens: "number" };
  return Array.isArray(peers) &&
    peers.every((peer) => hasFields(peer, { name: "string", weights: "string" })) &&
    Array.isArray(passes) &&
    passes.every((times) =>
      hasFields(times, pass) && Array.isArray(times.milliseconds) &&
      times.milliseconds.length > 0 &&
      times.milliseconds.every((ms: unknown) => typeof ms === "number" && ms > 0)
    );
}
