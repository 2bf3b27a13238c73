/**
 * Running decoders in tests.
 *
 * @module
 */

import type { Round } from "../../lib/decoding/round.ts";
import type { TokenId } from "../../lib/models/token.ts";

/** All rounds of a decoder. */
export async function roundsOf(rounds: AsyncIterable<Round>): Promise<Round[]> {
  return await Array.fromAsync(rounds);
}

/** All tokens that a decoder emits. */
export async function tokensOf(rounds: AsyncIterable<Round>): Promise<TokenId[]> {
  return (await roundsOf(rounds)).flatMap((round) => round.emitted);
}

/** A round without its times. */
export function facts({ drafted, tested, accepted, emitted, stop }: Round): Partial<Round> {
  return { drafted, tested, accepted, emitted, stop };
}
