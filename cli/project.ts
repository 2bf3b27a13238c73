/**
 * `deno task project`: where speculation would pay on other processors.
 *
 * @module
 */

import { join } from "node:path";
import { passesOfCosts, passesOfRounds } from "../lib/analysis/measured_passes.ts";
import {
  type ComparedSpeedup,
  comparePublished,
  publishedEfficiencies,
  publishedPasses,
} from "../lib/analysis/published.ts";
import { projectBoundaries, type ProjectedBoundary } from "../lib/analysis/projection.ts";
import {
  type Efficiencies,
  fitEfficiencies,
  holdOut,
  type TimedPass,
} from "../lib/analysis/roofline.ts";
import { median } from "../lib/analysis/statistics.ts";
import { alignRows } from "../lib/analysis/table.ts";
import { findShape } from "../lib/models/shapes.ts";
import { readCostRows } from "../lib/study/cost_records.ts";
import { type HardwarePart, readHardware } from "../lib/study/hardware.ts";
import { readPublished } from "../lib/study/published.ts";
import { readRounds, readRuns } from "../lib/study/records.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { report } from "./report.ts";

const SPECIFICATION = {
  command: "deno task project",
  summary: "Projects where speculation pays on other processors, and shows how far off it is.",
  flags: {
    target: { type: "string", default: "shape:llama-3.1-8b", description: "a published shape" },
    draft: { type: "string", default: "shape:llama-3.2-1b", description: "a published shape" },
    format: {
      type: "string",
      choices: ["fp16", "int8", "int4"],
      default: "int4",
      description: "how weights are stored; processor cores were measured in int8 and int4",
    },
    alpha: { type: "number", default: 0.7, description: "α of the best K and of S" },
    machine: {
      type: "string",
      default: "amd-epyc-2c-avx512vnni",
      description: "the machine whose records the efficiencies of processor cores are fitted to",
    },
    data: { type: "string", default: "data", description: "folder of hardware and records" },
  },
} as const;

type Flags = ReturnType<typeof parseArguments<typeof SPECIFICATION>>["flags"];

async function project(flags: Flags): Promise<void> {
  const read = (name: string) => Deno.readTextFile(join(flags.data, name));
  const parts = readHardware(await read("hardware.csv"));
  const measured = findPart(parts, flags.machine);
  const passes = await readPasses(join(flags.data, "records", flags.machine));
  const efficiencies = {
    cpu: fitEfficiencies(passes, measured),
    gpu: publishedEfficiencies(parts),
  };
  console.log("Efficiencies: shares of published peaks");
  printFit(`cpu, measured on ${flags.machine}`, efficiencies.cpu, passes, measured);
  const h100 = findPart(parts, "h100-sxm");
  printFit("gpu, SpecDecode-Bench's line of an H100", efficiencies.gpu, publishedPasses(), h100);

  console.log(`\nPROJECTION, not measured: ${flags.target} with ${flags.draft}, ${flags.format}`);
  // Processor cores were not measured in every format.
  const projected = parts.filter((part) =>
    part !== measured && efficiencies[part.kind].compute[flags.format] !== undefined
  );
  const rows = projectBoundaries(projected, {
    target: findShape(flags.target).architecture,
    draft: findShape(flags.draft).architecture,
    format: flags.format,
    alpha: flags.alpha,
    efficiencies,
  });
  console.log(alignRows([BOUNDARY_HEAD, ...rows.map(boundaryCells)], isName).join("\n"));
  console.log(
    `α: least acceptance that pays, at 1K and 8K. K and S: the best at α = ${flags.alpha}`,
  );

  console.log("\nPROJECTION beside what others measured");
  const compared = comparePublished(
    readPublished(await read("published.csv")),
    parts,
    efficiencies,
  );
  console.log(alignRows([COMPARED_HEAD, ...compared.map(comparedCells)], isName).join("\n"));
  console.log("τ: what the measured S takes at the projected costs. * S is above the reported τ");
  console.log("published.csv says where each was reported, and what its projection assumes");
  console.log(`Error of S: ${summary(compared.map(({ error }) => error))}`);
  console.log(`Error of T_p: ${summary(compared.map(({ passError }) => passError))}`);
}

