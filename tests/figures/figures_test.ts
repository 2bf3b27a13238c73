import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Resvg } from "@resvg/resvg-js";
import { joinPairs } from "../../lib/analysis/pairs.ts";
import { acceptanceByPosition } from "../../lib/figures/acceptance_by_position.ts";
import { acceptanceByTask } from "../../lib/figures/acceptance_by_task.ts";
import { captionOf } from "../../lib/figures/caption.ts";
import { generationTrace } from "../../lib/figures/generation_trace.ts";
import { passesOf } from "../../lib/figures/located_rounds.ts";
import { predictedAgainstMeasured } from "../../lib/figures/predicted_against_measured.ts";
import { fontOptions, renderPng } from "../../lib/figures/render.ts";
import { speedupByAcceptance } from "../../lib/figures/speedup_by_acceptance.ts";
import { speedupByContext } from "../../lib/figures/speedup_by_context.ts";
import { verificationCost } from "../../lib/figures/verification_cost.ts";
import type { Records } from "../../lib/study/records.ts";
import { readFixture } from "../analysis/fixture.ts";

const FIGURES: Readonly<Record<string, (records: Records) => string>> = {
  acceptance_by_position: (records) => acceptanceByPosition(records, { stretch: 4 }),
  acceptance_by_task: acceptanceByTask,
  generation_trace: (records) =>
    generationTrace(joinPairs(records).find(({ speculative }) => speculative.draft === "model")!),
  predicted_against_measured: predictedAgainstMeasured,
  speedup_by_acceptance: speedupByAcceptance,
  speedup_by_context: (records) => speedupByContext(records, { acceptance: 0.9 }),
  verification_cost: (records) =>
    verificationCost(passesOf(records), { caption: captionOf(records.runs) }),
};

/** Coordinates to a tenth, and no class names that Plot draws by chance. */
function normalise(svg: string): string {
  return svg.replace(/-?\d+\.\d+/g, (number) => String(Math.round(Number(number) * 10) / 10))
    .replace(/plot-[0-9a-f]{6}\b/g, "plot").replace(/plot-clip-\d+/g, "clip");
}

for (const [name, draw] of Object.entries(FIGURES)) {
  Deno.test(`${name} draws the fixture as it did (UPDATE=1 accepts a change)`, async () => {
    const svg = normalise(draw(await readFixture()));
    // Not named .svg: `deno fmt` would reformat it.
    const snapshot = new URL(`./${name}.svg.txt`, import.meta.url);
    if (Deno.env.has("UPDATE")) await Deno.writeTextFile(snapshot, svg);
    assertEquals(svg, await Deno.readTextFile(snapshot));
  });

  Deno.test(`${name} is a whole SVG file that names its fonts, its n and its machine`, async () => {
    const records = await readFixture();
    const svg = draw(records);
    assert(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
    assertEquals(svg.match(/<svg/g)!.length, svg.match(/<\/svg>/g)!.length);
    assertStringIncludes(svg, "DejaVu Sans");
    assertStringIncludes(svg, "n = ");
    assertStringIncludes(svg, records.runs[0]!.cpu);
  });

  Deno.test(`${name} puts no word over its edge`, async () => {
    const svg = draw(await readFixture());
    const words = svg.replace(/<(rect|path|circle|line)\b[^>]*>/g, "")
      .replace(/ (clip-path|stroke)="[^"]*"/g, "");
    const { width, height } = new Resvg(svg);
    const box = new Resvg(words, { font: fontOptions() }).getBBox()!;
    assert(box.x >= 0 && box.y >= 0, `${box.x}, ${box.y}`);
    assert(box.x + box.width <= width, `${box.x + box.width} of ${width}`);
    assert(box.y + box.height <= height, `${box.y + box.height} of ${height}`);
  });

  Deno.test(`${name} of no rows is an error, not an empty figure`, () => {
    assertThrows(() => draw({ runs: [], rounds: [] }));
  });
}

Deno.test("renderPng() draws text: without its fonts the picture would be another", async () => {
  const svg = speedupByAcceptance(await readFixture());
  const png = renderPng(svg, { scale: 1 });
  const blank = renderPng(svg.replace(/<text[^]*?<\/text>/g, ""), { scale: 1 });
  assert(png.length > blank.length * 1.3);
});
