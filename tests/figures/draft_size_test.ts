import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Resvg } from "@resvg/resvg-js";
import { fontOptions } from "../../lib/figures/render.ts";
import { speedupByDraftSize } from "../../lib/figures/speedup_by_draft_size.ts";
import { FAMILY } from "../analysis/draft_family.ts";

const caption = ["table on Table, of wood.", "n = 3 prompts."];
const draw = (sizes = FAMILY) => speedupByDraftSize(sizes, { caption });

Deno.test("speedup_by_draft_size draws the family as it did (UPDATE=1 accepts a change)", async () => {
  const svg = draw().replace(
    /-?\d+\.\d+/g,
    (number) => String(Math.round(Number(number) * 10) / 10),
  ).replace(/plot-[0-9a-f]{6}\b/g, "plot").replace(/plot-clip-\d+/g, "clip");
  const snapshot = new URL("./speedup_by_draft_size.svg.txt", import.meta.url);
  if (Deno.env.has("UPDATE")) await Deno.writeTextFile(snapshot, svg);
  assertEquals(svg, await Deno.readTextFile(snapshot));
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
    const svg = draw(sizes);
    const words = svg.replace(/<(rect|path|circle|line)\b[^>]*>/g, "")
      .replace(/ (clip-path|stroke)="[^"]*"/g, "");
    const { width, height } = new Resvg(svg);
    const box = new Resvg(words, { font: fontOptions() }).getBBox()!;
    assert(box.x >= 0 && box.y >= 0, `${box.x}, ${box.y}`);
    assert(box.x + box.width <= width, `${box.x + box.width} of ${width}`);
    assert(box.y + box.height <= height, `${box.y + box.height} of ${height}`);
  }
});

Deno.test("speedup_by_draft_size of no drafts is an error, not an empty figure", () => {
  assertThrows(() => draw([]), RangeError, "no draft");
});

function isTable(wanted: boolean) {
  return ({ kind }: { readonly kind: string }) => (kind === "table") === wanted;
}
