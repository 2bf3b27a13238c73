/**
 * What a user waits for: first token, tokens after it, the whole request.
 *
 * @module
 */

import * as d3 from "d3-array";
import type { RunRecord } from "../study/records.ts";

// d3-array ships no types.
const quantile: (values: Iterable<number>, p: number) => number | undefined = d3.quantile;

/** A request's times. */
export interface RequestTimes {
  /** TTFT: from the prompt to the first text, prefill of target and draft included. */
  readonly firstTokenMs: number;
  /** TTFT if the draft had read the prompt meanwhile. */
  readonly firstTokenWithoutDraftMs: number;
  /** TPOT: per token after the first round's; null if there are none. */
  readonly perTokenMs: number | null;
  /** E2E: from the prompt to the last token. */
  readonly wholeMs: number;
  /** Tokens per second of decoding. */
  readonly throughput: number;
}

/** Percentiles of a figure over runs. */
export interface Percentiles {
  /** The median. */
  readonly p50: number;
  /** 90th percentile. */
  readonly p90: number;
  /** 99th percentile. */
  readonly p99: number;
}

/** Requests of one arm. */
export interface ArmTimes {
  /** Runs that count. */
  readonly runs: number;
  /** TTFT in milliseconds. */
  readonly firstTokenMs: Percentiles;
  /** TPOT in milliseconds; null where no run emitted after its first round. */
  readonly perTokenMs: Percentiles | null;
  /** E2E in milliseconds. */
  readonly wholeMs: Percentiles;
  /** Tokens per second of decoding. */
  readonly throughput: Percentiles;
}

/** As much of a run as its times need. */
export type TimedRun = Pick<
  RunRecord,
  | "prefillMs"
  | "draftPrefillMs"
  | "firstTokenMs"
  | "decodeMs"
  | "emitted"
  | "rounds"
  | "disturbed"
>;

/**
 * The times of a run as a request: the prompt's prefill, done once for all runs, counts in each.
 *
 * @param run The run.
 * @param firstEmitted Tokens that its first round emitted.
 * @returns Its times; null if it failed or emitted nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const run = {
 *   prefillMs: 100, draftPrefillMs: 20, firstTokenMs: 30, decodeMs: 130, emitted: 13, rounds: 4,
 *   disturbed: false,
 * };
 * const times = requestTimes(run, 3)!;
 * assertEquals([times.firstTokenMs, times.perTokenMs, times.wholeMs], [150, 10, 250]);
 * ```
 */
export function requestTimes(run: TimedRun, firstEmitted: number): RequestTimes | null {
  const { prefillMs, draftPrefillMs, firstTokenMs, decodeMs, emitted } = run;
  if (prefillMs === null || firstTokenMs === null || !decodeMs || !emitted) return null;
  const later = emitted - firstEmitted;
  return {
    firstTokenMs: prefillMs + (draftPrefillMs ?? 0) + firstTokenMs,
    firstTokenWithoutDraftMs: prefillMs + firstTokenMs,
    perTokenMs: later > 0 ? (decodeMs - firstTokenMs) / later : null,
    wholeMs: prefillMs + (draftPrefillMs ?? 0) + decodeMs,
    throughput: emitted / decodeMs * 1000,
  };
}

/**
 * Percentiles over requests.
 *
 * @param requests Their times.
 * @returns The percentiles; null if there are no requests.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const request = (ms: number) => ({
 *   firstTokenMs: ms, firstTokenWithoutDraftMs: ms, perTokenMs: null, wholeMs: 2 * ms, throughput: 1,
 * });
 * const arm = armTimes([100, 200, 300].map(request))!;
 * assertEquals([arm.firstTokenMs.p50, arm.wholeMs.p90, arm.perTokenMs], [200, 560, null]);
 * ```
 */
export function armTimes(requests: readonly RequestTimes[]): ArmTimes | null {
  if (requests.length === 0) return null;
  const perToken = requests.flatMap(({ perTokenMs }) => perTokenMs === null ? [] : [perTokenMs]);
  return {
    runs: requests.length,
    firstTokenMs: percentiles(requests.map(({ firstTokenMs }) => firstTokenMs)),
    perTokenMs: perToken.length > 0 ? percentiles(perToken) : null,
    wholeMs: percentiles(requests.map(({ wholeMs }) => wholeMs)),
    throughput: percentiles(requests.map(({ throughput }) => throughput)),
  };
}

function percentiles(values: readonly number[]): Percentiles {
  const at = (p: number) => quantile(values, p)!;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
