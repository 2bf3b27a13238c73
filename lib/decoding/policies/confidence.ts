/**
 * Drafting on while the draft is sure of itself.
 *
 * @module
 */

import { requireInteger, requireNumber } from "../../validate.ts";
import type { Policy } from "./policy.ts";

/** Settings of the confidence rule. */
export interface ConfidenceOptions {
  /** Drafting ends after a token that the draft gives less than this probability. Default 0.4. */
  readonly threshold?: number;
  /** The longest draft. Default 16. */
  readonly draftLength?: number;
}

/**
 * Ends a draft after its first unsure token: the draft's own probability predicts acceptance
 * (SpecDec++, Huang et al. 2024; the default rule of Hugging Face transformers, whose threshold
 * and reasoning this keeps).
 *
 * @param options Threshold and longest draft.
 * @returns The policy.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const policy = confidence({ threshold: 0.5, draftLength: 8 });
 * assertEquals([policy.proceed!(0.9, 1), policy.proceed!(0.3, 2)], [true, false]);
 * ```
 */
export function confidence(options: ConfidenceOptions = {}): Policy {
  const { threshold = 0.4, draftLength = 16 } = options;
  requireNumber("draft", "threshold", threshold, 0, 1);
  requireInteger("draft", "draftLength", draftLength, 1);
  return {
    name: `confidence ${threshold} up to ${draftLength}`,
    limit: () => draftLength,
    proceed: (probability) => probability >= threshold,
  };
}
