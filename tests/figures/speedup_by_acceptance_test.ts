import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { renderPng } from "../../lib/figures/render.ts";
import { speedupByAcceptance } from "../../lib/figures/speedup_by_acceptance.ts";
import { readFixture } from "../analysis/fixture.ts";

/** Not named .svg: `deno fmt` would reformat it. */
const SNAPSHOT = new URL("./speedup_by_acceptance.svg.txt", import.meta.url);

/** Coordinates to a tenth, and no class names that Plot draws by chance. */
function normalise(svg: string): string {
  return svg.replace(/-?\d+\.\d+/g, (number) => String(Math.round(Number(number) * 10) / 10))
    .replace(/plot-[0-9a-f]{6}\b/g, "plot").replace(/plot-clip-\d+/g, "clip");
}

Deno.test("speedupByAcceptance() draws the fixture as it did (UPDATE=1 accepts a change)", async () => {
  const svg = normalise(speedupByAcceptance(await readFixture()));
  if (Deno.env.has("UPDATE")) await Deno.writeTextFile(SNAPSHOT, svg);
  assertEquals(svg, await Deno.readTextFile(SNAPSHOT));
});

Deno.test("the figure is a whole SVG file that names its fonts, its n and its machine", async () => {
  const { runs, rounds } = await readFixture();
  const svg = speedupByAcceptance({ runs, rounds });
  assert(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
  assertStringIncludes(svg, "DejaVu Sans");
  assertStringIncludes(svg, `n = ${runs.length / 2} pairs`);
  assertStringIncludes(svg, runs[0]!.cpu);
  assertEquals(svg.match(/<svg/g)!.length, svg.match(/<\/svg>/g)!.length);
});

Deno.test("renderPng() draws text: without its fonts the picture would be another", async () => {
  const svg = speedupByAcceptance(await readFixture());
  const png = renderPng(svg, { scale: 1 });
  const blank = renderPng(svg.replace(/<text[^]*?<\/text>/g, ""), { scale: 1 });
  assert(png.length > blank.length * 1.3);
});

Deno.test("without a pair that counts there is an error, not an empty figure", () => {
  assertThrows(() => speedupByAcceptance({ runs: [], rounds: [] }), RangeError, "no pair counts");
});