function findPart(parts: readonly HardwarePart[], id: string): HardwarePart {
  const part = parts.find((part) => part.id === id);
  if (part) return part;
  throw new ArgumentError(`Cannot project from ${id} as hardware.csv has no such part: add a row`);
}

/** Passes of the cost layer, or of decoding where that was not measured. */
async function readPasses(folder: string): Promise<TimedPass[]> {
  const read = (name: string) => Deno.readTextFile(join(folder, name));
  try {
    return passesOfCosts(fastest(readCostRows(await read("costs.csv"))));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const [runs, rounds] = [readRuns(await read("runs.csv")), readRounds(await read("rounds.csv"))];
    return passesOfRounds({ runs: fastest(runs), rounds });
  }
}

/** Rows of the engine's best: all threads, and passes not padded to agree to the bit. */
function fastest<Row extends { readonly exact: boolean; readonly threads: number }>(
  rows: readonly Row[],
): Row[] {
  const threads = Math.max(...rows.map((row) => row.threads));
  return rows.filter((row) => !row.exact && row.threads === threads);
}

function printFit(
  name: string,
  efficiencies: Efficiencies,
  passes: readonly TimedPass[],
  part: HardwarePart,
): void {
  const reach = (of: "width" | "context") => {
    const values = passes.map((pass) => pass[of]);
    return `${of} ${Math.min(...values)} to ${Math.max(...values)}`;
  };
  const errors = holdOut(passes, part, ({ width }) => width).map(({ error }) => error);
  console.log(`  ${name}: ${show(efficiencies)}`);
  console.log(`    ${reach("width")}, ${reach("context")}; by width, held out: ${summary(errors)}`);
}

function summary(errors: readonly (number | null)[]): string {
  const sizes = errors.filter((error) => error !== null).map(Math.abs);
  return `${sizes.length}, median ${percent(median(sizes))}, worst ${percent(Math.max(...sizes))}`;
}

function show({ memory, compute, attention, launchMs }: Efficiencies): string {
  const share = (value: number) => value === Infinity ? "hidden" : percent(value);
  const products = Object.entries(compute).map(([format, value]) => `${format} ${share(value)}`);
  return [
    `memory ${share(memory)}`,
    ...products,
    `attention ${share(attention)}`,
    `${(1000 * launchMs).toFixed(0)} µs a layer`,
  ].join(", ");
}

const BOUNDARY_HEAD = [
  "part",
  "market",
  "T_p ms",
  "c",
  "v(5)",
  "α 1K",
  "α 8K",
  "K",
  "S B=1",
  "B=8",
  "B=32",
  "fits",
];

function boundaryCells(row: ProjectedBoundary): string[] {
  const { part, passMs, c, v, breakEven, speedups, fits } = row;
  return [
    part.id,
    part.market,
    passMs.toFixed(1),
    c.toFixed(2),
    v.toFixed(2),
    ...breakEven.map(({ alpha }) => alpha === Infinity ? "never" : alpha.toFixed(2)),
    String(speedups[0]!.draftLength),
    ...speedups.map(({ speedup }) => speedup.toFixed(2)),
    fits === null ? "" : fits ? "yes" : "no",
  ];
}

const COMPARED_HEAD = [
  "target",
  "draft",
  "part",
  "B",
  "n",
  "K",
  "T_p ms",
  "error",
  "c",
  "v",
  "τ",
  "projected",
  "measured",
  "error",
];

function comparedCells(
  { reported, passMs, passError, c, v, tau, predicted, error, impliedTau }: ComparedSpeedup,
): string[] {
  const { target, draft, part, devices, batch, context, draftLength, speedup } = reported;
  const share = (value: number | null) => value === null ? "" : percent(value);
  return [
    target,
    draft,
    devices === 1 ? part : `${devices} × ${part}`,
    String(batch),
    String(context),
    String(draftLength),
    passMs.toFixed(1),
    share(passError),
    c.toFixed(2),
    v.toFixed(2),
    impliedTau.toFixed(1),
    predicted?.toFixed(2) ?? "",
    `${speedup.toFixed(2)}${tau !== null && speedup > tau ? "*" : " "}`,
    share(error),
  ];
}

/** The first column names a row; all others are numbers. */
function isName(column: number): boolean {
  return column === 0;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

if (import.meta.main) {
  const { flags } = parseArguments(SPECIFICATION, Deno.args);
  await report(() => project(flags));
}
