/**
 * Where a row comes from: the machine, the code, the versions.
 *
 * @module
 */

import { cpus } from "node:os";
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { RecordError } from "./columns.ts";
import { readLines } from "./line_file.ts";

/** A machine, as `machine.json` tells it. What could not be read is null. */
export interface Machine {
  /** Folder name: brand, cores, the instruction set that matters most. */
  readonly id: string;
  /** Operating system: "linux", "darwin", "windows". */
  readonly os: string;
  /** Kernel release. */
  readonly osRelease: string;
  /** Instruction set architecture: "x86_64", "aarch64". */
  readonly architecture: string;
  /** Processor's brand. */
  readonly cpu: string;
  /** Logical processors. */
  readonly cores: number;
  /** Main memory in bytes. */
  readonly memoryBytes: number;
  /** Instruction sets that quantised matrix products use, strongest first. */
  readonly instructionSets: readonly string[] | null;
  /** Accelerator, or null if none was used. */
  readonly gpu: string | null;
}

/** The code that ran. */
export interface Code {
  /** Commit, or null outside a git repository. */
  readonly commit: string | null;
  /** Whether tracked files other than data and figures differ from it. */
  readonly dirty: boolean | null;
}

/** Versions of what computes and measures. */
export interface Versions {
  /** This package. */
  readonly specbound: string;
  /** Deno. */
  readonly deno: string;
  /** The pinned onnxruntime-node. */
  readonly onnxruntime: string;
}

/** What all rows of a machine's sweep have in common. */
export interface Origin {
  /** The machine. */
  readonly machine: Machine;
  /** The code. */
  readonly code: Code;
  /** The versions. */
  readonly versions: Versions;
}

/** Flags of `lscpu` that decide how fast quantised matrix products are, strongest first. */
const INSTRUCTION_SETS = [
  "amx_int8",
  "avx512_vnni",
  "avx_vnni",
  "avx512f",
  "avx2",
  "sve2",
  "i8mm",
  "asimddp",
];

/**
 * Where rows of this machine and this code come from.
 *
 * @param folder A folder inside the code's repository.
 * @returns Machine, code, versions.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals((await describeOrigin("/")).code.commit, null);
 * ```
 */
export async function describeOrigin(folder: string): Promise<Origin> {
  const [machine, code] = [await describeMachine(), await describeCode(folder)];
  return { machine, code, versions: describeVersions() };
}

/**
 * Writes a machine's description beside its rows.
 *
 * @param folder The machine's folder, which exists.
 * @param machine The machine.
 * @throws {RecordError} If the folder is that of a machine of the same name that need not run alike.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const [folder, machine] = [await Deno.makeTempDir(), await describeMachine()];
 * await writeMachine(folder, machine);
 * assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/machine.json`)), machine);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeMachine(folder: string, machine: Machine): Promise<void> {
  const known = await readMachine(folder);
  if (known) requireAlike([known, machine], folder);
  await Deno.writeTextFile(join(folder, "machine.json"), `${JSON.stringify(machine, null, 2)}\n`);
}

/**
 * Reads a machine's description.
 *
 * @param folder The machine's folder.
 * @returns The machine; null if none is described there, or its writer was killed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(await readMachine("no/such/folder"), null);
 * ```
 */
export async function readMachine(folder: string): Promise<Machine | null> {
  const { text, torn } = await readLines(join(folder, "machine.json"));
  return text && !torn ? JSON.parse(text) : null;
}

/**
 * Checks that machines of one name should run alike: cloud machines may call different processors the
 * same.
 *
 * @param machines The machines.
 * @param folder Where their rows would come together, for the message.
 * @throws {RecordError} If processor, cores or instruction sets differ.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * const machine = await describeMachine();
 * requireAlike([machine, { ...machine, osRelease: "another kernel" }], "data/records");
 * const other = { ...machine, instructionSets: ["other"] };
 * assertThrows(() => requireAlike([machine, other], "data/records"), Error, "other");
 * ```
 */
