/**
 * What is known of trained drafts: the manifest that training writes beside their weights.
 *
 * @module
 */

import { basename } from "node:path";
import type { NetworkSizes } from "./work.ts";

/** A trained draft. */
export interface DraftEntry {
  /** Parameters in its file. */
  readonly parameters: number;
  /** "whole", or what it borrows of its target: see {@linkcode DraftRole}. */
  readonly role?: string;
  /** Its shape, as the training code names sizes. */
  readonly shape: {
    readonly layers: number;
    readonly hidden: number;
    readonly heads: number;
    readonly kv_heads: number;
    readonly head_size: number;
    readonly feed_forward: number;
    readonly vocabulary: number;
  };
}

/** Drafts by their ids: names of their files without ".gguf". */
export interface DraftManifest {
  /** The drafts. */
  readonly drafts: Readonly<Record<string, DraftEntry>>;
}

/**
 * Reads a manifest.
 *
 * @param path Its path.
 * @returns What it says.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const { drafts } = await readDraftManifest("data/models/manifest.json");
 * assert(drafts["draft-1x32"]!.parameters < 2e6);
 * ```
 */
export async function readDraftManifest(path: string): Promise<DraftManifest> {
  return JSON.parse(await Deno.readTextFile(path));
}

/**
 * The id of a draft that rows name by its path.
 *
 * @param model A path, or a catalogue id, which stays as it is.
 * @returns The file's name without ".gguf".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(draftId("../data/models/draft-1x32.gguf"), "draft-1x32");
 * ```
 */
export function draftId(model: string): string {
  return basename(model, ".gguf");
}

/**
 * A draft's entry, by the name that rows give it.
 *
 * @param manifest The manifest.
 * @param model A path in rows.
 * @returns The entry.
 * @throws {RangeError} If the manifest does not name it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const manifest = await readDraftManifest("data/models/manifest.json");
 * assertEquals(draftEntryOf(manifest, "data/models/draft-1x32.gguf").shape.layers, 1);
 * ```
 */
export function draftEntryOf(manifest: DraftManifest, model: string): DraftEntry {
  const entry = manifest.drafts[draftId(model)];
  if (entry) return entry;
  throw new RangeError(
    `Cannot size ${model} up as the manifest names no such draft: give the one it was trained with`,
  );
}

/**
 * Parameters that a draft reads, as published counts are made: one that borrows its target's
 * embedding and head is counted with them, since a pass pays for them. Layers that an exit head has
 * run by its target are not counted.
 *
 * @param entry The draft.
 * @returns How many.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const shape = {
 *   layers: 1, hidden: 8, heads: 1, kv_heads: 1, head_size: 8, feed_forward: 8, vocabulary: 100,
 * };
 * assertEquals(draftParameters({ parameters: 1000, role: "feature", shape }), 1800);
 * ```
 */
export function draftParameters({ parameters, role = "whole", shape }: DraftEntry): number {
  return parameters + (role === "whole" ? 0 : shape.vocabulary * shape.hidden);
}

/**
 * A draft's sizes, as its work depends on them.
 *
 * @param entry The draft.
 * @returns The sizes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const { drafts } = await readDraftManifest("data/models/manifest.json");
 * assertEquals(draftNetwork(drafts["draft-1x32"]!).hidden, 32);
 * ```
 */
export function draftNetwork({ shape }: DraftEntry): NetworkSizes {
  const { layers, hidden, heads } = shape;
  return {
    layers,
    hidden,
    heads,
    keyValueHeads: shape.kv_heads,
    headSize: shape.head_size,
    feedForward: shape.feed_forward,
    vocabularySize: shape.vocabulary,
  };
}
