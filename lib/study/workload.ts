/**
 * The prompts of a study.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { ChatMessage } from "../models/chat.ts";

/** What a prompt asks for. "code" is to be written, "edit" is code or a configuration to be changed. */
export const TASKS = [
  "code",
  "edit",
  "extract",
  "translation",
  "summary",
  "maths",
  "story",
  "chat",
] as const;

/** How far a prompt fixes its answer. */
export const DETERMINISM = ["high", "medium", "low"] as const;

/** One prompt: a user's message and what was said before it, without the chat template. */
export interface Prompt {
  /** Short name, unique in its workload. */
  readonly id: string;
  /** Kind of task. */
  readonly task: typeof TASKS[number];
  /** What the text is about. */
  readonly domain: string;
  /** How far the text fixes its answer. */
  readonly determinism: typeof DETERMINISM[number];
  /** What was said before the message, user first, assistant last. Absent: nothing. */
  readonly history?: readonly ChatMessage[];
  /** The message to be answered. */
  readonly text: string;
}

/** Raised when a workload file cannot be used. */
export class WorkloadError extends Error {
  /** "WorkloadError". */
  override readonly name = "WorkloadError";
}

/**
 * Reads a workload file: a JSON array of prompts. An entry may state a `hash`, the first digits of
 * its {@linkcode promptHash}, so that no wording changes unnoticed; `UPDATE=1 deno test -A
 * tests/study/workload_test.ts` states the hashes of the evaluation set anew.
 *
 * @param file Path or URL.
 * @returns The prompts, in file order.
 * @throws {WorkloadError} If the file is not such an array, two prompts share an id, or a
 * hash does not hold.
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
 * assertThrows(() => parseWorkload([{ id: "a" }]), WorkloadError, "prompt 1 has no task");
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
 * The conversation that a prompt is.
 *
 * @param prompt The prompt.
 * @returns Its history and its message, for the chat template.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(messagesOf({ text: "Hello" }), [{ role: "user", content: "Hello" }]);
 * ```
 */
export function messagesOf(
  { history = [], text }: Pick<Prompt, "history" | "text">,
): ChatMessage[] {
  return [...history, { role: "user", content: text }];
}

/**
 * The hash that ties a row to its prompt's exact wording.
 *
 * @param prompt The prompt.
 * @returns SHA-256, hexadecimal, of its text in UTF-8; of its messages as JSON if it has a history.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(promptHash({ text: "abc" }).slice(0, 8), "ba7816bf");
 * ```
 */
export function promptHash(prompt: Pick<Prompt, "history" | "text">): string {
  const content = prompt.history
    ? JSON.stringify(messagesOf(prompt).map(({ role, content }) => [role, content]))
    : prompt.text;
  return createHash("sha256").update(content).digest("hex");
}

function parsePrompt(value: unknown, index: number): Prompt {
  const entry: Record<string, unknown> = typeof value === "object" ? { ...value } : {};
  const read = <T extends string>(name: string, allowed?: readonly T[]): T => {
    const found = entry[name];
    if (typeof found !== "string" || found.trim() === "") {
      throw new WorkloadError(`prompt ${index + 1} has no ${name}`);
    }
    if (!allowed || allowed.includes(found as T)) return found as T;
    throw new WorkloadError(
      `the ${name} of prompt ${index + 1} is ${found}: it must be one of ${allowed.join(", ")}`,
    );
  };
  const prompt: Prompt = {
    id: read("id"),
    task: read("task", TASKS),
    domain: read("domain"),
    determinism: read("determinism", DETERMINISM),
    ...(entry.history === undefined ? {} : { history: parseHistory(entry.history, index) }),
    text: read("text"),
  };
  if (entry.hash !== undefined) requireHash(prompt, read("hash"));
  return prompt;
}

function parseHistory(value: unknown, index: number): ChatMessage[] {
  const turns: unknown[] = Array.isArray(value) ? value : [];
  const isMessage = (turn: unknown, i: number): turn is ChatMessage =>
    typeof turn === "object" && turn !== null && "role" in turn && "content" in turn &&
    turn.role === ["user", "assistant"][i % 2] && typeof turn.content === "string";
  if (turns.length > 0 && turns.length % 2 === 0 && turns.every(isMessage)) return turns;
  throw new WorkloadError(
    `the history of prompt ${index + 1} must be messages of user and assistant in turn`,
  );
}

function requireHash(prompt: Prompt, stated: string): void {
  const hash = promptHash(prompt);
  if (stated.length >= 12 && hash.startsWith(stated)) return;
  throw new WorkloadError(
    `the hash of ${prompt.id} is ${
      hash.slice(0, 12)
    }, not ${stated}: restore its wording, or state the new hash`,
  );
}
