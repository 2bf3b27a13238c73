/**
 * From a Plot to files: a document without a browser, a framed SVG, a PNG.
 *
 * @module
 */

import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import { parseHTML } from "linkedom";
import { FONT, INK, SIZE } from "./theme.ts";

/** As much of an SVG element as is used here; the DOM's own types are not loaded. */
export interface SvgElement {
  /** The element as text. */
  readonly outerHTML: string;
  /** An attribute's value. */
  getAttribute(name: string): string | null;
  /** Sets an attribute. */
  setAttribute(name: string, value: string): void;
}

/** As much of a document as is used here. */
export interface SvgDocument {
  /** Makes an element. */
  createElement(name: string): { readonly tagName: string };
}

/** Words around a figure. */
export interface Frame {
  /** What it shows, in one line. */
  readonly title: string;
  /** How to read it: lines under the title. */
  readonly subtitle: readonly string[];
  /** Where it comes from: lines at the foot. */
  readonly caption: readonly string[];
  /** Width in pixels. */
  readonly width: number;
}

/**
 * A document for Plot to draw in.
 *
 * @returns An empty document of linkedom.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(createDocument().createElement("p").tagName, "P");
 * ```
 */
export function createDocument(): SvgDocument {
  const page = parseHTML("<!doctype html><html></html>") as unknown as { document: SvgDocument };
  return page.document;
}

/**
 * Sets plots, one under the other, between a title and a caption.
 *
 * @param plots SVG elements of Plot, made with `figure: false`; or one.
 * @param frame The words.
 * @returns A whole SVG file: it declares its name spaces, its fonts and its ground.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import * as Plot from "@observablehq/plot";
 * const plot = Plot.plot({ document: createDocument(), marks: [Plot.frame()] });
 * const svg = frameSvg(plot, { title: "Empty", subtitle: [], caption: ["n = 0"], width: 640 });
 * assertStringIncludes(svg, '<svg xmlns="http://www.w3.org/2000/svg"');
 * ```
 */
export function frameSvg(plots: SvgElement | readonly SvgElement[], frame: Frame): string {
  const { title, subtitle, caption, width } = frame;
  const step = SIZE.text * 1.45;
  const top = 30 + subtitle.length * step;
  const stack = [plots].flat() as SvgElement[];
  let foot = top;
  for (const plot of stack) {
    plot.setAttribute("y", String(foot));
    foot += Number(plot.getAttribute("height"));
  }
  const height = Math.ceil(foot + 14 + caption.length * step);
  const line = (text: string, y: number, size: number, style: string) =>
    `<text x="14" y="${y.toFixed(1)}" font-size="${size}" ${style}>${escapeText(text)}</text>`;
  const words = [
    line(title, 22, SIZE.title, `font-weight="bold" fill="${INK.text}"`),
    ...subtitle.map((text, i) => line(text, 24 + (i + 1) * step, SIZE.text, `fill="${INK.quiet}"`)),
    ...caption.map((text, i) =>
      line(text, foot + (i + 1) * step, SIZE.small, `fill="${INK.quiet}"`)
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" role="img" aria-label="${
      escapeText(title)
    }">`,
    `<rect width="${width}" height="${height}" fill="${INK.ground}"/>`,
    ...words,
    countClips(stack.map((plot) => plot.outerHTML).join("\n")),
    "</svg>",
    "",
  ].join("\n");
}

/** Plot counts clip paths over all that a process draws; so that a figure is the same again, by figure. */
function countClips(svg: string): string {
  const ids = new Map<string, string>();
  return svg.replace(/plot-clip-\d+/g, (id) => {
    if (!ids.has(id)) ids.set(id, `clip-${ids.size + 1}`);
    return ids.get(id)!;
  });
}

/**
 * Draws an SVG as a PNG, with the fonts that come with this package's dependencies.
 *
 * @param svg The file's text.
 * @param options Pixels per unit. Default 2.
 * @returns The PNG's bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const png = renderPng('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
 * assertEquals(new TextDecoder().decode(png.subarray(1, 4)), "PNG");
 * ```
 */
export function renderPng(
  svg: string,
  { scale = 2 }: { readonly scale?: number } = {},
): Uint8Array {
  return new Resvg(svg, { fitTo: { mode: "zoom", value: scale }, font: fontOptions() })
    .render().asPng();
}

/**
 * Fonts for resvg: those of this package's dependencies, so that a figure looks alike everywhere.
 *
 * @returns Its options; the system's fonts are left alone.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(fontOptions().fontFiles.length, 2);
 * ```
 */
export function fontOptions() {
  const { resolve } = createRequire(import.meta.url);
  const fontFiles = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]
    .map((file) => resolve(`dejavu-fonts-ttf/ttf/${file}`));
  const family = "DejaVu Sans";
  return { fontFiles, loadSystemFonts: false, defaultFontFamily: family, sansSerifFamily: family };
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
