/**
 * A policy of `deno task recommend`, as the flags and the draft lengths it stands for.
 *
 * @module
 */

import { everDrafts, PolicyError, readPolicy, requireModel } from "../lib/advice/policy.ts";
import { advised } from "../lib/decoding/policies/advised.ts";
import type { Policy } from "../lib/decoding/policies/policy.ts";
import type { Precision } from "../lib/models/graph.ts";
import type { DrafterFlags } from "./drafter.ts";

/** A policy that is to be obeyed. */
export interface ObeyedPolicy {
  /** Flags that it decides. */
  readonly flags: Omit<DrafterFlags, "model"> & { readonly precision: Precision };
  /** How far to draft. */
  readonly policy: Policy;
  /** Throws a PolicyError unless the policy is for this target. */
  requireModel(model: { readonly id: string; readonly hash: string | null }): void;
}

/**
 * Reads a policy's file.
 *
 * @param file Its path.
 * @returns What it asks for; where it advises against speculation everywhere, no draft at all.
 * @throws {PolicyError} If there is no such file, or it cannot be obeyed.
 */
export async function readPolicyFile(file: string): Promise<ObeyedPolicy> {
  const policy = readPolicy(await readText(file), file);
  const { draft, draftModel, draftPrecision } = policy.draft;
  return {
    flags: {
      precision: policy.precision as Precision, // readPolicy knows no others
      draft: everDrafts(policy) ? draftModel ?? draft : "none",
      draftPrecision: draftPrecision as Precision ?? "int8",
      draftVocabulary: 0,
    },
    policy: advised(policy),
    requireModel: (model) => requireModel(policy, model, file),
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new PolicyError(file, "there is no such file");
    throw error;
  }
}
