import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { speedupByDraftSize } from "../../lib/figures/speedup_by_draft_size.ts";
import { FAMILY } from "../analysis/draft_family.ts";
import { assertSnapshot, assertWordsInside } from "./figure_checks.ts";

const caption = ["table on Table, of wood.", "n = 3 prompts."];
const draw = (sizes = FAMILY) => speedupByDraftSize(sizes, { caption });

Deno.test("speedup_by_draft_size draws the family as it did (UPDATE=1 accepts a change)", async () => {
  await assertSnapshot("speedup_by_draft_size", draw());
});

Deno.test("every draft is named in the panel of each target, with its best K", () => {
  const svg = draw();
  for (const { name } of FAMILY) {
    const times = FAMILY.filter((draft) => draft.name === name).length;
    assertEquals(svg.split(`>${name}</text>`).length - 1, times, name);
  }
  for (const line of caption) assertStringIncludes(svg, line);
});

Deno.test("speedup_by_draft_size puts no word over its edge, also of models or tables alone", () => {
  for (const sizes of [FAMILY, ...[0, 1].map((table) => FAMILY.filter(isTable(table === 1)))]) {
    assertWordsInside(draw(sizes));
  }
});

Deno.test("speedup_by_draft_size of no drafts is an error, not an empty figure", () => {
  assertThrows(() => draw([]), RangeError, "no draft");
});

function isTable(wanted: boolean) {
  return ({ kind }: { readonly kind: string }) => (kind === "table") === wanted;
}
