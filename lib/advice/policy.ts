/**
 * Advice as a file that a decoder obeys.
 *
 * @module
 */

import type { Interval } from "../analysis/statistics.ts";
import { advised, type AdvisedOptions, type AdvisedRange } from "../decoding/policies/advised.ts";
import type { Precision } from "../models/graph.ts";
import { TRACE_DRAFTS } from "../study/trace_records.ts";
import type { Advice } from "./advise.ts";
import { rangesOf } from "./bands.ts";
import type { DraftName } from "./gather.ts";

/** Version of the file. It grows whenever a field is added, dropped or changes meaning. */
export const POLICY_VERSION = 1;

const PRECISIONS: ReadonlySet<string> = new Set<Precision>(["fp32", "int8", "int4"]);

/** Advice as plain JSON. */
export interface AdvicePolicy extends AdvisedOptions {
  /** {@linkcode POLICY_VERSION}. */
  readonly version: typeof POLICY_VERSION;
  /** The machine that it is for. */
  readonly machine: string;
  /** The target's catalogue id. */
  readonly model: string;
  /** SHA-256 of its weights, or null. */
  readonly modelHash: string | null;
  /** Its precision. */
  readonly precision: string;
  /** What drafts. Its ranges say where; K = 0 all over is advice against it. */
  readonly draft: DraftName;
  /** S of replies that is expected at the context that was asked about. */
  readonly expected: Interval & { readonly context: number };
}

/**
 * A policy that cannot be obeyed: "Cannot obey FILE as REASON: WAY OUT".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const { message } = new PolicyError("p.json", "its version is 9");
 * assertEquals(message, "Cannot obey p.json as its version is 9: write one with deno task recommend --json FILE");
 * ```
 */
export class PolicyError extends Error {
  /** "PolicyError". */
  override readonly name = "PolicyError";

  /**
   * Puts the message together.
   *
   * @param file The file.
   * @param reason What is wrong with it.
   */
  constructor(file: string, reason: string) {
    super(`Cannot obey ${file} as ${reason}: write one with deno task recommend --json FILE`);
  }
}

/**
 * Advice as a policy.
 *
 * @param advice The advice.
 * @param machine The machine's id.
 * @returns Plain data.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const band = { from: 0, to: 256, draftLength: 4, threshold: 0.3 };
 * const draft = { draft: "ngram", draftModel: null, draftHash: null, draftPrecision: null };
 * const advice = {
 *   work: { model: "m" }, modelHash: null, precision: "int8", use: { draft }, bands: [band],
 *   fallback: { window: 8, retry: 16 }, reply: { estimate: 1.4, low: 1.2, high: 1.6 }, context: 90,
 * } as never;
 * const policy = policyOf(advice, "here");
 * assertEquals(readPolicy(JSON.stringify(policy)), policy);
 * ```
 */
export function policyOf(advice: Advice, machine: string): AdvicePolicy {
  const { work, modelHash, precision, use, bands, fallback, reply, context } = advice;
  const { draft, draftModel, draftHash, draftPrecision } = use.draft;
  return {
    version: POLICY_VERSION,
    machine,
    model: work.model,
    modelHash,
    precision,
    draft: { draft, draftModel, draftHash, draftPrecision },
    ranges: rangesOf(bands),
    fallback,
    expected: { ...reply, context },
  };
}

/**
 * Reads a policy.
 *
 * @param json The file's text.
 * @param file Its name, for messages.
 * @returns The policy.
 * @throws {PolicyError} If it is no policy, one of another version, or one that contradicts itself.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => readPolicy(`{"version":9}`), PolicyError, "its version is 9, not 1");
 * ```
 */
export function readPolicy(json: string, file = "the policy"): AdvicePolicy {
  const policy = parse(json);
  const wrong = policy ? mistakeIn(policy) : "it is no JSON object";
  if (wrong !== null) throw new PolicyError(file, wrong);
  return policy as AdvicePolicy;
}

function parse(json: string): Partial<AdvicePolicy> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

function mistakeIn(policy: Partial<AdvicePolicy>): string | null {
  const { version, draft, ranges, fallback } = policy;
  if (version !== POLICY_VERSION) return `its version is ${version}, not ${POLICY_VERSION}`;
  const lacking = (["machine", "model", "precision"] as const)
    .find((name) => typeof policy[name] !== "string");
  if (lacking) return `it lacks a ${lacking}`;
  if (!PRECISIONS.has(policy.precision!)) return `its precision is ${policy.precision}`;
  if (!TRACE_DRAFTS.some((known) => known === draft?.draft)) {
    return "it lacks a draft that is known";
  }
  if (draft!.draft === "model" && !(draft!.draftModel && PRECISIONS.has(draft!.draftPrecision!))) {
    return "its draft lacks a draftModel or a draftPrecision";
  }
  const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
  if (!Array.isArray(ranges) || !ranges.every(isObject)) return "it lacks ranges";
  if (!isObject(fallback)) return "it lacks a fallback";
  try {
    advised({ ranges, fallback: fallback! });
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message.replace(/^.*? as /, "");
    throw error;
  }
}

/**
 * Throws unless a policy is for a model. Weights decide where both are known, else the name.
 *
 * @param policy The policy.
 * @param model The target's id and the SHA-256 of its weights.
 * @param file The policy's name, for messages.
 * @throws {PolicyError} If it is for another.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const policy = { model: "a", modelHash: null };
 * assertThrows(() => requireModel(policy, { id: "b", hash: null }), PolicyError, "it is for a, not b");
 * ```
 */
export function requireModel(
  { model, modelHash }: Pick<AdvicePolicy, "model" | "modelHash">,
  { id, hash }: { readonly id: string; readonly hash: string | null },
  file = "the policy",
): void {
  const same = modelHash !== null && hash !== null ? modelHash === hash : model === id;
  if (!same) {
    const weights = model === id ? "other weights of it" : id;
    throw new PolicyError(file, `it is for ${model}, not ${weights}`);
  }
}

/**
 * Whether a policy ever drafts.
 *
 * @param policy The policy.
 * @returns False where it advises against speculation at every context.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(everDrafts({ ranges: [{ from: 0, draftLength: 0, threshold: 1 }] }), false);
 * ```
 */
export function everDrafts({ ranges }: { readonly ranges: readonly AdvisedRange[] }): boolean {
  return ranges.some(({ draftLength }) => draftLength > 0);
}
