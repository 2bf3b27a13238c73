/**
 * The prompts of a study.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** What a prompt asks for. */
export const TASKS = ["code", "extract", "translation", "summary", "maths", "story"] as const;

/** How far a prompt fixes its answer. */
export const DETERMINISM = ["high", "medium", "low"] as const;

/** One prompt: a user's message, before the chat template. */
export interface Prompt {
  /** Short name, unique in its workload. */
  readonly id: string;
  /** Kind of task. */
  readonly task: typeof TASKS[number];
  /** What the text is about. */
  readonly domain: string;
  /** How far the text fixes its answer. */
  readonly determinism: typeof DETERMINISM[number];
  /** The message. */
  readonly text: string;
}

/** Raised when a workload file cannot be used. */
export class WorkloadError extends Error {
  /** "WorkloadError". */
  override readonly name = "WorkloadError";
}

/**
 * Reads a workload file: a JSON array of prompts.
 *
 * @param file Path or URL.
 * @returns The prompts, in file order.
 * @throws {WorkloadError} If the file is not such an array, or two prompts share an id.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const prompts = await readWorkload("data/prompts/quick.json");
 * assertEquals(new Set(prompts.map((prompt) => prompt.task)).size, 6);
 * ```
 */
export async function readWorkload(file: string | URL): Promise<Prompt[]> {
  const text = await Deno.readTextFile(file);
  try {
    return parseWorkload(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof WorkloadError)) throw error;
    throw new WorkloadError(`Cannot use ${file} as a workload: ${error.message}`);
  }
}

/**
 * Checks that a value is a list of prompts.
 *
 * @param value What a workload file holds.
 * @returns The prompts.
 * @throws {WorkloadError} If it is anything else.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => parseWorkload([{ id: "a" }]), WorkloadError, "prompt 1 lacks a task");
 * ```
 */
export function parseWorkload(value: unknown): Prompt[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new WorkloadError("it must be a JSON array of at least one prompt");
  }
  const prompts = value.map(parsePrompt);
  const twice = prompts.find(({ id }, i) => prompts.findIndex((other) => other.id === id) < i);
  if (twice) throw new WorkloadError(`two prompts have the id ${twice.id}: rename one`);
  return prompts;
}

/**
 * The hash that ties a row to its prompt's exact wording.
 *
 * @param prompt The prompt.
 * @returns SHA-256 of its text in UTF-8, hexadecimal.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(promptHash({ text: "abc" }).slice(0, 8), "ba7816bf");
 * ```
 */
export function promptHash(prompt: Pick<Prompt, "text">): string {
  return createHash("sha256").update(prompt.text).digest("hex");
}

function parsePrompt(value: unknown, index: number): Prompt {
  const entry: Record<string, unknown> = typeof value === "object" ? { ...value } : {};
  const read = <T extends string>(name: string, allowed?: readonly T[]): T => {
    const found = entry[name];
    if (typeof found !== "string" || found.trim() === "") {
      throw new WorkloadError(`prompt ${index + 1} lacks a ${name}`);
    }
    if (!allowed || allowed.includes(found as T)) return found as T;
    throw new WorkloadError(
      `the ${name} of prompt ${index + 1} is ${found}: it must be one of ${allowed.join(", ")}`,
    );
  };
  return {
    id: read("id"),
    task: read("task", TASKS),
    domain: read("domain"),
    determinism: read("determinism", DETERMINISM),
    text: read("text"),
  };
}
