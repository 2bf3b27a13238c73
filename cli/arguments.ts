/**
 * Command-line arguments from one table: what is parsed is what `--help` shows.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** A flag, `--name`. */
export interface Flag {
  /** What its value is; a boolean flag takes none, and `--no-name` makes it false. */
  readonly type: "string" | "number" | "boolean";
  /** What it does, for `--help`. */
  readonly description: string;
  /** The value where it is not given. */
  readonly default?: string | number | boolean;
  /** The only values allowed. */
  readonly choices?: readonly string[];
}

/** An argument that is no flag. */
export interface Positional {
  /** Its name, for `--help`. */
  readonly name: string;
  /** What it is, for `--help`. */
  readonly description: string;
  /** Whether it may be left out; only the last ones may. */
  readonly optional?: boolean;
  /** The only values allowed. */
  readonly choices?: readonly string[];
}

/** A command's arguments. */
export interface Specification {
  /** How it is called: "deno task models". */
  readonly command: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Its flags by name; one named `maxTokens` is given as `--max-tokens`. */
  readonly flags?: Readonly<Record<string, Flag>>;
  /** Its other arguments, in order. */
  readonly positionals?: readonly Positional[];
}

/** The type of a flag's value. */
export type FlagValue<F extends Flag> =
  | (F["type"] extends "number" ? number
    : F["type"] extends "boolean" ? boolean
    : F extends { choices: readonly (infer C)[] } ? C
    : string)
  | (F extends { default: string | number | boolean } ? never
    : F["type"] extends "boolean" ? never
    : undefined);

/** What was given. */
export interface Arguments<S extends Specification> {
  /** A value for every flag: the default, or false or undefined, where none was given. */
  readonly flags: { readonly [Name in keyof S["flags"]]: FlagValue<NonNullable<S["flags"]>[Name]> };
  /** The other arguments, as many as were given. */
  readonly positionals: readonly string[];
}

/**
 * Arguments that the command does not take: "Cannot run COMMAND as REASON".
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => readArguments({ command: "try", summary: "" }, ["--x"]), ArgumentError);
 * ```
 */
export class ArgumentError extends Error {
  /** The error's name, "ArgumentError". */
  override readonly name = "ArgumentError";
}

/**
 * Reads arguments, and ends the process where there is nothing to run: on `--help` with its text on
 * stdout and code 0, on bad arguments with one line on stderr and code 2.
 *
 * @param specification What the command takes.
 * @param args What was given: `Deno.args`.
 * @returns The values.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const { flags } = parseArguments({
 *   command: "deno task try",
 *   summary: "Tries.",
 *   flags: { times: { type: "number", default: 3, description: "how often" } },
 * }, ["--times", "5"]);
 * assertEquals(flags.times, 5);
 * ```
 */
