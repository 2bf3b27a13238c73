/**
 * The rows a notebook stands on: which, from where, and whether they can be trusted.
 *
 * @module
 */

import { join } from "node:path";
import { checkIdentities } from "../analysis/identities.ts";
import { joinPairs, pairCounts } from "../analysis/pairs.ts";
import { type Machine, readMachine } from "../study/provenance.ts";
import { RecordError } from "../study/columns.ts";
import type { Records, RunRecord } from "../study/records.ts";
import { readRecords } from "../study/store.ts";

/** Standard errors that a replay's acceptance may lie off what was asked; chance exceeds it 1 in 16,000. */
const MOST_ERRORS = 4;

/** Columns and the values that rows must have. */
export type RowFilter = Readonly<Partial<Record<keyof RunRecord, RunRecord[keyof RunRecord]>>>;

/** A machine's description and its rows. */
export interface MachineRecords {
  /** The machine. */
  readonly machine: Machine;
  /** Its rows. */
  readonly records: Records;
}

/**
 * Reads the records of every machine, one folder each.
 *
 * @param folder Folder of the machines' folders.
 * @param filter What runs must be.
 * @returns The machines that have such runs, by name.
 * @throws {RecordError} If a machine's files cannot be read, or none has such a run.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * const machines = await readMachines("data/records", { exact: false });
 * assert(machines.every(({ machine, records }) => records.runs.every((run) => run.machine === machine.id)));
 * ```
 */
export async function readMachines(folder: string, filter: RowFilter): Promise<MachineRecords[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder)))
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
  const machines = await Promise.all(names.map(async (name) => ({
    machine: await readMachine(join(folder, name)),
    records: selectRows(await readRecords(join(folder, name)), filter),
  })));
  const found = machines.flatMap(({ machine, records }) =>
    machine && records.runs.length > 0 ? [{ machine, records }] : []
  );
  if (found.length > 0) return found;
  throw new RecordError(
    `Cannot use ${folder} as no run has ${JSON.stringify(filter)}: run a sweep`,
  );
}

/**
 * The runs that have certain values, and their rounds.
 *
 * @param records Rows.
 * @param filter Columns and values. Both runs of a pair should share them.
 * @returns The rows that have them all.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(selectRows({ runs: [], rounds: [] }, { exact: true }), { runs: [], rounds: [] });
 * ```
 */
export function selectRows({ runs, rounds }: Records, filter: RowFilter): Records {
  const wanted = Object.entries(filter) as [keyof RunRecord, unknown][];
  const selected = runs.filter((run) => wanted.every(([name, value]) => run[name] === value));
  const names = new Set(selected.map(({ pair, arm }) => `${pair} ${arm}`));
  return {
    runs: selected,
    rounds: rounds.filter(({ pair, arm }) => names.has(`${pair} ${arm}`)),
  };
}

/**
 * Where rows come from and how many there are, as a Markdown table.
 *
 * @param machines The machines and their rows.
 * @returns A column a machine.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const machines = await readMachines("data/records", {});
 * assertStringIncludes(describeRows(machines), "| pairs |");
 * ```
 */
