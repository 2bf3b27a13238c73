/**
 * Laws of speculative decoding that hold for any target and any drafter, toy or real.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import type { Drafter } from "../../lib/decoding/drafters/drafter.ts";
import type { Round } from "../../lib/decoding/round.ts";
import { speculate, type SpeculateOptions } from "../../lib/decoding/speculative.ts";
import type { LanguageModel } from "../../lib/engine/language_model.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { roundsOf } from "./decode.ts";

/**
 * Greedy speculation emits what plain decoding emits, and stops where and why it stops. Returns
 * the rounds.
 */
export async function assertGreedyAlike(
  target: LanguageModel,
  drafter: Drafter,
  prompt: readonly TokenId[],
  options: SpeculateOptions,
): Promise<Round[]> {
  await using plainContext = target.open();
  await using context = target.open();
  const plain = await roundsOf(autoregress(plainContext, prompt, options));
  const rounds = await roundsOf(speculate(context, drafter, prompt, options));
  const where = `${drafter.name}, ${options.policy?.name}, ${options.maxTokens} tokens`;
  assertEquals(textOf(rounds), textOf(plain), where);
  assertEquals(rounds.at(-1)!.stop, plain.at(-1)!.stop, where);
  assertEquals(context.length(), plainContext.length(), where);
  assertCounts(rounds, options.maxTokens);
  return rounds;
}

/** The counts of rounds agree with each other and with the method's definitions. */
export function assertCounts(rounds: readonly Round[], maxTokens: number): void {
  for (const [i, { drafted, tested, accepted, emitted, stop }] of rounds.entries()) {
    assert(accepted <= tested && tested <= drafted.length, "accepted ≤ tested ≤ drafted");
    assertEquals(stop !== null, i === rounds.length - 1, "the last round stops, and no other");
    if (stop === null) assertEquals(emitted.length, accepted + 1);
    else assert(emitted.length >= accepted - 1 && emitted.length <= accepted + 1);
  }
  const emitted = textOf(rounds).length;
  assert(emitted <= maxTokens);
  assertEquals(rounds.at(-1)!.stop === "length", emitted === maxTokens);
}

/** What rounds emit. */
export function textOf(rounds: readonly Round[]): TokenId[] {
  return rounds.flatMap((round) => round.emitted);
}

/**
 * A drafter that has followed a text proposes what a fresh one would: nothing of a rejected draft
 * is left in it. Both draw from a stream of their own, fixed by the text.
 */
export function followed(open: () => Drafter, randomAt: (text: string) => () => number): Drafter {
  const drafter = open();
  return {
    ...drafter,
    async propose(text, request) {
      const alone = () => ({ ...request, random: randomAt(text.join(" ")) });
      await using fresh = open();
      await fresh.begin?.(text);
      const proposal = await drafter.propose(text, alone());
      assertEquals(proposal, await fresh.propose(text, alone()), `after ${text.length} tokens`);
      return proposal;
    },
  };
}
