/**
 * `deno task models`: what models there are, and getting them.
 *
 * @module
 */

import { cacheDirectory } from "../lib/models/cache.ts";
import { catalog, type CatalogEntry, findModel, UnknownModelError } from "../lib/models/catalog.ts";
import { fetchModel } from "../lib/models/fetch.ts";
import {
  findShape,
  isShape,
  type ModelShape,
  parameterCount,
  ShapeOnlyError,
  shapes,
} from "../lib/models/shapes.ts";
import { removeStored, storedModel } from "../lib/models/stored.ts";
import { parseArguments } from "./arguments.ts";
import { progress } from "./progress.ts";
import { report } from "./report.ts";

const defaultModel = catalog[0]!.id;

const specification = {
  command: "deno task models",
  summary: "Lists the models, fetches one, says where it lies, or removes what was fetched.",
  positionals: [
    {
      name: "action",
      description: "what to do; list if left out",
      optional: true,
      choices: ["list", "fetch", "path", "clean"],
    },
    {
      name: "model",
      description: "a name from the list, or the path of a .gguf file; if left out, " +
        `${defaultModel} is fetched, and all are listed or cleaned away`,
      optional: true,
    },
  ],
  flags: {
    cache: {
      type: "string",
      description: "the cache directory; else SPECBOUND_CACHE or the system says which",
    },
  },
} as const;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

const parameters = ({ architecture }: ModelShape) => {
  const count = parameterCount(architecture);
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} M` : `${(count / 1e9).toFixed(2)} B`;
};

/** The catalogue's entry of that name, or all. */
function entriesOf(model: string | undefined): readonly CatalogEntry[] {
  if (model === undefined) return catalog;
  const entry = findModel(model);
  // A file that lies elsewhere is not the cache's to list, and not at all to remove.
  if (typeof entry === "string") throw new UnknownModelError(entry);
  return [entry];
}

function list(model: string | undefined, cache: string): void {
  if (model !== undefined && isShape(model)) return listShapes([findShape(model)]);
  for (const entry of entriesOf(model)) {
    const { path, state, bytes } = storedModel(entry, cache);
    const size = state === "partial" ? `, ${megabytes(bytes)} so far` : "";
    console.log(`${entry.id}  ${megabytes(entry.bytes)}  ${entry.licence}  ${state}${size}`);
    console.log(`  ${entry.description}`);
    console.log(`  ${path}`);
  }
  if (model !== undefined) return;
  console.log("\nShapes with random weights, without a tokenizer: to measure costs");
  listShapes(shapes);
}

function listShapes(shapes: readonly ModelShape[]): void {
  for (const shape of shapes) {
    const { layers, hidden, contextLength } = shape.architecture;
    const length = contextLength.toLocaleString("en-GB");
    console.log(
      `${shape.id}  ${parameters(shape)} parameters  ` +
        `${layers} layers of ${hidden}, context ${length}`,
    );
  }
}

/** A shape has no file to fetch, find or remove. */
function requireFile(model: string, action: string): void {
  if (isShape(model)) throw new ShapeOnlyError(findShape(model).id, `${action} a file of`);
}

function clean(model: string | undefined, cache: string): void {
  const bytes = entriesOf(model).reduce((sum, entry) => sum + removeStored(entry, cache), 0);
  console.log(`Removed ${megabytes(bytes)}`);
}

function pathOf(model: string, cache: string): string {
  const entry = findModel(model);
  return typeof entry === "string" ? entry : storedModel(entry, cache).path;
}

async function fetch(model: string, cache: string, signal: AbortSignal): Promise<string> {
  const bar = progress(`Fetching ${model}`);
  try {
    return await fetchModel(model, {
      cache,
      signal,
      onProgress: ({ source, received, total }) =>
        bar.update(received, total, `${megabytes(received)} from ${source}`),
    });
  } finally {
    bar.end();
  }
}

if (import.meta.main) {
  const { flags, positionals } = parseArguments(specification, Deno.args);
  const [action = "list", model] = positionals;
  await report(async (signal) => {
    const cache = flags.cache ?? cacheDirectory();
    if (action !== "list") requireFile(model ?? defaultModel, action);
    if (action === "list") list(model, cache);
    if (action === "clean") clean(model, cache);
    if (action === "path") console.log(pathOf(model ?? defaultModel, cache));
    if (action === "fetch") console.log(await fetch(model ?? defaultModel, cache, signal));
  });
}