export function parseArguments<const S extends Specification>(
  specification: S,
  args: readonly string[],
): Arguments<S> {
  const end = args.indexOf("--");
  if ((end < 0 ? args : args.slice(0, end)).some((arg) => arg === "--help" || arg === "-h")) {
    console.log(helpText(specification));
    Deno.exit(0);
  }
  try {
    return readArguments(specification, args);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}

/**
 * Reads arguments.
 *
 * @param specification What the command takes.
 * @param args What was given.
 * @returns The values.
 * @throws {ArgumentError} If a flag is unknown, a value bad, or an argument missing or too many.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const { flags, positionals } = readArguments({
 *   command: "deno task generate",
 *   summary: "Generates text.",
 *   flags: {
 *     maxTokens: { type: "number", default: 64, description: "tokens to generate" },
 *     mode: { type: "string", choices: ["exact", "fast"], default: "exact", description: "" },
 *     chat: { type: "boolean", description: "answer as an assistant" },
 *   },
 *   positionals: [{ name: "prompt", description: "what to go on from" }],
 * }, ["--max-tokens", "8", "Once upon"]);
 * assertEquals(flags, { maxTokens: 8, mode: "exact", chat: false });
 * assertEquals(positionals, ["Once upon"]);
 * ```
 */
export function readArguments<const S extends Specification>(
  specification: S,
  args: readonly string[],
): Arguments<S> {
  const fail = (reason: string): never => {
    throw new ArgumentError(
      `Cannot run ${specification.command} as ${reason}: see ${specification.command} --help`,
    );
  };
  const flags = Object.entries(specification.flags ?? {});
  const { values, positionals } = parse(flags, args, fail);

  const read = ([name, flag]: [string, Flag]) => {
    const given = values[kebab(name)] ?? flag.default;
    if (flag.type === "boolean") return given ?? false;
    if (flag.choices && given !== undefined && !flag.choices.includes(String(given))) {
      fail(`--${kebab(name)} must be one of ${flag.choices.join(", ")}: current value is ${given}`);
    }
    if (flag.type === "string" || typeof given !== "string") return given;
    const number = given.trim() === "" ? NaN : Number(given);
    if (!Number.isFinite(number)) {
      fail(`--${kebab(name)} must be a number: current value is ${JSON.stringify(given)}`);
    }
    return number;
  };
  checkPositionals(specification.positionals ?? [], positionals, fail);
  return {
    flags: Object.fromEntries(flags.map((entry) => [entry[0], read(entry)])),
    positionals,
  } as unknown as Arguments<S>; // The table's types are what the code above reads it by.
}

/**
 * The text that `--help` prints.
 *
 * @param specification What the command takes.
 * @returns The text, without a newline at its end.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const text = helpText({ command: "try", summary: "Tries.", flags: {
 *   times: { type: "number", default: 3, description: "how often" },
 * } });
 * assertEquals(text, [
 *   "Tries.",
 *   "",
 *   "Usage: try [flags]",
 *   "",
 *   "  --times <number>  how often (default: 3)",
 *   "  --help            show this text",
 * ].join("\n"));
 * ```
 */
export function helpText(specification: Specification): string {
  const { command, summary, flags = {}, positionals = [] } = specification;
  const usage = positionals.map(({ name, optional }) => optional ? `[${name}]` : `<${name}>`);
  const rows = [
    ...positionals.map((positional) => [`  ${positional.name}`, describe(positional)] as const),
    ...Object.entries(flags).map(([name, flag]) => {
      const value = flag.type === "boolean" ? "" : ` <${flag.type}>`;
      const no = flag.type === "boolean" && flag.default === true ? "[no-]" : "";
      return [`  --${no}${kebab(name)}${value}`, describe(flag)] as const;
    }),
    ["  --help", "show this text"] as const,
  ];
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    summary,
    "",
    ["Usage:", command, ...usage, "[flags]"].join(" "),
    "",
    ...rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`),
  ].join("\n");
}

function describe(
  item: { description: string; choices?: readonly string[]; default?: unknown },
): string {
  const notes = [
    ...item.choices ? [`one of ${item.choices.join(", ")}`] : [],
    ...item.default === undefined || item.default === false ? [] : [`default: ${item.default}`],
  ];
  return notes.length === 0 ? item.description : `${item.description} (${notes.join("; ")})`;
}

function parse(
  flags: readonly (readonly [string, Flag])[],
  args: readonly string[],
  fail: (reason: string) => never,
): { values: Readonly<Record<string, unknown>>; positionals: string[] } {
  const options = Object.fromEntries(
    flags.map(([name, { type }]) =>
      [kebab(name), { type: type === "boolean" ? type : "string" }] as const
    ),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true });
  } catch (error) {
    // Node's messages are a sentence or more, with advice for who wrote the table.
    const [sentence] = (error as Error).message.split(/\.\s|\n/);
    return fail(sentence!.replace(/^./, (char) => char.toLowerCase()).replace(/\.$/, ""));
  }
}

function checkPositionals(
  expected: readonly Positional[],
  given: readonly string[],
  fail: (reason: string) => never,
): void {
  if (given.length > expected.length) fail(`it takes no argument ${given[expected.length]}`);
  expected.forEach(({ name, optional, choices }, i) => {
    const value = given[i];
    if (value === undefined && !optional) fail(`${name} is missing`);
    if (value !== undefined && choices && !choices.includes(value)) {
      fail(`${name} must be one of ${choices.join(", ")}: current value is ${value}`);
    }
  });
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
