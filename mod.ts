/**
 * Specbound: does speculative decoding pay on this machine, with these models and this work?
 *
 * @module
 */

export * from "./lib/random.ts";
export * from "./lib/models/architecture.ts";
export * from "./lib/models/cache.ts";
export * from "./lib/models/catalog.ts";
export * from "./lib/models/chat.ts";
export * from "./lib/models/dequantize.ts";
export * from "./lib/models/fetch.ts";
export * from "./lib/models/gguf.ts";
export type { AttentionForm, Precision } from "./lib/models/graph.ts";
export * from "./lib/models/storage.ts";
export * from "./lib/models/text_stream.ts";
export type * from "./lib/models/token.ts";
export * from "./lib/models/tokenizer.ts";
export * from "./lib/onnx/mod.ts";
export * from "./lib/engine/language_model.ts";
export * from "./lib/engine/load.ts";
export * from "./lib/engine/onnx_model.ts";
export * from "./lib/engine/table_model.ts";
export * from "./lib/engine/width_probe.ts";
export * from "./lib/decoding/autoregressive.ts";
export * from "./lib/decoding/batch.ts";
export * from "./lib/decoding/drafters/drafter.ts";
export * from "./lib/decoding/drafters/first_of.ts";
export * from "./lib/decoding/drafters/model.ts";
export * from "./lib/decoding/drafters/ngram_table.ts";
export * from "./lib/decoding/drafters/online_ngram.ts";
export * from "./lib/decoding/drafters/prompt_lookup.ts";
export * from "./lib/decoding/drafters/replay.ts";
export * from "./lib/decoding/drafters/tree.ts";
export * from "./lib/decoding/policies/confidence.ts";
export * from "./lib/decoding/policies/fixed.ts";
export * from "./lib/decoding/policies/policy.ts";
export * from "./lib/decoding/prefill.ts";
export * from "./lib/decoding/round.ts";
export * from "./lib/decoding/sampling.ts";
export * from "./lib/decoding/speculative.ts";
export * from "./lib/decoding/verify.ts";
export { type Column, RecordError, type RowOf, type Table } from "./lib/study/columns.ts";
export * from "./lib/study/conditions.ts";
export * from "./lib/study/meters.ts";
export * from "./lib/study/pair_records.ts";
export * from "./lib/study/plan.ts";
export * from "./lib/study/prepared.ts";
export * from "./lib/study/presets.ts";
export * from "./lib/study/provenance.ts";
export * from "./lib/study/records.ts";
export * from "./lib/study/resume.ts";
export * from "./lib/study/runner.ts";
export * from "./lib/study/store.ts";
export * from "./lib/study/subject.ts";
export * from "./lib/study/sweep.ts";
export * from "./lib/study/workload.ts";
export * from "./lib/analysis/costs.ts";
export * from "./lib/analysis/curves.ts";
export * from "./lib/analysis/identities.ts";
export * from "./lib/analysis/metrics.ts";
export * from "./lib/analysis/pairs.ts";
export * from "./lib/analysis/statistics.ts";
export * from "./lib/analysis/summary.ts";
export * from "./lib/analysis/table.ts";
