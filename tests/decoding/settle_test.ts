import { assertEquals } from "@std/assert";
import { settle } from "../../lib/decoding/settle.ts";

const END = new Set([9]);
/** A chain of which `accepted` tokens stand, and the next one was tested in vain if there is one. */
const chainVerdict = (drafted: number, accepted: number, next: number) => ({
  path: Array.from({ length: accepted }, (_, i) => i),
  tested: Array.from({ length: Math.min(drafted, accepted + 1) }, (_, i) => i),
  next,
});

Deno.test("a round emits the accepted tokens and one more", () => {
  assertEquals(settle([1, 2, 3], chainVerdict(3, 1, 5), 10, END), {
    tested: 2,
    accepted: 1,
    emitted: [1, 5],
    stop: null,
  });
  assertEquals(settle([], chainVerdict(0, 0, 5), 10, END), {
    tested: 0,
    accepted: 0,
    emitted: [5],
    stop: null,
  });
});

Deno.test("an end of text inside the draft ends the round there, and nothing after it counts", () => {
  assertEquals(settle([1, 9, 3], chainVerdict(3, 3, 5), 10, END), {
    tested: 2,
    accepted: 2,
    emitted: [1],
    stop: "end",
  });
  assertEquals(settle([9, 2, 3], chainVerdict(3, 2, 5), 10, END), {
    tested: 1,
    accepted: 1,
    emitted: [],
    stop: "end",
  });
});

Deno.test("an end of text as the correction or the bonus leaves all that was tested counted", () => {
  const correction = settle([1, 2, 3], chainVerdict(3, 1, 9), 10, END);
  assertEquals(correction, { tested: 2, accepted: 1, emitted: [1], stop: "end" });
  const bonus = settle([1, 2], chainVerdict(2, 2, 9), 10, END);
  assertEquals(bonus, { tested: 2, accepted: 2, emitted: [1, 2], stop: "end" });
});

Deno.test("the first of several ends of text counts", () => {
  assertEquals(settle([1, 9, 9], chainVerdict(3, 3, 9), 10, END).emitted, [1]);
});

Deno.test("the length limit cuts text and counts alike", () => {
  assertEquals(settle([1, 2, 3], chainVerdict(3, 3, 5), 4, END), {
    tested: 3,
    accepted: 3,
    emitted: [1, 2, 3, 5],
    stop: "length",
  });
  assertEquals(settle([1, 2, 3], chainVerdict(3, 2, 5), 2, END), {
    tested: 2,
    accepted: 2,
    emitted: [1, 2],
    stop: "length",
  });
  assertEquals(settle([1, 2, 3], chainVerdict(3, 3, 5), 1, END), {
    tested: 1,
    accepted: 1,
    emitted: [1],
    stop: "length",
  });
});

Deno.test("an end of text beyond the length limit was never reached", () => {
  assertEquals(settle([1, 9], chainVerdict(2, 2, 5), 1, END).stop, "length");
  assertEquals(settle([1, 9], chainVerdict(2, 2, 5), 2, END).stop, "end");
});

Deno.test("in a tree, siblings rejected on the way to the cut are counted, and no others", () => {
  // Roots 4 and 1; under 1: 5, 9; under 9: 6.
  const verdict = { path: [1, 3, 4], tested: [0, 1, 2, 3, 4], next: 7 };
  assertEquals(settle([4, 1, 5, 9, 6], verdict, 10, END), {
    tested: 4,
    accepted: 2,
    emitted: [1],
    stop: "end",
  });
  assertEquals(settle([4, 1, 5, 9, 6], verdict, 1, END).tested, 2);
});
