import { assertEquals, assertGreater } from "@std/assert";
import { join } from "node:path";

/** Data flows this way, and imports only point to where it comes from. */
const ORDER = [
  "models onnx",
  "engine",
  "decoding",
  "study",
  "analysis",
  "advice",
  "figures",
  "notebook",
  "cli",
];

/** Files that everyone may import, and that import none but each other. */
const OPEN = ["lib/random.ts", "lib/validate.ts"];

/** Packages and the only folders that may import them. */
const RESERVED: readonly { packages: RegExp; folders: RegExp; who: string }[] = [
  {
    packages: /^(npm:)?onnxruntime-/,
    folders: /^(lib|tests)\/onnx\//,
    who: "lib/onnx",
  },
  {
    packages: /^(npm:)?(@observablehq\/plot|linkedom|jsdom|@resvg\/)/,
    folders: /^(lib|tests)\/(figures|notebook)\//,
    who: "lib/figures and lib/notebook",
  },
];

/** What each file imports: by statement, by re-export, or when it runs. Doc comments do not count. */
function importsOf(source: string): string[] {
  const statements = /^(?:import|export)\b(?:[^;"']*?\bfrom)?\s*["']([^"']+)["']/gm;
  const calls = /^(?!\s*(?:\*|\/\/)).*?\b(?:import|require|resolve)\(\s*["']([^"']+)["']/gm;
  return [statements, calls].flatMap((pattern) =>
    [...source.matchAll(pattern)].map((match) => match[1]!)
  );
}

/** The place of a file in the order, −1 if all may import it, or undefined if it has none. */
function rankOf(path: string): number | undefined {
  if (OPEN.includes(path)) return -1;
  const folder = path.match(/^(?:lib\/([^/]+)\/|(cli)\/)/);
  if (!folder) return undefined;
  const rank = ORDER.findIndex((names) => names.split(" ").includes(folder[1] ?? folder[2]!));
  return rank < 0 ? undefined : rank;
}

/** Everything that breaks the rules, given the sources by path. */
function violations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, source]) => {
    const imported = importsOf(source);
    return [...misplaced(path), ...reserved(path, imported), ...backwards(path, imported)];
  });
}

function misplaced(path: string): string[] {
  const wrong: string[] = [];
  if (/^lib\/(.*\/)?utils?[/.]/.test(path)) wrong.push(`${path} says nothing by its name`);
  if (path.startsWith("lib/") && rankOf(path) === undefined) {
    wrong.push(`${path} has no place in the order`);
  }
  return wrong;
}

function reserved(path: string, imported: readonly string[]): string[] {
  return RESERVED.flatMap(({ packages, folders, who }) =>
    imported.filter((specifier) => packages.test(specifier) && !folders.test(path))
      .map((specifier) => `${path} imports ${specifier}, which is left to ${who}`)
  );
}

function backwards(path: string, imported: readonly string[]): string[] {
  const rank = rankOf(path);
  if (rank === undefined) return [];
  return imported.flatMap((specifier) => {
    const target = resolve(path, specifier);
    if (target === "mod.ts" && path.startsWith("lib/")) return [`${path} imports mod.ts`];
    const from = target === undefined ? undefined : rankOf(target);
    return from !== undefined && from > rank ? [`${path} imports ${target}, backwards`] : [];
  });
}

/** The path that a specifier of this repository means; undefined for packages. */
function resolve(path: string, specifier: string): string | undefined {
  if (specifier === "@specbound/specbound") return "mod.ts";
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

/** The TypeScript sources under a folder, by path from the root of the repository. */
async function sources(folder: string): Promise<[string, string][]> {
  const root = join(import.meta.dirname!, "..");
  const found: [string, string][] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await sources(path));
    else if (name.endsWith(".ts")) found.push([path, await Deno.readTextFile(join(root, path))]);
  }
  return found;
}

Deno.test("imports keep to the order of the layers, and packages to their folders", async () => {
  const files = new Map((await Promise.all(["lib", "cli", "tests"].map(sources))).flat());
  files.delete("tests/imports_test.ts"); // it quotes violations
  assertGreater(files.size, 20);
  assertEquals(violations(files), []);
});

const planted: readonly [string, string, string][] = [
  ["a type from a later layer", "lib/engine/a.ts", `import type { B } from "../decoding/b.ts";`],
  ["a re-export of a later layer", "lib/models/a.ts", `export * from "../study/b.ts";`],
  ["an import over several lines", "lib/study/a.ts", `import {\n  b,\n} from "../analysis/b.ts";`],
  ["an import for its effect", "lib/onnx/a.ts", `import "../engine/b.ts";`],
  ["an import when it runs", "lib/figures/a.ts", `  const b = await import("../notebook/b.ts");`],
  ["a tool from the library", "lib/notebook/a.ts", `import { b } from "../../cli/b.ts";`],
  ["an open file that is not", "lib/random.ts", `import { b } from "./models/b.ts";`],
  ["the library's own face", "lib/study/a.ts", `import { b } from "@specbound/specbound";`],
  ["the same by path", "lib/study/a.ts", `import { b } from "../../mod.ts";`],
  ["the runtime outside its folder", "lib/engine/a.ts", `import o from "onnxruntime-node";`],
  ["the runtime in tests of others", "tests/engine/a.ts", `import o from "npm:onnxruntime-node";`],
  ["the runtime by its path", "cli/a.ts", `const at = require.resolve("onnxruntime-node");`],
  ["plots outside figures", "lib/analysis/a.ts", `import * as Plot from "@observablehq/plot";`],
  ["a DOM outside figures", "cli/a.ts", `import { parseHTML } from "linkedom";`],
  ["a file called utils", "lib/decoding/utils.ts", ""],
  ["a folder called util", "lib/decoding/util/a.ts", ""],
  ["a folder without a place", "lib/shared/a.ts", ""],
];

for (const [what, path, source] of planted) {
  Deno.test(`the check of imports notices ${what}`, () => {
    assertEquals(violations(new Map([[path, source]])).length, 1);
  });
}

const allowed: readonly [string, string, string][] = [
  ["an earlier layer", "lib/study/a.ts", `import { b } from "../decoding/drafters/b.ts";`],
  ["the same layer", "lib/models/a.ts", `import { b } from "../onnx/b.ts";\nimport "./c.ts";`],
  ["an open file", "lib/models/a.ts", `import { stream } from "../random.ts";`],
  ["what a doc comment shows", "lib/engine/a.ts", ` * import { b } from "@specbound/specbound";`],
  ["the runtime in its folder", "lib/onnx/a.ts", `import o from "onnxruntime-node";`],
  ["plots in figures", "lib/figures/a.ts", `import * as Plot from "@observablehq/plot";`],
  ["a later layer in tests", "tests/engine/a.ts", `import { b } from "../../lib/figures/b.ts";`],
];

for (const [what, path, source] of allowed) {
  Deno.test(`the check of imports allows ${what}`, () => {
    assertEquals(violations(new Map([[path, source]])), []);
  });
}
