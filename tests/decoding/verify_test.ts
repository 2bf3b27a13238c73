import { assertEquals, assertThrows } from "@std/assert";
import { softmax } from "../../lib/engine/softmax.ts";
import { judge, verify, verifyGreedy } from "../../lib/decoding/verify.ts";

/** Draws that were written down. */
function scripted(...draws: number[]): () => number {
  return () => {
    const draw = draws.shift();
    if (draw === undefined) throw new Error("no more draws were expected");
    return draw;
  };
}

const p = Float64Array.of(0.25, 0.25, 0.5);
const q = Float64Array.of(0.5, 0.25, 0.25);

Deno.test("a drawn token is accepted below p/q, and rejected from there on", () => {
  const draft = { tokens: [0], distributions: [q] };
  const after = (node: number) => node < 0 ? p : Float64Array.of(1, 0, 0);
  assertEquals(verify(draft, after, scripted(0.4999, 0)).path, [0]);
  assertEquals(verify(draft, after, scripted(0.5, 0)).path, []);
});

Deno.test("a rejection is corrected from what p has more than q", () => {
  const verdict = verify({ tokens: [0], distributions: [q] }, () => p, scripted(0.5, 0.999));
  assertEquals(verdict, { path: [], tested: [0], next: 2 });
});

Deno.test("a token that p excludes is never accepted, and one that p = q gives always is", () => {
  const never = Float64Array.of(0, 0.5, 0.5);
  assertEquals(verify({ tokens: [0] }, () => never, scripted(0, 0)).path, []);
  assertEquals(verify({ tokens: [0], distributions: [q] }, () => never, scripted(0, 0)).path, []);
  const highest = 1 - 2 ** -53;
  for (const mass of [1 / 3, 0.1, 0.7, 1 - 2 ** -53, 2 ** -30 / 3]) {
    const same = Float64Array.of(mass, 1 - mass);
    const verdict = verify(
      { tokens: [0], distributions: [same] },
      () => same,
      scripted(highest, 0),
    );
    assertEquals(verdict.path, [0]);
  }
});

Deno.test("a chosen token is accepted with its probability, and excluded if rejected", () => {
  assertEquals(verify({ tokens: [2] }, () => p, scripted(0.4999, 0)).path, [0]);
  assertEquals(verify({ tokens: [2] }, () => p, scripted(0.5, 0.999)).next, 1);
});

Deno.test("siblings are tried in order, and only those of the path", () => {
  // Roots 0 and 1, each with children 0 and 1.
  const draft = { tokens: [0, 1, 0, 1, 0, 1], parents: [-1, -1, 0, 0, 1, 1] };
  const half = Float64Array.of(0.5, 0.5);
  assertEquals(verify(draft, () => half, scripted(0.9, 0.9, 0.9, 0.9, 0)), {
    path: [1, 5],
    tested: [0, 1, 4, 5],
    next: 0,
  });
});

Deno.test("the target is asked only where the path leads", () => {
  const asked: number[] = [];
  const target = (node: number) => {
    asked.push(node);
    return Float64Array.of(1, 0);
  };
  verify({ tokens: [0, 1, 0] }, target, scripted(0, 0, 0));
  assertEquals(asked, [-1, 0]);
});

Deno.test("p that a rejection empties by rounding is drawn from as it was", () => {
  const almost = Float64Array.of(1 - 2 ** -53, 0);
  const verdict = verify({ tokens: [0] }, () => almost, scripted(1 - 2 ** -53, 0.5));
  assertEquals(verdict, { path: [], tested: [0], next: 0 });
});

Deno.test("verify() refuses drawn tokens without a distribution over the target's vocabulary", () => {
  for (const distributions of [[], [Float64Array.of(1)], [Float64Array.of(0.5, 0.5, 0, 0)]]) {
    assertThrows(
      () => verify({ tokens: [0], distributions }, () => p, scripted(0, 0)),
      RangeError,
      "Cannot verify",
    );
  }
});

Deno.test("verifyGreedy() takes the longest path of argmaxes", () => {
  const best = (node: number) => [5, 6, 7, 8][node + 1]!;
  assertEquals(verifyGreedy({ tokens: [5, 6, 7] }, best), {
    path: [0, 1, 2],
    tested: [0, 1, 2],
    next: 8,
  });
  assertEquals(verifyGreedy({ tokens: [5, 4, 7] }, best), { path: [0], tested: [0, 1], next: 6 });
  assertEquals(verifyGreedy({ tokens: [] }, best), { path: [], tested: [], next: 5 });
});

Deno.test("verifyGreedy() finds the branch of a tree that stands, and takes one of equal siblings", () => {
  const best = (node: number) => [5, 1, 6, 6, 2, 3][node + 1]!;
  const draft = { tokens: [4, 5, 5, 6, 6], parents: [-1, -1, -1, 1, 2] };
  assertEquals(verifyGreedy(draft, best), { path: [1, 3], tested: [0, 1, 3], next: 2 });
});

Deno.test("judge() compares argmaxes when greedy, without drawing, and draws otherwise", () => {
  const logits = () => Float32Array.of(0, 1, -Infinity);
  const scores = { logits, probabilities: () => softmax(logits(), 1) };
  const greedy = judge({ tokens: [0] }, scores, { temperature: 0 }, scripted());
  assertEquals(greedy, { path: [], tested: [0], next: 1 });
  const sampled = judge({ tokens: [0] }, scores, { temperature: 1 }, scripted(0.2, 0.9));
  assertEquals(sampled, { path: [0], tested: [0], next: 1 });
});
