/**
 * Conditions: everything that is set before a pair of runs, apart from its prompt.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Precision } from "../models/graph.ts";

/** What proposes in the speculative run of a pair, and how. */
export type Draft =
  | { readonly draft: "prompt-lookup" | "ngram" }
  | { readonly draft: "model"; readonly draftModel: string; readonly draftPrecision: Precision }
  | { readonly draft: "replay"; readonly acceptance: number };

/** All factors of a pair but its prompt. */
export interface Condition {
  /** The target's catalog id. */
  readonly model: string;
  /** The target's precision. */
  readonly precision: Precision;
  /** Whether passes are padded so that logits do not depend on their width. */
  readonly exact: boolean;
  /** Threads of a pass. */
  readonly threads: number;
  /** What proposes. */
  readonly draft: Draft;
  /** K: tokens drafted a round. */
  readonly draftLength: number;
  /** Most tokens to emit. */
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Likeliest tokens kept; 0 keeps all. */
  readonly topK: number;
  /** Probability mass kept; 1 keeps all. */
  readonly topP: number;
  /** Seed of sampling and of a replay's errors. */
  readonly seed: number;
}

/**
 * The key of a condition on a prompt: equal for equal factors, whatever their order in memory.
 *
 * @param condition The factors.
 * @param promptHash Hash of the prompt's text.
 * @returns 12 hexadecimal digits of a SHA-256.
 *
 * @example
 * ```ts
 * import { assertEquals, assertNotEquals } from "@std/assert";
 * const condition: Condition = {
 *   model: "m", precision: "int4", exact: false, threads: 2, draft: { draft: "prompt-lookup" },
 *   draftLength: 4, maxTokens: 48, temperature: 0, topK: 0, topP: 1, seed: 1,
 * };
 * assertEquals(conditionKey(condition, "ab"), conditionKey({ ...condition }, "ab"));
 * assertNotEquals(conditionKey(condition, "ab"), conditionKey({ ...condition, threads: 1 }, "ab"));
 * ```
 */
export function conditionKey(condition: Condition, promptHash: string): string {
  const text = canonical({ ...condition, promptHash });
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join()}}`;
}
