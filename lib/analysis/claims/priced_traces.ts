/**
 * Traces on record, priced by the cost layers on record.
 *
 * @module
 */

import { basename } from "node:path";
import { fixed } from "../../decoding/policies/fixed.ts";
import type { Policy } from "../../decoding/policies/policy.ts";
import { findShape, parameterCount, shapes } from "../../models/shapes.ts";
import { replayTrace, type Trace } from "../../study/trace.ts";
import { type TraceRecord, unpackTrace } from "../../study/trace_records.ts";
import { type CostPair, rememberCosts } from "../boundary.ts";
import { draftParameters } from "../draft_manifest.ts";
import type { Evidence } from "../evidence.ts";
import { geometricMean, type PairedRatio } from "../statistics.ts";
import { draftName, targetName } from "../table.ts";
import { costsOfRuns, speedupOfRounds } from "../validation_prediction.ts";
import { whereMeasured } from "./priced.ts";

/** Greedy traces of one draft with the costs of one machine. */
export interface PricedTraces {
  /** The machine's id. */
  readonly machine: string;
  /** The target's precision and the mode of its costs, as {@linkcode targetName} has it. */
  readonly target: string;
  /** The draft's name. */
  readonly draft: string;
  /** Its parameters; null if they are not known, or it has none. */
  readonly parameters: number | null;
  /** The target's. */
  readonly targetParameters: number | null;
  /** The costs. */
  readonly costs: CostPair;
  /** The texts, those left out whose length was not measured. */
  readonly texts: readonly TracedText[];
}

/** A text that was traced. */
export interface TracedText {
  /** Prompt id, and how long it is. */
  readonly prompt: string;
  /** Tokens read before decoding. */
  readonly context: number;
  /** The trace. */
  readonly trace: Trace;
}

/** S of one prompt. */
export interface PromptSpeedup {
  /** Prompt id, and how long it is. */
  readonly prompt: string;
  /** Time of plain / of speculative decoding. */
  readonly speedup: number;
}

/**
 * Greedy traces with costs on record. A trace that was recorded in exact mode takes the costs of fast
 * mode where only these were measured: what is accepted is taken to be the same.
 *
 * @param evidence The evidence.
 * @returns One entry for each machine, target and draft.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(pricedTraces({ machines: [], traces: [], manifest: { drafts: {} } }), []);
 * ```
 */
export function pricedTraces(
  { machines, traces, manifest }: Pick<Evidence, "machines" | "traces" | "manifest">,
): PricedTraces[] {
  const groups = Map.groupBy(
    traces.filter(({ temperature, choice }) => temperature === 0 && choice === "chosen"),
    (trace) => [trace.model, trace.precision, draftName(trace)].join("\t"),
  );
  const sizeOf = (model: string, isTarget: boolean) => {
    const entry = isTarget ? undefined : manifest.drafts[basename(model, ".gguf")];
    return entry ? draftParameters(entry) : publishedParameters(model);
  };
  return machines.flatMap(({ machine, costs }) => {
    const find = costsOfRuns(costs);
    return [...groups.values()].map(ofNewestWeights).flatMap((same): PricedTraces[] => {
      const { model, precision, threads, draft, draftModel, draftPrecision, exact } = same[0]!;
      const run = { model, precision, threads, draft, draftModel, draftPrecision };
      const timed = [exact, !exact].map((exact) => ({ ...run, exact })).find(find);
      if (!timed) return [];
      const priced = {
        machine: machine.id,
        target: targetName(timed),
        draft: draftName(same[0]!),
        parameters: draftModel === null ? null : sizeOf(draftModel, false),
        targetParameters: sizeOf(model, true),
        costs: rememberCosts(find(timed)!),
      };
      const texts = same.map(textOf)
        .filter((text) => speedupOf(text, priced.costs, fixed(1)) !== null);
      return texts.length > 0 ? [{ ...priced, texts }] : [];
    });
  });
}

/**
 * S that costs and behaviour predict under a policy.
 *
 * @param priced Traces and costs.
 * @param policyOf Makes the policy, which may have a memory, for each text anew.
 * @returns One entry a prompt.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fixed } from "@specbound/specbound";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null };
 * const drafts = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const trace = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2, drafts } as const;
 * const texts = [{ prompt: "p", context: 64, trace: { choice: "chosen", ...trace } as const }];
 * const [one] = promptSpeedups({ texts, costs }, () => fixed(2));
 * assertEquals(one!.speedup, 3);
 * ```
 */
