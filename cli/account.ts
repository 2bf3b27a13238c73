/**
 * What a decoded text says of its drafting.
 *
 * @module
 */

import { acceptance, blockEfficiency, type Counts } from "../lib/analysis/metrics.ts";
import type { Round } from "../lib/decoding/round.ts";
import type { TokenId } from "../lib/models/token.ts";

/** A decoded continuation and how long it took. */
export interface Generation {
  /** Its tokens. */
  readonly tokens: readonly TokenId[];
  /** The rounds that made them. */
  readonly rounds: readonly Round[];
  /** Milliseconds of all rounds. */
  readonly decodeMs: number;
}

/**
 * The account that follows the text: tokens a second, α, τ and, beside plain decoding, the speed-up.
 *
 * @param generation What was decoded.
 * @param plain The same prompt decoded plainly, or null.
 * @returns A line.
 */
export function account(generation: Generation, plain: Generation | null): string {
  const { tokens, rounds, decodeMs } = generation;
  const total = countsOf(rounds);
  const parts = [`${tokens.length} tokens`, `${rate(generation).toFixed(1)} tok/s`];
  if (total.tested > 0) parts.push(`α ${acceptance(total)!.toFixed(2)}`);
  parts.push(`τ ${blockEfficiency(total)!.toFixed(2)}`);
  if (plain) {
    const same = plain.tokens.length === tokens.length &&
      plain.tokens.every((token, i) => token === tokens[i]);
    parts.push(
      `speed-up ${(plain.decodeMs / decodeMs * tokens.length / plain.tokens.length).toFixed(2)}`,
      `plain ${rate(plain).toFixed(1)} tok/s`,
      same ? "same text" : "other text",
    );
  }
  return parts.join(" · ");
}

function rate({ tokens, decodeMs }: Generation): number {
  return tokens.length / decodeMs * 1000;
}

function countsOf(rounds: readonly Round[]): Counts {
  const sum = (count: (round: Round) => number): number =>
    rounds.reduce((total, round) => total + count(round), 0);
  return {
    rounds: rounds.length,
    drafted: sum(({ drafted }) => drafted.length),
    tested: sum(({ tested }) => tested),
    accepted: sum(({ accepted }) => accepted),
    emitted: sum(({ emitted }) => emitted.length),
  };
}

/**
 * The same as plain data, for programs to read.
 *
 * @param generation What was decoded.
 * @param plain The same prompt decoded plainly, or null.
 * @param prefillMs Milliseconds that reading the prompt took.
 * @returns Tokens, rounds and times.
 */
export function facts(
  generation: Generation,
  plain: Generation | null,
  prefillMs: number,
): Readonly<Record<string, unknown>> {
  const { tokens, rounds, decodeMs } = generation;
  return {
    tokens,
    stop: rounds.at(-1)!.stop,
    rounds: rounds.map((round) => ({
      drafted: round.drafted.length,
      tested: round.tested,
      accepted: round.accepted,
      emitted: round.emitted.length,
      draftMs: round.draftMs,
      verifyMs: round.verifyMs,
      hostMs: round.sampleMs + round.hostMs,
    })),
    timing: { prefillMs, decodeMs },
    ...plain ? { plain: { tokens: plain.tokens, decodeMs: plain.decodeMs } } : {},
  };
}
