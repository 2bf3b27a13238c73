/**
 * What a cell shows: in a notebook its outputs, elsewhere text.
 *
 * @module
 */

import { renderPng } from "../figures/render.ts";

/** Contents by MIME type; text/plain is what is left where nothing else can be shown. */
export type MimeBundle = Readonly<Record<string, string>> & { readonly "text/plain": string };

/** How to show it. */
export interface ShowOptions {
  /** Facts about the contents, by MIME type. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Names the output, so that a later call can replace it. */
  readonly id?: string;
  /** Replaces the output of that name. */
  readonly update?: boolean;
}

/** As much of `Deno.jupyter` as is used here; the kernel alone has it. */
interface Jupyter {
  broadcast(type: string, content: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Milliseconds within which the kernel passes an output on: at the end of a cell it could be lost. */
const PAUSE = 15;

/**
 * Shows a bundle. A cell should end in a call of this, not in an expression: the Deno kernel may report
 * that a cell is done before its last value has left.
 *
 * @param bundle The contents.
 * @param options Metadata; a name to update.
 *
 * @example
 * ```ts
 * await show({ "text/plain": "shown on the console outside a notebook" });
 * ```
 */
export async function show(bundle: MimeBundle, options: ShowOptions = {}): Promise<void> {
  const { metadata = {}, id, update = false } = options;
  const jupyter = kernel();
  if (!jupyter) return console.log(bundle["text/plain"]);
  const transient = id === undefined ? {} : { display_id: id };
  const type = update ? "update_display_data" : "display_data";
  await jupyter.broadcast(type, { data: bundle, metadata, transient });
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/**
 * Shows Markdown.
 *
 * @param text The Markdown.
 *
 * @example
 * ```ts
 * await showMarkdown("S = **1.77**");
 * ```
 */
export async function showMarkdown(text: string): Promise<void> {
  await show({ "text/markdown": text, "text/plain": text });
}

/**
 * Shows a figure as a PNG of twice its size: untrusted notebooks and GitHub show no other kind alike.
 *
 * @param svg The text of an SVG file, with its width and height.
 *
 * @example
 * ```ts
 * await showFigure('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8" aria-label="A"/>');
 * ```
 */
export async function showFigure(svg: string): Promise<void> {
  const attribute = (name: string) => new RegExp(`^<svg[^>]* ${name}="([^"]*)"`).exec(svg)?.[1];
  const [width, height] = [Number(attribute("width")), Number(attribute("height"))];
  await show(
    {
      "image/png": renderPng(svg, { scale: 2 }).toBase64(),
      "text/plain": `[figure] ${attribute("aria-label") ?? ""}`,
    },
    { metadata: { "image/png": { width, height } } },
  );
}

/**
 * Whether this runs in a notebook.
 *
 * @returns Whether outputs go to cells.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(!inNotebook());
 * ```
 */
export function inNotebook(): boolean {
  return kernel() !== undefined;
}

function kernel(): Jupyter | undefined {
  try {
    return Reflect.get(Deno, "jupyter") as Jupyter | undefined;
  } catch {
    return undefined; // outside the kernel the property throws when it is read
  }
}
