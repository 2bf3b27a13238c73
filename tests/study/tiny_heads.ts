/** Studies of the tiny model and the drafts that borrow from it. */

import { type LoadedModel, loadModel } from "../../lib/engine/load.ts";
import { openDraft } from "../../lib/engine/open_draft.ts";
import { sha256File } from "../../lib/models/digest.ts";
import type { DraftRole } from "../../lib/models/draft_file.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { draftSubjectOf, type SubjectLoader, subjectOf } from "../../lib/study/subject.ts";
import { tinyDraft } from "../engine/draft_files.ts";
import { tinyGguf } from "../faults/tiny_model.ts";

/** All roles. */
export const ROLES: readonly DraftRole[] = ["draft", "feature", "exit"];

/** All that the tiny model writes: drafts that score no other token are right at times. */
const WRITTEN = [188, 238, 246];

/** Files of the tiny model and its drafts, and what loads them. */
export interface TinyHeads {
  readonly folder: string;
  /** The target's path. */
  readonly model: string;
  /** A draft's path. */
  readonly draft: (role: DraftRole) => string;
  readonly load: SubjectLoader;
}

/** Writes the tiny model and a draft of every role, calls `use`, and deletes them. */
export async function withTinyHeads(use: (heads: TinyHeads) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    using runtime = new Runtime({ threads: 1 });
    const model = `${folder}/target.gguf`;
    const draft = (role: DraftRole): string => `${folder}/${role}.gguf`;
    await Deno.writeFile(model, tinyGguf());
    const sha256 = await sha256File(model);
    for (const role of ROLES) await Deno.writeFile(draft(role), tinyDraft(role, sha256));
    const load: SubjectLoader = async (id, { precision, exact, target, drafts = [] }) => {
      const loading = { runtime, cache: folder, precision, exact };
      if (target) {
        const options = { ...loading, vocabulary: WRITTEN };
        return draftSubjectOf(await openDraft(id, target.model as LoadedModel, options));
      }
      const hidden = drafts.includes(draft("feature"));
      return subjectOf(await loadModel(id, { ...loading, hidden }));
    };
    await use({ folder, model, draft, load });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
