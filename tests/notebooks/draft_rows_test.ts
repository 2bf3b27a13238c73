import { assert, assertStringIncludes, assertThrows } from "@std/assert";
import type { DraftSize } from "../../lib/analysis/draft_sizes.ts";
import { checkDraftSizes } from "../../lib/notebook/draft_rows.ts";
import {
  answerDraftSize,
  tabulateAcceptance,
  tabulateDraftSizes,
  tabulateSplits,
} from "../../lib/notebook/draft_size_answer.ts";
import { FAMILY } from "../analysis/draft_family.ts";

/** Ways in which drafts go bad, and what is said of them. */
const FAULTS: readonly [string, Partial<DraftSize>, string][] = [
  ["a table with parameters", { ratio: 0.1 }, "has a size of 0.1"],
  ["a table that costs passes", { c: { estimate: 0.1, low: 0.1, high: 0.1 } }, "costs 0.1"],
  ["an acceptance above 1", { alpha: { alpha: 1.2, error: null, tested: 9 } }, "has α = 1.2"],
  [
    "more tokens a round than a pass can check",
    { lengths: [{ ...FAMILY[0]!.lengths[0]!, tau: 2.1 }] },
    "emits 2.1 tokens a round at K = 1",
  ],
  [
    "a speed-up that no round can give",
    { lengths: [{ ...FAMILY[0]!.lengths[0]!, predicted: { estimate: 3, low: 2, high: 4 } }] },
    "promises S = 3 at K = 1",
  ],
  [
    "a draft judged on other prompts",
    { best: { ...FAMILY[0]!.best, prompts: FAMILY[0]!.best.prompts.slice(1) } },
    "prompts differ between drafts for fp32",
  ],
];

Deno.test("a sound family of drafts passes", () => {
  const checked = checkDraftSizes(FAMILY);
  assertStringIncludes(checked, "of 3 targets");
  assert(!checked.includes("Not judged"), checked);
});

Deno.test("a draft that is missing for one precision is named", () => {
  const others = FAMILY.filter(({ name, precision }) => name !== "4x192" || precision !== "int4");
  assertStringIncludes(checkDraftSizes(others), "are missing: 4x192 (int4).");
});

for (const [what, change, message] of FAULTS) {
  Deno.test(`the check of drafts notices ${what}`, () => {
    const [first, ...others] = FAMILY;
    assertThrows(() => checkDraftSizes([{ ...first!, ...change }, ...others]), Error, message);
  });
}

Deno.test("the answer names the best of each target, and what explains it", () => {
  const answer = answerDraftSize(FAMILY);
  assertStringIncludes(answer, "**fp32**: 4x192 (1/12)");
  assertStringIncludes(answer, "inside 1/20 to 1/10");
  assertStringIncludes(answer, "acceptance α **");
  assertStringIncludes(answer, "against n-gram (no parameters)");
});

Deno.test("every draft of every target has a row, every split draft one", () => {
  for (const { name } of FAMILY) {
    assertStringIncludes(tabulateDraftSizes(FAMILY), `| ${name} |`);
    assertStringIncludes(tabulateAcceptance(FAMILY), `| ${name} |`);
  }
  assertStringIncludes(tabulateSplits(FAMILY), "| 4x192 |");
});
