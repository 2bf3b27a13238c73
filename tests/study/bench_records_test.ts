import { assertEquals, assertThrows } from "@std/assert";
import { type Bench, peerRatios, readBench, writeBench } from "../../lib/study/bench_records.ts";
import { RecordError } from "../../lib/study/columns.ts";
import type { PassTimes, Work } from "../../lib/study/pass_times.ts";
import { PROVENANCE } from "./tables.ts";

const { machine, code, versions } = PROVENANCE;
const WORKS: readonly Work[] = [
  { kind: "prefill", context: 0, tokens: 512 },
  ...[64, 1024].flatMap((context): Work[] => [
    { kind: "pass", context, tokens: 1 },
    { kind: "pass", context, tokens: 5 },
    { kind: "decode", context, tokens: 32 },
  ]),
];
/** An engine whose every median is `ms`, for all the times that are far off. */
const timesOf = (name: string, ms: number): PassTimes[] =>
  WORKS.map((work) => ({ name, ...work, milliseconds: [ms, ms / 9, ms * 9] }));
const BENCH: Bench = {
  machine,
  code,
  versions,
  startedAt: "2026-01-01T00:00:00.000Z",
  model: "m",
  exact: false,
  threads: 2,
  precision: "int4",
  headPrecision: "int8",
  attention: "grouped",
  loadMs: 600,
  residentBytes: 3e8,
  hostShare: 0.012,
  peers: [
    { name: "llama.cpp b6000", weights: "the file's own" },
    { name: "genai 0.18.0", weights: "int4" },
  ],
  passes: [
    ...timesOf("specbound", 10),
    ...timesOf("llama.cpp b6000", 25),
    ...timesOf("genai 0.18.0", 9),
  ],
};

Deno.test("benches survive being written and read, and of equal settings the later stays", () => {
  const other = { ...BENCH, headPrecision: "int4" };
  const again = { ...BENCH, startedAt: "2026-01-02T00:00:00.000Z" };
  assertEquals(readBench(writeBench([BENCH, other])), [BENCH, other]);
  assertEquals(readBench(writeBench([BENCH, other, again])), [again, other]);
});

Deno.test("ratios are of medians, above 1 where the engine here is faster, by peer and context", () => {
  const ratios = peerRatios(BENCH);
  assertEquals(ratios.map(({ engine, version, context }) => [engine, version, context]), [
    ["llama.cpp", "b6000", 0],
    ["llama.cpp", "b6000", 64],
    ["llama.cpp", "b6000", 1024],
    ["genai", "0.18.0", 0],
    ["genai", "0.18.0", 64],
    ["genai", "0.18.0", 1024],
  ]);
  for (const { engine, context, decode, passes, prefill } of ratios) {
    const ratio = engine === "genai" ? 0.9 : 2.5;
    assertEquals([prefill, decode], context === 0 ? [ratio, null] : [null, ratio]);
    assertEquals([...passes], context === 0 ? [] : [[1, ratio], [5, ratio]]);
  }
});

Deno.test("a bench beside no one has no ratios, and works that a peer lacks are left out", () => {
  assertEquals(peerRatios({ ...BENCH, peers: [] }), []);
  const passes = BENCH.passes.filter(({ name, kind }) => name === "specbound" || kind === "decode");
  for (const { context, decode, passes: ratios, prefill } of peerRatios({ ...BENCH, passes })) {
    assertEquals([ratios.size, prefill, decode === null], [0, null, context === 0]);
  }
});

Deno.test("another schema, another file and a broken one are refused by name", () => {
  const text = writeBench([BENCH]);
  for (
    const [broken, reason] of [
      [text.replace('"schema": 1', '"schema": 2'), "its schema is 2 and this version"],
      [JSON.stringify({ model: "m", results: [] }), "its schema is undefined"],
      [text.slice(0, -9), "it is not JSON"],
      ["null", "its schema is undefined"],
      [text.replace('"loadMs": 600', '"loadMs": null'), "it does not hold what a bench writes"],
      [
        text.replace('"name": "genai 0.18.0"', '"name": 18'),
        "it does not hold what a bench writes",
      ],
      [text.replace(",90]", ',"90"]'), "it does not hold what a bench writes"],
    ] as const
  ) {
    assertThrows(() => readBench(broken, "x/bench.json"), RecordError, `x/bench.json as ${reason}`);
  }
});
