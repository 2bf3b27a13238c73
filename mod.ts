/**
 * Specbound: does speculative decoding pay on this machine, with these models and this work?
 *
 * @module
 */

export * from "./lib/random.ts";
export type * from "./lib/models/token.ts";
export * from "./lib/engine/language_model.ts";
export * from "./lib/engine/table_model.ts";
export * from "./lib/decoding/autoregressive.ts";
export * from "./lib/decoding/drafters/drafter.ts";
export * from "./lib/decoding/drafters/model.ts";
export * from "./lib/decoding/drafters/prompt_lookup.ts";
export * from "./lib/decoding/drafters/replay.ts";
export * from "./lib/decoding/policies/confidence.ts";
export * from "./lib/decoding/policies/fixed.ts";
export * from "./lib/decoding/policies/policy.ts";
export * from "./lib/decoding/prefill.ts";
export * from "./lib/decoding/round.ts";
export * from "./lib/decoding/sampling.ts";
export * from "./lib/decoding/speculative.ts";
export * from "./lib/decoding/verify.ts";
