/**
 * Parameters of a notebook, and how a run without hands overrides them.
 *
 * @module
 */

/** What a parameter may be. */
export type Parameter =
  | string
  | number
  | boolean
  | readonly Parameter[]
  | { readonly [name: string]: Parameter };

/** Values of a notebook's parameters: the defaults' types, not their literals. */
export type ParameterValues<T> = {
  readonly [Name in keyof T]: T[Name] extends boolean ? boolean
    : T[Name] extends number ? number
    : T[Name] extends string ? string
    : T[Name];
};

/** Name of the variable that overrides parameters. */
const VARIABLE = "SPECBOUND_PARAMETERS";

/**
 * The parameters of a notebook: their defaults, but for those that the environment variable
 * `SPECBOUND_PARAMETERS` sets. It holds a JSON object or the path of a file with one.
 *
 * @param defaults Names and values.
 * @param options The variable's value, for tests; by default the environment's.
 * @returns The values.
 * @throws {TypeError} If the JSON sets a parameter that there is not, or one to another type.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * const defaults = { MEASURE: false, ACCEPTANCE: 0.7 };
 * assertEquals(parameters(defaults, { json: '{"ACCEPTANCE":0.9}' }), { MEASURE: false, ACCEPTANCE: 0.9 });
 * assertThrows(() => parameters(defaults, { json: '{"MEASURE":1}' }), TypeError, "of type boolean");
 * ```
 */
export function parameters<T extends Readonly<Record<string, Parameter>>>(
  defaults: T,
  options: { readonly json?: string } = {},
): ParameterValues<T> {
  const given = options.json ?? Deno.env.get(VARIABLE) ?? "{}";
  const json = given.trimStart().startsWith("{") ? given : Deno.readTextFileSync(given);
  const overrides: unknown = JSON.parse(json);
  if (kindOf(overrides) !== "object") fail("it must be a JSON object");
  for (const [name, value] of Object.entries(overrides as Record<string, unknown>)) {
    const wanted = defaults[name];
    if (wanted === undefined) {
      fail(`there is no ${name}: choose from ${Object.keys(defaults).join(", ")}`);
    }
    if (kindOf(value) !== kindOf(wanted)) fail(`${name} must be of type ${kindOf(wanted)}`);
  }
  return { ...defaults, ...overrides as Partial<T> } as unknown as ParameterValues<T>;
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "list" : value === null ? "null" : typeof value;
}

function fail(reason: string): never {
  throw new TypeError(`Cannot use ${VARIABLE} as ${reason}`);
}
