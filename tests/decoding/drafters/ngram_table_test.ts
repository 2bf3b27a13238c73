import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  NgramTable,
  type NgramTableOptions,
  NOWHERE,
  type Prediction,
} from "../../../lib/decoding/drafters/ngram_table.ts";
import { stream } from "../../../lib/random.ts";

/** Learns a text after a place; returns the place of its last token. */
function learn(table: NgramTable, text: readonly number[], place = NOWHERE): number {
  for (const token of text) place = table.learn(token, place);
  return place;
}

function tableOf(texts: readonly (readonly number[])[], options?: NgramTableOptions): NgramTable {
  const table = new NgramTable(options);
  for (const text of texts) learn(table, text);
  return table;
}

/** The same by scanning all of the texts, newest last. */
function scan(
  texts: readonly (readonly number[])[],
  context: readonly number[],
  order: number,
): Prediction | null {
  /** What followed the context's last n tokens, newest first. */
  const successors = (n: number) =>
    texts.flatMap((text) =>
      text.flatMap((token, at) => {
        const equal = at >= n && context.length >= n &&
          text.slice(at - n, at).every((other, i) => other === context[context.length - n + i]);
        return equal ? [token] : [];
      })
    ).reverse();
  const known = Array.from({ length: order + 1 }, (_, n) => n).slice(2)
    .filter((n) => successors(n).length > 0);
  if (known.length === 0) return null;
  const longest = successors(known.at(-1)!);
  const countIn = (list: readonly number[], token: number) =>
    list.filter((other) => other === token).length;
  const most = Math.max(...longest.map((token) => countIn(longest, token)));
  const token = longest.find((token) => countIn(longest, token) === most)!;
  const confidence = known.reduce(
    (shorter, n) => (countIn(successors(n), token) + shorter) / (successors(n).length + 1),
    0,
  );
  return { token, confidence };
}

Deno.test("the longest context counts before a more frequent, shorter one", () => {
  const table = tableOf([[1, 2, 3, 7], [5, 2, 3, 8], [6, 2, 3, 8]]);
  assertEquals(table.predict([1, 2, 3])!.token, 7);
  assertEquals(table.predict([9, 2, 3])!.token, 8);
  assertEquals(table.predict([2, 9]), null);
});

Deno.test("the most frequent successor counts, and of equals the newest", () => {
  assertEquals(tableOf([[1, 2, 3], [1, 2, 3], [1, 2, 4]]).predict([1, 2])!.token, 3);
  assertEquals(tableOf([[1, 2, 3], [1, 2, 4]]).predict([1, 2])!.token, 4);
});

Deno.test("confidence blends the counts of longer and longer contexts", () => {
  const table = tableOf([[1, 2, 3, 7], [5, 2, 3, 8], [6, 2, 3, 8]]);
  assertAlmostEquals(table.predict([9, 2, 3])!.confidence, 2 / 4); // 2 of 3, and the unseen
  assertAlmostEquals(table.predict([1, 2, 3])!.confidence, (1 + 1 / 4) / 2);
  const once = tableOf([[1, 2, 3, 4, 5, 6, 7]]);
  const sure = [2, 3, 4, 5, 6].map((n) => once.predict([1, 2, 3, 4, 5, 6].slice(-n))!.confidence);
  assertEquals(sure, [1 / 2, 3 / 4, 7 / 8, 15 / 16, 31 / 32]);
});

Deno.test("a table predicts what a scan of its newest tokens would, in texts that grow together and are cut back", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = stream(seed, "texts");
    const below = (n: number) => Math.floor(random() * n);
    const order = 2 + below(5);
    const table = new NgramTable({ order, capacity: 4096 });
    // Texts in the order that their tokens are learnt: the scan sees them one after another, so only
    // the last one grows, and ties fall alike.
    const texts: { tokens: number[]; places: number[] }[] = [];
    for (let step = 0; step < 40; step++) {
      if (step % 10 === 0) texts.push({ tokens: [], places: [] });
      const { tokens, places } = texts.at(-1)!;
      for (let cut = below(4); cut > 0 && places.length > 0; cut--) {
        assertEquals(table.forget(places.pop()!), places.at(-1) ?? NOWHERE);
        tokens.pop();
      }
      for (let grown = below(8); grown > 0; grown--) {
        tokens.push(below(3));
        places.push(table.learn(tokens.at(-1)!, places.at(-1) ?? NOWHERE));
      }
      const context = Array.from({ length: 1 + below(9) }, () => below(3));
      for (const asked of [tokens, context]) {
        const expected = scan(texts.map((text) => text.tokens), asked, order);
        assertEquals(table.predict(asked), expected, `seed ${seed}, step ${step}`);
      }
    }
  }
});

Deno.test("texts that are learnt in turns are learnt as if one after another", () => {
  const [one, two] = [[1, 2, 3, 4, 5], [1, 2, 6, 4, 7]];
  const table = new NgramTable();
  let [first, second] = [NOWHERE, NOWHERE];
  one.forEach((token, i) => {
    first = table.learn(token, first);
    second = table.learn(two[i]!, second);
  });
  for (const context of [[1, 2], [2, 3], [6, 4], [3, 4], [1, 1]]) {
    assertEquals(table.predict(context), tableOf([one, two]).predict(context));
  }
});

Deno.test("a table knows its newest tokens, and none before them", () => {
  const capacity = 100;
  const random = stream(1, "text");
  const text = Array.from({ length: 1000 }, () => Math.floor(random() * 4));
  const table = new NgramTable({ order: 4, capacity });
  let place = NOWHERE;
  for (let end = 1; end <= text.length; end++) {
    place = table.learn(text[end - 1]!, place);
    const held = text.slice(Math.max(0, end - capacity), end);
    assertEquals(table.predict(held), scan([held], held, 4), `after ${end} tokens`);
  }
});

Deno.test("a cleared table knows nothing, and learns again", () => {
  const table = tableOf([[1, 2, 3]]);
  table.clear();
  assertEquals(table.predict([1, 2]), null);
  learn(table, [1, 2, 4]);
  assertEquals(table.predict([1, 2])!.token, 4);
});

Deno.test("a text whose newest token was pushed out begins anew", () => {
  const table = new NgramTable({ capacity: 3 });
  const place = learn(table, [1, 2]);
  learn(table, [7, 8, 9]);
  assertEquals(table.forget(place), NOWHERE);
  learn(table, [3], place);
  assertEquals(table.predict([1, 2]), null);
});

Deno.test("the time of a prediction does not grow with the occurrences of its context", () => {
  const table = tableOf([[1, 2, 3], new Array(5000).fill([1, 2, 4]).flat()]);
  // 4999 of 5000 would be surer: only the newest 256 count.
  const { token, confidence } = table.predict([1, 2])!;
  assertEquals(token, 4);
  assert(confidence < 256 / 256.5, `${confidence}`);
});

Deno.test("NgramTable refuses sizes out of range", () => {
  for (const options of [{ order: 1 }, { order: 2.5 }, { capacity: 0 }, { capacity: 1e9 }]) {
    assertThrows(() => new NgramTable(options), RangeError, "Cannot count n-grams");
  }
});