export function promptSpeedups(
  { texts, costs }: Pick<PricedTraces, "texts" | "costs">,
  policyOf: () => Policy,
): PromptSpeedup[] {
  return texts.flatMap((text) => {
    const speedup = speedupOf(text, costs, policyOf());
    return speedup === null ? [] : [{ prompt: text.prompt, speedup }];
  });
}

/** A draft length, and S of it. */
export interface FixedLength {
  /** K. */
  readonly draftLength: number;
  /** Geometric mean of S. */
  readonly speedup: number;
  /** S of each prompt. */
  readonly prompts: readonly PromptSpeedup[];
}

/**
 * The best of some fixed draft lengths, in hindsight. Lengths are compared on the prompts that all
 * have; one that fewer than half of the texts can be priced at is left out.
 *
 * @param priced Traces and costs.
 * @param lengths The draft lengths.
 * @returns One value, or none where no length can be priced, for flatMap.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const costs = { target: {}, draft: null } as never;
 * assertEquals(bestFixed({ texts: [], costs }, [1, 2]), []);
 * ```
 */
export function bestFixed(
  priced: Pick<PricedTraces, "texts" | "costs">,
  lengths: readonly number[],
): FixedLength[] {
  const { texts } = priced;
  const known = lengths.filter((length) => texts.every(({ trace }) => trace.longest >= length))
    .map((draftLength) => ({
      draftLength,
      prompts: promptSpeedups(priced, () => fixed(draftLength)),
    }))
    .filter(({ prompts }) => prompts.length > 0 && 2 * prompts.length >= texts.length);
  const names = known.map(({ prompts }) => new Set(prompts.map(({ prompt }) => prompt)));
  const compared = known.flatMap(({ draftLength, prompts }) => {
    const shared = prompts.filter(({ prompt }) => names.every((name) => name.has(prompt)));
    if (shared.length === 0) return [];
    const speedup = geometricMean(shared.map(({ speedup }) => speedup));
    return [{ draftLength, speedup, prompts: shared }];
  });
  return compared.toSorted((a, b) => b.speedup - a.speedup).slice(0, 1);
}

/**
 * S of one policy or draft over S of another, on the prompts that both have.
 *
 * @param above The numerators.
 * @param below The denominators.
 * @returns One ratio a prompt.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const ratios = pairedRatios([{ prompt: "p", speedup: 3 }], [{ prompt: "p", speedup: 2 }]);
 * assertEquals(ratios, [{ prompt: "p", ratio: 1.5, process: 1 }]);
 * ```
 */
export function pairedRatios(
  above: readonly PromptSpeedup[],
  below: readonly PromptSpeedup[],
): PairedRatio[] {
  const known = new Map(below.map(({ prompt, speedup }) => [prompt, speedup]));
  return above.flatMap(({ prompt, speedup }) => {
    const other = known.get(prompt);
    return other === undefined ? [] : [{ prompt, ratio: speedup / other, process: 1 }];
  });
}

/**
 * The traces of the newest weights: a file of the same name may have had others before.
 *
 * @param traces Traces of one target and draft, oldest first.
 * @returns Those that share the last one's weights.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const traces = ["old", "new"].map((draftHash) => ({ modelHash: "m", draftHash }));
 * assertEquals(ofNewestWeights(traces).length, 1);
 * ```
 */
export function ofNewestWeights<T extends Pick<TraceRecord, "modelHash" | "draftHash">>(
  traces: readonly T[],
): T[] {
  const newest = traces.at(-1);
  return traces.filter(({ modelHash, draftHash }) =>
    modelHash === newest?.modelHash && draftHash === newest?.draftHash
  );
}

function textOf(record: TraceRecord): TracedText {
  const prompt = `${record.prompt} ${record.promptTokens}`;
  // The prompt's last token is read by the first pass of decoding.
  return { prompt, context: record.promptTokens - 1, trace: unpackTrace(record) };
}

function speedupOf({ trace, context }: TracedText, costs: CostPair, policy: Policy): number | null {
  const rounds = (policy: Policy) => replayTrace(trace, { policy, seed: 1 });
  const [speedup] = whereMeasured(() =>
    speedupOfRounds(rounds(fixed(0)), rounds(policy), context, costs)
  );
  return speedup ?? null;
}

/** A catalogue's model has the shape of the base model that it was tuned from. */
function publishedParameters(model: string): number | null {
  const id = model.startsWith("shape:") ? model : `shape:${model.replace(/-instruct$/, "")}`;
  return shapes.some((shape) => shape.id === id)
    ? parameterCount(findShape(id).architecture)
    : null;
}
