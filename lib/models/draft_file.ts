/**
 * Draft files that lack what they borrow from their target: embedding, output head, tokeniser.
 *
 * @module
 */

import { type Architecture, ArchitectureError, architectureOf } from "./architecture.ts";
import type { Gguf, GgufTensor } from "./gguf.ts";

/**
 * What a draft borrows beside the target's embedding and output head.
 *
 * - `draft`: nothing: a network of its own.
 * - `feature`: the target's hidden states. One layer is fed a token's embedding and the state of the
 *   token before, and foretells the token's own (EAGLE, Li et al. 2024, §4.1).
 * - `exit`: the target's first layers. A feed-forward block stands for the rest of them (LayerSkip,
 *   Elhoushi et al. 2024; Kangaroo, Liu et al. 2024).
 */
export type DraftRole = "draft" | "feature" | "exit";

const ROLES: readonly unknown[] = ["draft", "feature", "exit"];

/** What a draft file says of its network. */
export interface DraftNetwork {
  /** What it borrows. */
  readonly role: DraftRole;
  /** The network that runs: for `exit`, the target's first layers. */
  readonly architecture: Architecture;
  /** Sizes of the blocks that the file has weights of. */
  readonly own: Architecture;
}

/** The network that a draft borrows from. */
export interface DraftTarget {
  /** SHA-256 of its file. */
  readonly sha256: string;
  /** Its shape. */
  readonly architecture: Architecture;
}

/** The part of a file that says what network it holds. */
type Header = Pick<Gguf, "path" | "metadata" | "tensors">;

/**
 * The role of a draft file.
 *
 * @param gguf The open file.
 * @returns What it borrows; null if it is a whole model.
 * @throws {ArchitectureError} If the role is unknown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const path = "d.gguf";
 * assertEquals(draftRoleOf({ path, metadata: { "specbound.role": "exit" } }), "exit");
 * assertEquals(draftRoleOf({ path, metadata: {} }), null);
 * ```
 */
export function draftRoleOf(
  { path, metadata }: Pick<Header, "path" | "metadata">,
): DraftRole | null {
  const role = metadata["specbound.role"] ?? null;
  if (role === null || ROLES.includes(role)) return role as DraftRole | null;
  throw new ArchitectureError(
    path,
    `its specbound.role is ${role}`,
    `use one of ${ROLES.join(", ")}, or a whole model`,
  );
}

/**
 * Reads a draft's network and checks that it was made for this target, and that the file has exactly
 * the tensors of its role.
 *
 * @param gguf The open file, which has a role.
 * @param target The target.
 * @returns The network.
 * @throws {ArchitectureError} If it was made for another target, or is incomplete.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { ArchitectureError, findShape } from "@specbound/specbound";
 * const metadata = { "specbound.role": "exit", "specbound.target.sha256": "00ff" };
 * const target = { sha256: "abcd", architecture: findShape("shape:smollm2-135m").architecture };
 * assertThrows(
 *   () => draftNetworkOf({ path: "d.gguf", metadata, tensors: new Map() }, target),
 *   ArchitectureError,
 *   "made for another target",
 * );
 * ```
 */
export function draftNetworkOf(gguf: Header, target: DraftTarget): DraftNetwork {
  const { path, metadata, tensors } = gguf;
  const made = metadata["specbound.target.sha256"];
  if (made !== target.sha256) {
    throw new ArchitectureError(
      path,
      `it was made for another target, whose file has the SHA-256 ${made}, not ${target.sha256}`,
      "draft for that one, or train a draft for this one",
    );
  }
  const role = draftRoleOf(gguf)!;
  if (role === "exit") return exitOf(gguf, target.architecture);
  const { vocabularySize, hidden, contextLength } = target.architecture;
  // The checks of a whole network, as if the file had what it borrows.
  const whole = new Map([...tensors, [EMBEDDING, embeddingOf([vocabularySize, hidden])]]);
  if (role === "feature") {
    requireShapes(path, tensors, { "fc.weight": [hidden, 2 * hidden] });
    whole.delete("fc.weight");
  }
  const own = architectureOf({ ...gguf, tensors: whole });
  if (role === "draft") return { role, architecture: own, own };
  if (own.layers !== 1) {
    throw new ArchitectureError(path, `its head has ${own.layers} layers, not 1`);
  }
  // It reads what its target reads.
  const architecture = { ...own, contextLength };
  return { role, architecture, own: architecture };
}

const EMBEDDING = "token_embd.weight";

function embeddingOf(shape: readonly number[]): GgufTensor {
  return { name: EMBEDDING, kind: "F32", shape, offset: 0, byteLength: 0 };
}

function exitOf({ path, metadata, tensors }: Header, target: Architecture): DraftNetwork {
  const layers = Number(metadata["specbound.exit.layers"]);
  if (!(Number.isInteger(layers) && layers >= 1 && layers < target.layers)) {
    throw new ArchitectureError(
      path,
      `its specbound.exit.layers is ${
        metadata["specbound.exit.layers"]
      }, and the target has ${target.layers} layers`,
      "train it anew",
    );
  }
  const { hidden } = target;
  const feedForward = tensors.get("blk.0.ffn_gate.weight")?.shape[0] ?? 0;
  const expected = {
    "blk.0.ffn_norm.weight": [hidden],
    "blk.0.ffn_gate.weight": [feedForward, hidden],
    "blk.0.ffn_up.weight": [feedForward, hidden],
    "blk.0.ffn_down.weight": [hidden, feedForward],
    "output_norm.weight": [hidden],
  };
  requireShapes(path, tensors, expected);
  for (const name of tensors.keys()) {
    if (name in expected) continue;
    throw new ArchitectureError(path, `an exit head has no tensor ${JSON.stringify(name)}`);
  }
  const architecture = { ...target, layers };
  return { role: "exit", architecture, own: { ...target, layers: 1, feedForward } };
}

function requireShapes(
  path: string,
  tensors: Header["tensors"],
  expected: Readonly<Record<string, readonly number[]>>,
): void {
  for (const [name, shape] of Object.entries(expected)) {
    const found = tensors.get(name)?.shape;
    if (found?.join() === shape.join()) continue;
    const what = found === undefined ? "is missing" : `has shape [${found.join(", ")}]`;
    throw new ArchitectureError(path, `tensor ${name} ${what}, not [${shape.join(", ")}]`);
  }
}
