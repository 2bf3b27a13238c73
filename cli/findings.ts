/**
 * `deno task findings`: what the records say, written into docs/findings.md and the README.
 *
 * @module
 */

import { join } from "node:path";
import { judgeClaims } from "../lib/analysis/claims/judge.ts";
import { type Evidence, fullestStudy, readEvidence } from "../lib/analysis/evidence.ts";
import { boundaryMap } from "../lib/figures/boundary_map.ts";
import { speedupByAcceptance } from "../lib/figures/speedup_by_acceptance.ts";
import { speedupByContext } from "../lib/figures/speedup_by_context.ts";
import { CONTEXT_STUDY } from "../lib/study/presets.ts";
import { parseArguments } from "./arguments.ts";
import { type Blocks, FindingsError, readmeBlocks, STUDY } from "./findings_blocks.ts";
import { findingsPage } from "./findings_page.ts";
import { report } from "./report.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** Set acceptance at which the README shows what context does. */
const ACCEPTANCE = 0.7;

const SPECIFICATION = {
  command: "deno task findings",
  summary:
    "Judges every claim by the records, and writes docs/findings.md and the README's blocks.",
  flags: {
    check: { type: "boolean", description: "write nothing, and fail if a file is not up to date" },
    data: { type: "string", default: "data", description: "folder of records" },
    readme: { type: "string", default: "README.md", description: "file with blocks to fill" },
    page: { type: "string", default: "docs/findings.md", description: "file to write" },
    figures: {
      type: "string",
      default: "docs/figures",
      description: "folder of the README's figures",
    },
  },
} as const;

/** Where findings are read from and written to. */
export interface FindingsFiles {
  /** Folder of records. */
  readonly data: string;
  /** File with blocks to fill. */
  readonly readme: string;
  /** File to write. */
  readonly page: string;
  /** Folder of the README's figures. */
  readonly figures: string;
}

/**
 * Writes findings, or checks that they are written.
 *
 * @param files The paths.
 * @param options Whether to check only.
 * @throws {FindingsError} If a file is not up to date, the README lacks a block, or a number of its
 * findings stands outside of one.
 */
export async function writeFindings(
  { data, readme, page, figures }: FindingsFiles,
  { check = false }: { readonly check?: boolean } = {},
): Promise<void> {
  const evidence = await readEvidence(data);
  const findings = judgeClaims(evidence);
  const before = await Deno.readTextFile(readme);
  requireNoLooseNumbers(before, readme);
  const texts = [
    [readme, await format(fillBlocks(before, readmeBlocks(evidence, findings), readme))],
    [page, await format(findingsPage(evidence, findings))],
    ...drawFindings(evidence).map(([name, svg]) => [join(figures, name), svg] as const),
  ] as const;
  for (const [file, text] of texts) {
    if (!check) await Deno.writeTextFile(file, text);
    else requireEqual(file, await readIfThere(file), text);
  }
}

/** The README's figures by file name, of what there are rows for. */
function drawFindings(evidence: Evidence): [string, string][] {
  const figures: [string, string][] = [];
  const quick = fullestStudy(evidence, STUDY);
  if (quick) figures.push(["speedup_by_acceptance.svg", speedupByAcceptance(quick.records)]);
  const { costs = [] } = evidence.machines.find(({ costs }) => costs.length > 0) ?? {};
  const target = costs.find(({ kind, width }) => kind === "pass" && width > 2); // not a draft
  if (target) {
    const { model } = target;
    figures.push(["boundary_map.svg", boundaryMap(costs, evidence.traces, { model })]);
  }
  const contexts = fullestStudy(evidence, CONTEXT_STUDY);
  if (contexts) {
    const shown = { acceptances: [ACCEPTANCE] };
    figures.push(["speedup_by_context.svg", speedupByContext(contexts.records, shown)]);
  }
  return figures;
}

/**
 * Fills the blocks between `<!-- findings:NAME -->` and `<!-- /findings -->`.
 *
 * @param text The file's text.
 * @param blocks The blocks.
 * @param file The file's name, for messages.
 * @returns The text, filled.
 * @throws {FindingsError} If a block is missing, or one that is there has no such name.
 */
export function fillBlocks(text: string, blocks: Blocks, file: string): string {
  const found = new Set<string>();
  const filled = text.replace(BLOCK, (_, name: string) => {
    if (!(name in blocks)) {
      throw new FindingsError(
        `Cannot fill ${file} as there is no block ${name}: name one of ${
          Object.keys(blocks).join(", ")
        }`,
      );
    }
    found.add(name);
    return `<!-- findings:${name} -->\n\n${blocks[name as keyof Blocks]}\n\n<!-- /findings -->`;
  });
  const missing = Object.keys(blocks).filter((name) => !found.has(name));
  if (missing.length === 0) return filled;
  throw new FindingsError(
    `Cannot fill ${file} as it has no block ${missing.join(", ")}: add <!-- findings:${
      missing[0]
    } --> and <!-- /findings -->`,
  );
}

const BLOCK = /<!-- findings:(\w+) -->[^]*?<!-- \/findings -->/g;

/** The section that must be generated, from its heading to the next. */
const SECTION = /^## What was found$[^]*?(?=^## )/m;

function requireNoLooseNumbers(text: string, file: string): void {
  const section = text.match(SECTION)?.[0] ?? "";
  const loose = section.replace(BLOCK, "").match(/.*\d.*/)?.[0];
  if (loose === undefined) return;
  throw new FindingsError(
    `Cannot accept ${file} as a number stands outside of a findings block: “${loose.trim()}”; move it into cli/findings_blocks.ts`,
  );
}

function requireEqual(file: string, before: string, after: string): void {
  if (before === after) return;
  const [was, is] = [before, after].map((text) => text.split("\n"));
  const line = is!.findIndex((text, i) => text !== was![i]);
  throw new FindingsError(
    `Cannot accept ${file} as line ${
      line + 1
    } is not what the records say: run deno task findings\n  on file: ${was![line]}\n  records: ${
      is![line]
    }`,
  );
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** As `deno fmt` leaves it, so that generated files pass the check of formats. */
async function format(markdown: string): Promise<string> {
  const args = ["fmt", "--quiet", "--config", join(ROOT, "deno.json"), "--ext", "md", "-"];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { success, stdout } = await child.output();
  if (success) return new TextDecoder().decode(stdout);
  throw new FindingsError("Cannot format findings as deno fmt failed: see above");
}

if (import.meta.main) {
  const { flags } = parseArguments(SPECIFICATION, Deno.args);
  await report(async () => {
    const { data, readme, page, figures, check } = flags;
    await writeFindings({ data, readme, page, figures }, { check });
    const files = `${readme}, ${page} and ${figures}`;
    console.log(check ? `${files} are up to date` : `Wrote ${files}`);
  });
}
