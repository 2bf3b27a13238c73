/**
 * Flags that hold several values, with commas.
 *
 * @module
 */

import type { Precision } from "../lib/models/graph.ts";
import type { TraceDraft } from "../lib/study/behaviour_plan.ts";
import { requireInteger, requireNumber } from "../lib/validate.ts";
import { ArgumentError } from "./arguments.ts";
import { PRECISIONS } from "./flags.ts";

/**
 * Precisions.
 *
 * @param command The command, for messages: "deno task sweep behaviour".
 * @param text As "fp32,int4".
 * @returns The precisions.
 * @throws {ArgumentError} If one is not known.
 */
export function precisionsOf(command: string, text: string): Precision[] {
  return text.split(",").map((name) => precisionOf(command, name));
}

/**
 * What drafts.
 *
 * @param command The command, for messages.
 * @param text As "prompt-lookup,ngram,small@int4,models/tiny.gguf@int8".
 * @returns The drafts.
 * @throws {ArgumentError} If one is neither a table nor id@precision.
 */
export function draftsOf(command: string, text: string): TraceDraft[] {
  return text.split(",").map((name) => {
    if (name === "prompt-lookup" || name === "ngram") return { draft: name };
    const [draftModel, precision, ...rest] = name.split("@");
    if (draftModel && precision && rest.length === 0) {
      return { draft: "model", draftModel, draftPrecision: precisionOf(command, precision) };
    }
    throw new ArgumentError(
      `Cannot run ${command} as a draft must be prompt-lookup, ngram or id@precision: current value is ${name}`,
    );
  });
}

/**
 * Whole numbers.
 *
 * @param action What could not be done, for messages: "record traces".
 * @param name What they are, for messages.
 * @param text As "512,1024".
 * @returns The numbers.
 * @throws {RangeError} If one is not a whole number above 0.
 */
export function integersOf(action: string, name: string, text: string): number[] {
  return text.split(",").map((value) => {
    requireInteger(action, name, Number(value), 1);
    return Number(value);
  });
}

/**
 * Temperatures.
 *
 * @param action What could not be done, for messages.
 * @param text As "0,0.5".
 * @returns The temperatures.
 * @throws {RangeError} If one is not a number of at least 0.
 */
export function temperaturesOf(action: string, text: string): number[] {
  return text.split(",").map((value) => {
    // Number("") is 0, which would be greedy.
    const temperature = value.trim() === "" ? NaN : Number(value);
    requireNumber(action, "temperatures", temperature, 0);
    return temperature;
  });
}

/**
 * Tokens of long prompts.
 *
 * @param action What could not be done, for messages.
 * @param text As "1024,4096"; "none" for no long prompts.
 * @returns The contexts.
 * @throws {RangeError} If one is not a whole number above 0.
 */
export function contextsOf(action: string, text: string): number[] {
  return text === "none" ? [] : integersOf(action, "contexts", text);
}

function precisionOf(command: string, text: string): Precision {
  const known = PRECISIONS.find((precision) => precision === text);
  if (known) return known;
  throw new ArgumentError(
    `Cannot run ${command} as a precision must be one of ${
      PRECISIONS.join(", ")
    }: current value is ${text}`,
  );
}