export function requireAlike(machines: readonly Machine[], folder: string): void {
  const kinds = new Set(
    machines.map(({ cpu, cores, architecture, instructionSets }) =>
      [cpu, `${cores} cores`, architecture, ...instructionSets ?? ["instruction sets unknown"]]
        .join(", ")
    ),
  );
  if (kinds.size < 2) return;
  throw new RecordError(
    `Cannot keep rows in ${folder} as they are of two machines of one name (${
      [...kinds].join("; ")
    }): keep each in a folder of records of its own`,
  );
}

/**
 * The machine this runs on.
 *
 * @returns Its description. Instruction sets come from `lscpu` and are null without it.
 *
 * @example
 * ```ts
 * import { assert, assertMatch } from "@std/assert";
 * const machine = await describeMachine();
 * assert(machine.cores >= 1);
 * assertMatch(machine.id, /^[a-z0-9-]+$/);
 * ```
 */
export async function describeMachine(): Promise<Machine> {
  const cpu = cpus()[0]?.model.trim() || "unknown";
  const cores = navigator.hardwareConcurrency;
  const flags = await output("lscpu", []);
  const instructionSets = flags === null
    ? null
    : INSTRUCTION_SETS.filter((name) => flags.split(/\s+/).includes(name));
  return {
    id: machineId(cpu, cores, instructionSets),
    os: Deno.build.os,
    osRelease: Deno.osRelease(),
    architecture: Deno.build.arch,
    cpu,
    cores,
    memoryBytes: Deno.systemMemoryInfo().total,
    instructionSets,
    gpu: null,
  };
}

/**
 * A short name for machines that should run alike.
 *
 * @param cpu The processor's brand.
 * @param cores Logical processors.
 * @param instructionSets Strongest first, or null if unknown.
 * @returns Lower-case words joined by hyphens.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(machineId("AMD EPYC", 2, ["avx512_vnni", "avx2"]), "amd-epyc-2c-avx512vnni");
 * assertEquals(
 *   machineId("AMD EPYC", 2, ["avx512_vnni", "avx_vnni", "avx2"]),
 *   "amd-epyc-2c-avx512vnni-avxvnni",
 * );
 * assertEquals(machineId("Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz", 12, null), "intel-core-i7-8700-12c");
 * ```
 */
export function machineId(
  cpu: string,
  cores: number,
  instructionSets: readonly string[] | null,
): string {
  const brand = cpu.toLowerCase()
    .replace(/\((r|tm)\)|@.*$|\b(cpu|processor|\d+-core|with .*)\b/g, " ")
    .replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const [strongest, next] = instructionSets ?? [];
  // Clouds call each of AMD's generations "AMD EPYC": what tells Zen 5 from Zen 4 is AVX-VNNI.
  const sets = strongest === "avx512_vnni" && next === "avx_vnni" ? [strongest, next] : [strongest];
  return [brand, `${cores}c`, ...sets.map((set) => set?.replaceAll("_", ""))].filter(Boolean)
    .join("-");
}

/**
 * The commit of the code in a folder.
 *
 * @param folder A folder inside the repository.
 * @returns The commit; nulls if there is no repository, or no git.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(await describeCode("/"), { commit: null, dirty: null });
 * ```
 */
export async function describeCode(folder: string): Promise<Code> {
  const commit = await output("git", ["-C", folder, "rev-parse", "HEAD"]);
  if (commit === null) return { commit: null, dirty: null };
  const changes = await output("git", [
    ...["-C", folder, "status", "--porcelain", "--untracked-files=no"],
    ...["--", ":/", ":(top,exclude)data", ":(top,exclude)figures", ":(top,exclude)notebooks"],
  ]);
  return { commit: commit.trim(), dirty: changes === null ? null : changes !== "" };
}

/**
 * Versions of this package and what it stands on.
 *
 * @returns The versions; those of npm packages as `deno.json` pins them.
 *
 * @example
 * ```ts
 * import { assertMatch } from "@std/assert";
 * assertMatch(describeVersions().onnxruntime, /^\d+\.\d+\.\d+$/);
 * ```
 */
export function describeVersions(): Versions {
  return {
    specbound: config.version,
    deno: Deno.version.deno,
    onnxruntime: config.imports["onnxruntime-node"].split("@").at(-1)!,
  };
}

/** A command's standard output, or null if it cannot be run or fails. */
async function output(command: string, args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch (error) {
    const absent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable;
    if (absent) return null;
    throw error;
  }
}
