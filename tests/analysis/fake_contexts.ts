/** The study of contexts in virtual time: passes over several tokens grow faster with context. */

import { tableModel } from "@specbound/specbound";
import { plan } from "../../lib/study/plan.ts";
import { presetPrompts } from "../../lib/study/preset_prompts.ts";
import { CONTEXT_STUDY, preset } from "../../lib/study/presets.ts";
import type { Records } from "../../lib/study/records.ts";
import { readRecords } from "../../lib/study/store.ts";
import {
  observed,
  PROVENANCE,
  quiet,
  tableSubject,
  temporaryRecords,
  tinySweep,
} from "../study/tables.ts";

/** Bytes, which are a table's tokens. */
export const CONTEXTS = [2048, 4096, 7680];

/** The preset, in small. */
export const STUDY = {
  ...preset(CONTEXT_STUDY, "table"),
  precisions: ["int8"] as const,
  contexts: CONTEXTS,
  promptsPerCell: 1 + CONTEXTS.length,
};

export const openTable = () => Promise.resolve(tableSubject("table", "int8"));

/** v(w, n) = 1 + (w − 1)(0.1 + n / 20,000), so that each K stops to pay at a context known beforehand. */
export function verification(width: number, context: number): number {
  return 1 + (width - 1) * (0.1 + context / 20_000);
}

export async function fakeContexts({ processes = 3 } = {}): Promise<Records> {
  let now = 0;
  const prompts = await presetPrompts(STUDY, openTable);
  await using store = await temporaryRecords();
  for (let process = 1; process <= processes; process++) {
    await tinySweep(store, {
      clock: () => now += 0.001,
      meter: quiet,
      provenance: { ...PROVENANCE, study: STUDY.name },
      load: (id, { precision }) => {
        const table = tableModel({
          vocabularySize: 256,
          seed: "table",
          order: 3,
          spread: 8,
          contextLength: 8192,
        });
        const model = observed(table, ({ length }, context) => {
          now += (10 + context / 1000) * verification(length, context);
        });
        const subject = tableSubject(id, precision, model);
        return Promise.resolve({ ...subject, endOfText: new Set<number>() });
      },
    }, plan(STUDY, prompts, { process, threads: 2 }));
  }
  return await readRecords(store.folder);
}
