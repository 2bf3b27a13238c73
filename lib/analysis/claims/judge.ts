/**
 * The claims under test, and what the evidence makes of them.
 *
 * @module
 */

import { type Evidence, inOrder } from "../evidence.ts";
import { approachesDraftLength, highAcceptanceHelps, lowAcceptanceHurts } from "./acceptance.ts";
import { memoryDecidesAtLongContext } from "./bandwidth.ts";
import {
  alignmentChangesPattern,
  codeAcceptsMore,
  earlyPositionsAcceptMore,
  matchingDomainHelps,
  temperatureLowersAcceptance,
} from "./behaviour.ts";
import { bestLengthFallsWithContext } from "./best_length.ts";
import { longContextDegrades, middleContextIsBest } from "./context.ts";
import { kinshipHelps, tenthIsBest, trainedBeatGeneric } from "./draft.ts";
import type { Finding, Outcome } from "./finding.ts";
import { hardwareDiffers } from "./hardware.ts";
import {
  preEvaluationPredicts,
  savesLatency,
  shortMemoryDegrades,
  textIsUnchanged,
} from "./outcome.ts";
import { adaptingPays, fallbackBoundsLoss, largeBatchesLose, treesPay } from "./policy.ts";

/** A claim and how it is put to the test. */
export interface Claim extends Pick<Finding, "id" | "claim" | "brief"> {
  /** Its estimator. */
  readonly estimate: (evidence: Evidence) => Outcome;
}

/** The claims, as the starting study put them. */
export const CLAIMS: readonly Claim[] = [
  ["at high acceptance the speed-up approaches K-fold", "high α: S near K", approachesDraftLength],
  ["acceptance > 70 % accelerates", "α > 0.7 speeds up", highAcceptanceHelps],
  ["acceptance < 40 % slows down", "α < 0.4 slows down", lowAcceptanceHurts],
  ["1K–4K tokens of context is the good zone", "1K–4K is the good zone", middleContextIsBest],
  ["beyond 8K tokens it degrades", "long context degrades it", longContextDegrades],
  ["domain match helps, mismatch hurts", "domain match helps", matchingDomainHelps],
  [
    "memory shortage degrades; room for both models is needed",
    "memory shortage degrades",
    shortMemoryDegrades,
  ],
  [
    "the best draft has 1/10 to 1/20 of the target's parameters",
    "best draft: 1/10–1/20 in size",
    tenthIsBest,
  ],
  [
    "same architecture and training data beat others",
    "kindred drafts beat others",
    kinshipHelps,
  ],
  [
    "best K is 4–8 below 2K, 3–5 at 2–8K, 2–3 or none beyond 8K",
    "best K falls with context",
    bestLengthFallsWithContext,
  ],
  [
    "memory bandwidth decides at long context; K/V traffic of two models competes",
    "bandwidth decides at long context",
    memoryDecidesAtLongContext,
  ],
  [
    "deterministic tasks (code) accept more than open ones",
    "code accepts more",
    codeAcceptsMore,
  ],
  ["early output positions accept more", "early positions accept more", earlyPositionsAcceptMore],
  [
    "higher temperature lowers acceptance",
    "temperature lowers acceptance",
    temperatureLowersAcceptance,
  ],
  [
    "alignment (instruction tuning, RLHF) changes the pattern",
    "alignment changes the pattern",
    alignmentChangesPattern,
  ],
  [
    "small batches gain, large batches lose; dynamic batches need adaptive parameters",
    "large batches lose",
    largeBatchesLose,
  ],
  [
    "a short pre-evaluation on representative data predicts the outcome",
    "pre-evaluation predicts",
    preEvaluationPredicts,
  ],
  ["adapting K to recent acceptance pays", "adapting K pays", adaptingPays],
  ["a fallback bounds the loss", "a fallback bounds the loss", fallbackBoundsLoss],
  ["tree drafts pay", "tree drafts pay", treesPay],
  [
    "drafts trained for SD beat generic small models",
    "trained drafts beat generic ones",
    trainedBeatGeneric,
  ],
  ["output quality is unchanged", "output is unchanged", textIsUnchanged],
  [
    "SD saves latency, raises throughput, changes TTFT, memory and energy as stated per cell",
    "SD saves latency",
    savesLatency,
  ],
  [
    "consumer and data-centre hardware differ in where the boundary lies",
    "hardware moves the boundary",
    hardwareDiffers,
  ],
].map(([claim, brief, estimate], i) => ({ id: `C${i + 1}`, claim, brief, estimate }) as Claim);

/**
 * Every claim's verdict. It depends on what rows say, not on their order.
 *
 * @param evidence The evidence.
 * @returns One finding a claim.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const nothing = { machines: [], traces: [], manifest: { drafts: {} }, parts: [] };
 * const verdicts = new Set(judgeClaims(nothing).map(({ verdict }) => verdict));
 * assertEquals([...verdicts], ["not measured here"]);
 * ```
 */
export function judgeClaims(evidence: Evidence): Finding[] {
  const ordered = inOrder(evidence);
  return CLAIMS.map(({ estimate, ...claim }) => ({ ...claim, ...estimate(ordered) }));
}
