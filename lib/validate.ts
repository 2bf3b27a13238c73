/**
 * Checks of option values. Nothing is clamped: a value out of range is an error that names it.
 *
 * @module
 */

/**
 * Throws unless `value` is an integer in `[minimum, maximum]`.
 *
 * @param action What could not be done, for the message: "speculate".
 * @param name The option's name.
 * @param value The option's value.
 * @param minimum The smallest value allowed.
 * @param maximum The largest value allowed.
 * @throws {RangeError} If the value is not an integer or out of range.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => requireInteger("speculate", "draftLength", 2.7, 0), RangeError,
 *   "Cannot speculate as draftLength must be an integer of at least 0: current value is 2.7");
 * ```
 */
export function requireInteger(
  action: string,
  name: string,
  value: number,
  minimum: number,
  maximum: number = Infinity,
): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return;
  const range = maximum === Infinity ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new RangeError(
    `Cannot ${action} as ${name} must be an integer ${range}: current value is ${value}`,
  );
}

/**
 * Throws unless `value` is a finite number in `[minimum, maximum]`.
 *
 * @param action What could not be done, for the message: "sample".
 * @param name The option's name.
 * @param value The option's value.
 * @param minimum The smallest value allowed.
 * @param maximum The largest value allowed.
 * @throws {RangeError} If the value is not finite or out of range.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => requireNumber("sample", "topP", 1.2, 0, 1), RangeError,
 *   "Cannot sample as topP must be a number from 0 to 1: current value is 1.2");
 * ```
 */
export function requireNumber(
  action: string,
  name: string,
  value: number,
  minimum: number,
  maximum: number = Infinity,
): void {
  if (Number.isFinite(value) && value >= minimum && value <= maximum) return;
  const range = maximum === Infinity ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new RangeError(
    `Cannot ${action} as ${name} must be a number ${range}: current value is ${value}`,
  );
}
