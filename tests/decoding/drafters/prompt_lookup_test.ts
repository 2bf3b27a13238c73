import { assertEquals, assertThrows } from "@std/assert";
import {
  promptLookup,
  type PromptLookupOptions,
} from "../../../lib/decoding/drafters/prompt_lookup.ts";
import { stream } from "../../../lib/random.ts";

const request = { limit: 4, sampling: {}, random: () => NaN };

async function lookUp(
  text: readonly number[],
  options?: PromptLookupOptions,
): Promise<readonly number[]> {
  return (await promptLookup(options).propose(text, request)).tokens;
}

/** The same by scanning all of the text. */
function scan(text: readonly number[], shortest: number, longest: number): number[] {
  for (let n = Math.min(longest, text.length - 1); n >= shortest; n--) {
    for (let end = text.length - 1; end >= n; end--) {
      const equal = text.slice(end - n, end).every((token, i) =>
        token === text[text.length - n + i]
      );
      if (equal) return text.slice(end, end + request.limit);
    }
  }
  return [];
}

Deno.test("the longest suffix counts before a newer, shorter one", async () => {
  assertEquals(await lookUp([1, 2, 3, 7, 7, 2, 3, 8, 8, 1, 2, 3]), [7, 7, 2, 3]);
});

Deno.test("a text shorter than the longest suffix is looked up by what it has", async () => {
  assertEquals(await lookUp([1, 2, 2, 1, 2], { longest: 6, shortest: 1 }), [2, 1, 2]);
});

Deno.test("of equal suffixes the newest counts", async () => {
  assertEquals(await lookUp([1, 2, 7, 1, 2, 8, 1, 2]), [8, 1, 2]);
});

Deno.test("an occurrence may overlap the suffix, and the draft ends with the text", async () => {
  assertEquals(await lookUp([5, 5, 5, 5]), [5]);
  assertEquals(await lookUp([1, 2, 1, 2, 1, 2]), [1, 2]);
});

Deno.test("a text that repeats nothing gets no draft", async () => {
  assertEquals(await lookUp([1, 2, 3, 4, 5]), []);
  assertEquals(await lookUp([1]), []);
  assertEquals(await lookUp([1, 1]), []); // one token is shorter than the shortest
  assertEquals(await lookUp([1, 1], { longest: 1, shortest: 1 }), [1]);
});

Deno.test("the index finds what a scan finds, in text that grows, shrinks and changes", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = stream(seed, "text");
    const [shortest, longest] = seed % 2 ? [1, 4] : [2, 3];
    const drafter = promptLookup({ shortest, longest });
    let text: number[] = [];
    for (let round = 0; round < 60; round++) {
      if (random() < 0.1) text = text.slice(0, Math.floor(random() * text.length));
      if (random() < 0.05) text = text.map((token) => (token + 1) % 4);
      const grown = 1 + Math.floor(random() * 5);
      for (let i = 0; i < grown; i++) text.push(Math.floor(random() * 4));
      const { tokens } = await drafter.propose(text, request);
      assertEquals(tokens, scan(text, shortest, longest), `seed ${seed}, round ${round}`);
    }
  }
});

Deno.test("promptLookup() refuses lengths out of order", () => {
  assertThrows(() => promptLookup({ shortest: 0 }), RangeError, "shortest");
  assertThrows(() => promptLookup({ shortest: 4 }), RangeError, "longest");
});