export function describeRows(machines: readonly MachineRecords[]): string {
  const lines: [string, (of: MachineRecords) => unknown][] = [
    ["processor", ({ machine }) => machine.cpu],
    ["cores, threads", ({ machine, records }) => `${machine.cores}, ${list(records, "threads")}`],
    ["memory", ({ machine }) => `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ["instruction sets", ({ machine }) => machine.instructionSets?.join(", ") ?? "not known"],
    ["accelerator", ({ machine }) => machine.gpu ?? "none"],
    ["model", ({ records }) => list(records, "model")],
    ["precisions", ({ records }) => list(records, "precision")],
    ["measured", ({ records }) => daysOf(records)],
    ["commit", ({ records }) => commitsOf(records)],
    [
      "Deno, ONNX Runtime",
      ({ records }) => `${list(records, "deno")}, ${list(records, "onnxruntime")}`,
    ],
    ["pairs", ({ records }) => joinPairs(records).length],
    ["rounds", ({ records }) => records.rounds.length],
    ["failed runs", ({ records }) => count(records, (run) => run.status === "failed")],
    ["disturbed runs", ({ records }) => count(records, (run) => run.disturbed === true)],
  ];
  const row = (cells: readonly unknown[]) => `| ${cells.join(" | ")} |`;
  return [
    row(["", ...machines.map(({ machine }) => machine.id)]),
    row(["---", ...machines.map(() => "---")]),
    ...lines.map(([name, valueOf]) => row([name, ...machines.map(valueOf)])),
  ].join("\n");
}

/**
 * Checks what must hold of rows whatever they measured, and throws if it does not: the identities of
 * every run, two runs a pair, greedy text kept in exact mode, replays as often accepted as was asked.
 *
 * @param records Rows of one machine.
 * @returns What was checked, in a sentence.
 * @throws {RecordError} If something does not hold; the message names the first five.
 *
 * @example
 * ```ts
 * import { assertStringIncludes, assertThrows } from "@std/assert";
 * const [{ records }] = await readMachines("data/records", {}) as [MachineRecords];
 * assertStringIncludes(checkRows(records), "hold");
 * const runs = records.runs.map((run) => ({ ...run, accepted: run.accepted! + 1 }));
 * assertThrows(() => checkRows({ ...records, runs }), Error, "its rounds' sum");
 * ```
 */
export function checkRows(records: Records): string {
  const roundsOf = Map.groupBy(records.rounds, ({ pair, arm }) => `${pair} ${arm}`);
  const pairs = joinPairs(records);
  const violations = [
    ...records.runs.flatMap((run) =>
      checkIdentities(run, roundsOf.get(`${run.pair} ${run.arm}`) ?? [])
        .map((what) => `${run.pair} ${run.arm}: ${what}`)
    ),
    ...2 * pairs.length === records.runs.length ? [] : ["a run has no partner"],
    ...pairs.filter(({ speculative: { exact, equalsPlain } }) => exact && equalsPlain === false)
      .map(({ speculative }) => `${speculative.pair} decoded other tokens in exact mode`),
    ...checkReplays(records),
  ];
  if (violations.length > 0) {
    throw new RecordError(`Cannot trust these rows as ${violations.slice(0, 5).join("; ")}`);
  }
  const other = pairs.filter(({ speculative }) => speculative.equalsPlain === false).length;
  return [
    `The identities of ${records.runs.length} runs and ${records.rounds.length} rounds hold,`,
    "and replays were accepted as often as was asked.",
    `${pairs.filter(pairCounts).length} of ${pairs.length} pairs count;`,
    `${other} decoded other tokens than plain decoding${other > 0 ? " (not exact mode)" : ""}.`,
  ].join(" ");
}

/** Errors are put into a replay at a prescribed rate, so its α is known up to chance. */
function checkReplays(records: Records): string[] {
  const cells = Map.groupBy(
    records.runs.filter(({ draft, tested }) => draft === "replay" && tested),
    ({ acceptance, draftLength, precision }) => `${precision} α=${acceptance} K=${draftLength}`,
  );
  return [...cells].flatMap(([name, runs]) => {
    const sum = (column: "tested" | "accepted") =>
      runs.reduce((total, run) => total + run[column]!, 0);
    const [asked, tested] = [runs[0]!.acceptance!, sum("tested")];
    const found = sum("accepted") / tested;
    const errors = Math.abs(found - asked) / Math.sqrt(asked * (1 - asked) / tested);
    return errors > MOST_ERRORS ? [`the replay ${name} was accepted ${found.toFixed(3)}`] : [];
  });
}

function list({ runs }: Records, column: keyof RunRecord): string {
  return [...new Set(runs.map((run) => run[column]))].join(", ");
}

function count({ runs }: Records, holds: (run: RunRecord) => boolean): number {
  return runs.filter(holds).length;
}

function daysOf({ runs }: Records): string {
  const days = runs.map(({ startedAt }) => startedAt.slice(0, 10)).sort();
  const [first, last] = [days[0], days.at(-1)];
  return first === last ? first! : `${first} to ${last}`;
}

function commitsOf({ runs }: Records): string {
  const names = runs.map(({ commit, dirty }) =>
    commit ? commit.slice(0, 7) + (dirty ? ", changed" : "") : "not known"
  );
  return [...new Set(names)].join(", ");
}
