/**
 * Text from templates: slots in a sentence, filled at random.
 *
 * @module
 */

import type { Random } from "../../random.ts";

/** What can stand in a slot: one of these texts, or what a function draws. It may have slots too. */
export type Slot = readonly string[] | ((random: Random) => string);

/** Slots by name. */
export type Lexicon = Readonly<Record<string, Slot>>;

/**
 * Fills the slots of a template. A slot is a dollar sign and a name of small letters.
 *
 * @param template The template.
 * @param lexicon What its slots can hold.
 * @param random Decides.
 * @returns The text.
 * @throws {RangeError} If a slot is not in the lexicon.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const lexicon = { who: ["the $animal"], animal: ["cat"], number: () => "7" };
 * assertEquals(expand("$who has $number lives", lexicon, Math.random), "the cat has 7 lives");
 * ```
 */
export function expand(template: string, lexicon: Lexicon, random: Random): string {
  return template.replace(/\$([a-z]+)/g, (_, name: string) => {
    const slot = Object.hasOwn(lexicon, name) ? lexicon[name] : undefined;
    if (slot === undefined) {
      throw new RangeError(`Cannot fill "${template}" as the lexicon has no ${name}: add it`);
    }
    const filling = typeof slot === "function" ? slot(random) : pick(slot, random);
    return expand(filling, lexicon, random);
  });
}

/**
 * One of several values, each as likely as the others.
 *
 * @param values At least one value.
 * @param random Decides.
 * @returns The value.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(pick(["a", "b", "c"], () => 0.5), "b");
 * ```
 */
export function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)]!;
}

/**
 * An integer in `[minimum, maximum]`.
 *
 * @param minimum The least.
 * @param maximum The greatest.
 * @param random Decides.
 * @returns The integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(integerBetween(1, 6, () => 0.99), 6);
 * ```
 */
export function integerBetween(minimum: number, maximum: number, random: Random): number {
  return minimum + Math.floor(random() * (maximum - minimum + 1));
}

/**
 * Values without end: all of them in a random order (Fisher and Yates), then all in another. So none
 * comes back before the others have come.
 *
 * @param values At least one value.
 * @param random Decides.
 * @returns The values.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(new Set(deal(["a", "b", "c"], Math.random).take(3)), new Set(["a", "b", "c"]));
 * ```
 */
export function* deal<T>(values: readonly T[], random: Random): Generator<T, never> {
  for (;;) {
    const left = [...values];
    while (left.length > 0) yield* left.splice(integerBetween(0, left.length - 1, random), 1);
  }
}
