import { assertEquals, assertRejects } from "@std/assert";
import type { OnnxContext } from "../../lib/engine/onnx_model.ts";
import {
  alternatePasses,
  engineTimer,
  type PassTimer,
  type Work,
} from "../../lib/study/pass_times.ts";

/** A model that writes down what is asked of it; each of its contexts has a number. */
function spy() {
  const asked: string[] = [];
  let opened = 0;
  const open = (): OnnxContext => {
    const id = ++opened;
    let length = 0;
    return {
      rows: 1,
      length: () => length,
      pretend: (to: number) => void (length = to),
      append: ([tokens]: number[][]) => {
        asked.push(`${id}: append ${tokens!.length} after ${length}`);
        length += tokens!.length;
      },
      evaluate: ([tokens]: number[][]) => {
        asked.push(`${id}: evaluate ${tokens!.length} after ${length}`);
        return Promise.resolve({ tokens: [tokens], logits: () => Float32Array.of(0, 1) });
      },
      commit: (_: unknown, [kept]: number[]) => void (length += kept!),
      [Symbol.asyncDispose]: () => void asked.push(`${id}: gone`),
    } as unknown as OnnxContext;
  };
  return { asked, model: { vocabularySize: 2, open } };
}

Deno.test("a pass scores its tokens at once, prefill reads them, decoding takes a pass a token", async () => {
  const { asked, model } = spy();
  await using timer = engineTimer(model, "own");
  await timer.time({ kind: "pass", context: 0, tokens: 3 });
  await timer.time({ kind: "prefill", context: 0, tokens: 300 });
  await timer.time({ kind: "decode", context: 0, tokens: 2 });
  assertEquals(asked, [
    "1: evaluate 3 after 0",
    "1: append 300 after 0",
    "1: evaluate 1 after 0",
    "1: evaluate 1 after 1",
  ]);
});

Deno.test("each work comes after its own context, in a cache that no longer text has grown", async () => {
  const { asked, model } = spy();
  const timer = engineTimer(model, "own");
  for (const context of [64, 64, 8]) await timer.time({ kind: "pass", context, tokens: 1 });
  await timer[Symbol.asyncDispose]();
  assertEquals(asked.slice(1), [
    ...["2: evaluate 1 after 64", "2: evaluate 1 after 64", "2: gone"],
    ...["3: evaluate 1 after 8", "3: gone"],
  ]);
});

const works: Work[] = [
  { kind: "prefill", context: 0, tokens: 9 },
  { kind: "pass", context: 8, tokens: 1 },
];

/** Timers whose times count up in steps, and the order in which they were asked. */
function counters(step: number, ...names: string[]): { order: string[]; timers: PassTimer[] } {
  const order: string[] = [];
  const timers = names.map((name) => {
    let count = 0;
    return {
      name,
      time: ({ kind }: Work) => (order.push(`${name} ${kind}`), Promise.resolve(step * ++count)),
    };
  });
  return { order, timers };
}

Deno.test("engines alternate, each warmed up by passes that do not count", async () => {
  const { order, timers } = counters(30, "a", "b");
  const times = await Array.fromAsync(alternatePasses(timers, works, { repeats: 2 }));
  const turn = (name: string, kind: string, passes: number) => [
    ...Array(passes).fill(`${name} pass`),
    `${name} ${kind}`,
  ];
  assertEquals(order, [
    // 30 and 60 milliseconds are enough, and later one pass is.
    ...[...turn("a", "prefill", 2), ...turn("b", "prefill", 2)],
    ...Array(2).fill([...turn("a", "prefill", 1), ...turn("b", "prefill", 1)]).flat(),
    ...Array(3).fill([...turn("a", "pass", 1), ...turn("b", "pass", 1)]).flat(),
  ]);
  assertEquals(
    times.map(({ name, kind, milliseconds }) => [name, kind, milliseconds]),
    [
      ["a", "prefill", [150, 210]],
      ["b", "prefill", [150, 210]],
      ["a", "pass", [330, 390]],
      ["b", "pass", [330, 390]],
    ],
  );
});

Deno.test("warming up ends where passes take no time", async () => {
  const { order, timers } = counters(0, "a");
  await Array.fromAsync(alternatePasses(timers, works.slice(1), { repeats: 1 }));
  assertEquals(order.length, 2 * (20 + 1));
});

Deno.test("no engine is asked again once the bench is interrupted", async () => {
  const { order, timers } = counters(1, "a", "b");
  const controller = new AbortController();
  const stopping = { name: "c", time: () => (controller.abort(), Promise.resolve(1)) };
  const { signal } = controller;
  await assertRejects(
    () => Array.fromAsync(alternatePasses([stopping, ...timers], works, { repeats: 2, signal })),
    DOMException,
  );
  assertEquals(order, []);
});
