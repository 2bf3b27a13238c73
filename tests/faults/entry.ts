/** Files to fetch. */

import { createHash } from "node:crypto";
import type { CatalogEntry, Source } from "../../lib/models/catalog.ts";
import { seeded } from "./random.ts";

/** A file that no packing makes smaller. */
export function randomFile(bytes: number): Uint8Array<ArrayBuffer> {
  const random = seeded(bytes);
  return Uint8Array.from({ length: bytes }, () => random(256));
}

/** A catalogue entry for a file, which lies in the cache as m.gguf. */
export function entryOf(file: Uint8Array, ...sources: Source[]): CatalogEntry {
  const sha256 = createHash("sha256").update(file).digest("hex");
  const about = { id: "m", description: "", file: "m.gguf", licence: "CC0-1.0" };
  return { ...about, bytes: file.length, sha256, sources };
}
