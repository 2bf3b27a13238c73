/**
 * Documents to ask about, of any length: written by a seed, cut to a number of tokens.
 *
 * @module
 */

import { type Random, stream } from "../../random.ts";
import { requireInteger } from "../../validate.ts";
import type { Passage, Question } from "./passage.ts";
import { pythonModule } from "./python_module.ts";
import { report } from "./report.ts";
import { serverLog } from "./server_log.ts";
import { weatherTable } from "./weather_table.ts";

/** Kinds of documents. */
export const DOCUMENTS = ["log", "table", "code", "report"] as const;

/** A document as far as a length goes, and a question about it. */
export interface Excerpt extends Question {
  /** The document. It may end in the middle of a word. */
  readonly text: string;
}

/** How a document is to be made. */
export interface DocumentOptions {
  /** Decides what it says and what is asked: an integer of at least 0. */
  readonly seed: number;
  /** Tokens of the message, document and question. */
  readonly tokens: number;
  /** Counts the tokens of a message as the model reads it, chat template included. */
  readonly count: (message: string) => number;
}

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

type Writer = (random: Random) => Generator<Passage, never>;

const WRITERS: Readonly<Record<typeof DOCUMENTS[number], Writer>> = {
  log: serverLog,
  table: weatherTable,
  code: pythonModule,
  report,
};

/**
 * Writes a document and asks about one of its passages, wherever in its first three quarters that is.
 * With the same seed, a longer document begins with the text of a shorter one.
 *
 * @param kind The kind.
 * @param options Seed, length, and what counts tokens.
 * @returns The excerpt. Its message has no more tokens than asked, and would with a character more.
 * @throws {RangeError} If so few tokens cannot hold a question and what it is about.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * const count = (message: string) => message.split(/\s+/).length;
 * const excerpt = writeDocument("log", { seed: 1, tokens: 400, count });
 * assert(excerpt.text.includes(excerpt.answer));
 * assertEquals(count(excerptMessage(excerpt)), 400);
 * ```
 */
export function writeDocument(kind: typeof DOCUMENTS[number], options: DocumentOptions): Excerpt {
  const { seed, tokens, count } = options;
  requireInteger("write a document", "seed", seed, 0);
  requireInteger("write a document", "tokens", tokens, 1);
  const passages = WRITERS[kind](stream(seed, kind));
  const ends: { readonly about: Question | undefined; readonly end: number }[] = [];
  let text = "";
  let length = 0;
  while (length <= tokens) {
    const enough = text.length + tokens;
    while (text.length < enough) {
      const passage = passages.next().value;
      text += passage.text;
      ends.push({ about: passage.about, end: text.length });
    }
    length = count(text);
  }
  // The last quarter is left to the question, which is not known yet.
  const room = 0.75 * text.length * tokens / length;
  const askable = ends.filter(({ about, end }) => about && end <= room);
  // Multiples of the golden ratio: a few seeds already spread evenly over the depths.
  const asked = askable[Math.floor((seed * GOLDEN_RATIO) % 1 * askable.length)];
  const cut = (end: number): Excerpt => ({ text: text.slice(0, end), ...asked!.about! });
  const fits = (end: number) => count(excerptMessage(cut(end))) <= tokens;
  if (asked && fits(asked.end)) return cut(largest(asked.end, text.length, fits));
  throw new RangeError(
    `Cannot write a document to ask about as tokens is ${tokens}: ask for at least 512`,
  );
}

/**
 * The message that puts the question.
 *
 * @param excerpt The excerpt.
 * @returns Its text, then the question.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const message = excerptMessage({ text: "Ann is 4.\n", question: "Who is 4?" });
 * assertEquals(message, "Ann is 4.\n\nWho is 4?");
 * ```
 */
export function excerptMessage({ text, question }: Pick<Excerpt, "text" | "question">): string {
  return `${text.trimEnd()}\n\n${question}`;
}

/** The largest integer that fits, by bisection: `low` does, `high` does not. */
function largest(low: number, high: number, fits: (value: number) => boolean): number {
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
