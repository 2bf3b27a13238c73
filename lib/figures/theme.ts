/**
 * How figures look: a white ground, one type face, colours that colour-blind readers tell apart.
 *
 * @module
 */

/** Fonts, the one that the PNG is drawn with first. */
export const FONT = "DejaVu Sans, Verdana, sans-serif";

/** Colours of text, rules and grounds. */
export const INK = {
  text: "#1a1a1a",
  quiet: "#5f6368",
  rule: "#d9dce0",
  ground: "#ffffff",
  shade: "#f3f1ee",
} as const;

/** Colours of a few ordered series (Okabe and Ito 2008). */
export const SERIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"] as const;

/** Colours of precisions, apart from those of series (Tol's high-contrast scheme, yellow darkened). */
export const PRECISIONS: Readonly<Record<string, string>> = {
  fp32: "#004488",
  int8: "#bb5566",
  int4: "#b88600",
};

/** Around text that lies over lines. */
export const HALO = { stroke: INK.ground, strokeWidth: 3, strokeOpacity: 0.8 } as const;

/** Sizes of text in pixels. */
export const SIZE = { title: 16, text: 11.5, small: 10.5 } as const;
