/**
 * What every figure must hold.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Resvg } from "@resvg/resvg-js";
import { fontOptions } from "../../lib/figures/render.ts";

/** Asserts that a figure is drawn as it was; UPDATE=1 accepts a change. */
export async function assertSnapshot(name: string, svg: string): Promise<void> {
  // Not named .svg: `deno fmt` would reformat it.
  const file = new URL(`./${name}.svg.txt`, import.meta.url);
  const drawn = normalise(svg);
  if (Deno.env.has("UPDATE")) await Deno.writeTextFile(file, drawn);
  assertEquals(drawn, await Deno.readTextFile(file));
}

/** Asserts that no word lies over the edge of a figure. */
export function assertWordsInside(svg: string): void {
  const words = svg.replace(/<(rect|path|circle|line)\b[^>]*>/g, "")
    .replace(/ (clip-path|stroke)="[^"]*"/g, "");
  const { width, height } = new Resvg(svg);
  const box = new Resvg(words, { font: fontOptions() }).getBBox()!;
  assert(box.x >= 0 && box.y >= 0, `${box.x}, ${box.y}`);
  assert(box.x + box.width <= width, `${box.x + box.width} of ${width}`);
  assert(box.y + box.height <= height, `${box.y + box.height} of ${height}`);
}

/** Coordinates to a tenth, and no class names that Plot draws by chance. */
function normalise(svg: string): string {
  return svg.replace(/-?\d+\.\d+/g, (number) => String(Math.round(Number(number) * 10) / 10))
    .replace(/plot-[0-9a-f]{6}\b/g, "plot").replace(/\bclip-\d+/g, "clip");
}
