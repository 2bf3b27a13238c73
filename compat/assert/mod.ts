/**
 * The part of `jsr:@std/assert` that this repository uses, on `node:assert`, for networks that
 * cannot reach JSR. Same names, arguments, judgements and error class.
 *
 * @module
 */

import { deepStrictEqual, notDeepStrictEqual } from "node:assert";
import { inspect } from "node:util";

/** Any class of errors. */
// deno-lint-ignore no-explicit-any -- a constructor of unknown arguments, as in @std/assert
export type ErrorClass<E> = abstract new (...args: any[]) => E;

/** What a failed assertion throws. */
export class AssertionError extends Error {
  /** "AssertionError". */
  override readonly name = "AssertionError";
}

/** Fails. */
export function fail(message?: string): never {
  throw new AssertionError(`Failed assertion${suffix(message)}`);
}

/** Asserts that `value` is truthy. */
export function assert(value: unknown, message = ""): asserts value {
  if (!value) throw new AssertionError(message);
}

/** Asserts that `value` is falsy. */
export function assertFalse(value: unknown, message = ""): void {
  if (value) throw new AssertionError(message);
}

/**
 * Asserts that two values are deeply equal: same constructors, same own keys, NaN equal to itself,
 * 0 equal to −0.
 */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  try {
    deepStrictEqual(comparable(actual), comparable(expected));
  } catch (error) {
    throw new AssertionError(`Values are not equal${suffix(message)}\n${(error as Error).message}`);
  }
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  try {
    notDeepStrictEqual(comparable(actual), comparable(expected));
  } catch {
    throw new AssertionError(
      `Expected actual: ${inspect(actual)} not to be: ${inspect(expected)}${suffix(message)}`,
    );
  }
}

/** Asserts that `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${suffix(message)}\n${inspect(actual)}\n${inspect(expected)}`,
  );
}

/** Asserts that two numbers differ by at most `tolerance`, by default a 10⁻⁷th of `expected`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance: number = Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7,
  message?: string,
): void {
  if (Object.is(actual, expected) || Math.abs(expected - actual) <= tolerance) return;
  const delta = Math.abs(expected - actual);
  throw new AssertionError(
    `Expected actual: "${actual}" to be close to "${expected}": delta "${delta}" is greater than "${tolerance}"${
      suffix(message)
    }`,
  );
}

/** Asserts that `actual` is neither null nor undefined. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${suffix(message)}`,
  );
}

/** Asserts that `actual` is an instance of a class. */
export function assertInstanceOf<T>(
  actual: unknown,
  type: ErrorClass<T>,
  message?: string,
): asserts actual is T {
  if (actual instanceof type) return;
  throw new AssertionError(
    `Expected object to be an instance of "${type.name}" but was "${nameOf(actual)}"${
      suffix(message)
    }`,
  );
}

/** Asserts that `actual` matches a pattern. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(message)}`,
  );
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(message)}`,
  );
}

/** Asserts that `actual` holds an equal of each expected element. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void {
  const missing = Array.from(expected).filter((wanted) =>
    !Array.from(actual).some((value) => isEqual(value, wanted))
  );
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${inspect(actual)}" to include: "${inspect(expected)}"${
      suffix(message)
    }\nmissing: ${inspect(missing)}`,
  );
}

/** Asserts that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (actual > expected) return;
  throw new AssertionError(message ?? `Expect ${inspect(actual)} > ${inspect(expected)}`);
}

/** Asserts that `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (actual >= expected) return;
  throw new AssertionError(message ?? `Expect ${inspect(actual)} >= ${inspect(expected)}`);
}

/** Asserts that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (actual < expected) return;
  throw new AssertionError(message ?? `Expect ${inspect(actual)} < ${inspect(expected)}`);
}

/** Asserts that `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (actual <= expected) return;
  throw new AssertionError(message ?? `Expect ${inspect(actual)} <= ${inspect(expected)}`);
}

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows(run: () => unknown, message?: string): unknown;
/** Asserts that a function throws an error of a class, whose message includes a text. */
export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  type: ErrorClass<E>,
  includes?: string | RegExp,
  message?: string,
): E;
export function assertThrows(run: () => unknown, ...rest: ErrorArguments): unknown {
  const expected = readArguments(rest);
  try {
    run();
  } catch (error) {
    return checkError(error, "thrown", expected);
  }
  throw new AssertionError(`Expected function to throw${suffix(expected.message)}`);
}

