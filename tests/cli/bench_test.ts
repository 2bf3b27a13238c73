import { assertEquals, assertStringIncludes } from "@std/assert";
import { benchHead, benchRow } from "../../cli/bench_table.ts";
import type { PassTimes } from "../../lib/study/pass_times.ts";

const pass: PassTimes = {
  name: "own",
  kind: "pass",
  context: 64,
  tokens: 5,
  milliseconds: [20, 10, 90],
};

Deno.test("a row gives each peer's time over the time here, under its head", () => {
  const single = { ...pass, tokens: 1, milliseconds: [8] };
  const peers = [[30], [10]].map((milliseconds) => ({ ...pass, milliseconds }));
  const [head, row] = [
    benchHead(["own", "llama.cpp", "genai"]),
    benchRow([pass, ...peers], single),
  ];
  assertEquals(row.split(/ {2,}/), [
    ...["pass 5 after 64", "20.0 ms", "2.50", "30.0 ms", "1.50", "10.0 ms", "0.50"],
  ]);
  assertEquals(head.length, row.length);
  assertEquals(head.indexOf("genai") + "genai".length, row.indexOf("10.0 ms") + "10.0 ms".length);
});

Deno.test("prefill and decoding are rates, and their ratio is still above 1 where this one is faster", () => {
  const prefill = { ...pass, kind: "prefill" as const, tokens: 512 };
  const row = benchRow([
    { ...prefill, milliseconds: [1000] },
    { ...prefill, milliseconds: [2000] },
  ]);
  assertEquals(row.split(/ {2,}/), ["prefill 512 after 64", "512.0 tok/s", "256.0 tok/s", "2.00"]);
});

for (
  const [args, message] of [
    [["--precisions", "fp32,int2"], "Cannot bench int2 as that is no precision"],
    [["--widths", "1,x"], "Cannot bench as widths must be an integer of at least 1"],
    [["--contexts", ""], "Cannot bench as contexts"],
    [["--repeats", "0"], "Cannot bench as repeats must be an integer of at least 1"],
    [["--decode", "0.5"], "Cannot bench as decode must be an integer of at least 1"],
    [["--peer", "vllm"], "Cannot bench beside vllm as that names no peer"],
    [["--bogus"], "see deno task bench --help"],
  ] as const
) {
  Deno.test(`bench ${args.join(" ")} is a line that says what is wrong, before anything is loaded`, async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "cli/bench.ts", ...args],
      cwd: new URL("../..", import.meta.url),
      env: { NO_COLOR: "1", SPECBOUND_CACHE: await Deno.makeTempDir() },
    }).output();
    const text = new TextDecoder().decode(stderr);
    assertEquals([success, new TextDecoder().decode(stdout)], [false, ""]);
    assertStringIncludes(text, message);
    assertEquals(text.trimEnd().split("\n").length, 1);
  });
}