/** Asserts that a function's promise rejects, and returns the reason. */
export function assertRejects(run: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
/** Asserts that a function's promise rejects with an error of a class, whose message includes a text. */
export function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  type: ErrorClass<E>,
  includes?: string | RegExp,
  message?: string,
): Promise<E>;
export async function assertRejects(
  run: () => PromiseLike<unknown>,
  ...rest: ErrorArguments
): Promise<unknown> {
  const expected = readArguments(rest);
  const promise = promiseOf(run);
  if (!promise) {
    throw new AssertionError(`Function throws when expected to reject${suffix(expected.message)}`);
  }
  try {
    await promise;
  } catch (error) {
    return checkError(error, "rejected", expected);
  }
  throw new AssertionError(`Expected function to reject${suffix(expected.message)}`);
}

type ErrorArguments = [
  typeOrMessage?: ErrorClass<Error> | string,
  includes?: string | RegExp,
  message?: string,
];

interface ExpectedError {
  readonly type?: ErrorClass<Error> | undefined;
  readonly includes?: string | RegExp | undefined;
  readonly message?: string | undefined;
}

function readArguments([typeOrMessage, includes, message]: ErrorArguments): ExpectedError {
  return typeof typeOrMessage === "string"
    ? { message: typeOrMessage }
    : { type: typeOrMessage, includes, message };
}

function checkError(error: unknown, verb: string, { type, includes, message }: ExpectedError) {
  if (!type) return error;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${verb}${suffix(message)}`);
  }
  const thrown: Error = error;
  if (!(error instanceof type)) {
    throw new AssertionError(
      `Expected error to be instance of "${type.name}", but was "${nameOf(error)}"${
        suffix(message)
      }\n${thrown.message}`,
    );
  }
  const found = typeof includes === "string"
    ? error.message.includes(includes)
    : includes?.test(error.message) ?? true;
  if (found) return error;
  throw new AssertionError(
    `Expected error message to include ${inspect(includes)}, but got ${inspect(error.message)}${
      suffix(message)
    }`,
  );
}

/** A promise if the function returned one; a function that throws at once did not. */
function promiseOf(run: () => PromiseLike<unknown>): PromiseLike<unknown> | undefined {
  try {
    const result = run();
    return typeof result?.then === "function" ? result : undefined;
  } catch {
    return undefined;
  }
}

function isEqual(a: unknown, b: unknown): boolean {
  try {
    assertEquals(a, b);
    return true;
  } catch {
    return false;
  }
}

/** A copy that `deepStrictEqual` judges as @std/assert judges the original: −0 is 0, no prototype is a plain one. */
function comparable(value: unknown, seen = new Map<unknown, unknown>()): unknown {
  if (value === 0) return 0;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Float32Array || value instanceof Float64Array) {
    return value.map((x) => x + 0);
  }
  if (seen.has(value)) return seen.get(value);
  if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype) {
    const copy: unknown[] = Array(value.length);
    seen.set(value, copy);
    for (const key of Reflect.ownKeys(value)) {
      if (key !== "length") Reflect.set(copy, key, comparable(Reflect.get(value, key), seen));
    }
    return copy;
  }
  if (isPlain(value)) {
    const copy = {};
    seen.set(value, copy);
    for (const key of Reflect.ownKeys(value)) {
      if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue;
      const copied = comparable(Reflect.get(value, key), seen);
      Object.defineProperty(copy, key, { value: copied, enumerable: true });
    }
    return copy;
  }
  if (value instanceof Map) {
    const copy = new Map();
    seen.set(value, copy);
    for (const [key, entry] of value) copy.set(comparable(key, seen), comparable(entry, seen));
    return copy;
  }
  return value;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function nameOf(value: unknown): string {
  return Object(value).constructor?.name ?? typeof value;
}

function suffix(message?: string): string {
  return message ? `: ${message}` : ".";
}
