import { assert, assertEquals, assertStringIncludes } from "@std/assert";

async function project(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", "cli/project.ts", ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("project shows its errors, and calls all of its tables projections", async () => {
  const { code, out } = await project();
  assertEquals(code, 0);
  const titles = out.split("\n").filter((line) => line.startsWith("PROJECTION"));
  assertEquals(titles.length, 2);
  assertStringIncludes(out, "by width, held out: ");
  assert(/Error of S: \d+, median \d+ %, worst \d+ %/.test(out), out);
  assert(!out.includes("NaN") && !out.includes("undefined"), out);
});

Deno.test("processor cores are left out of a format that was not measured on them", async () => {
  const { out } = await project("--format", "fp16");
  assert(/^h100-sxm .*data-centre/m.test(out), out);
  assert(!/^epyc-9654 /m.test(out), out);
});

Deno.test("project says in a line what it cannot do", async () => {
  for (
    const [args, code, reason] of [
      [["--format", "fp64"], 2, "format must be one of fp16, int8, int4"],
      [["--machine", "abacus"], 1, "hardware.csv has no such part"],
      [["--target", "shape:gpt-5"], 1, 'Cannot find model "shape:gpt-5"'],
      [["--alpha", "2"], 1, "alpha must be a number from 0 to 1"],
    ] as const
  ) {
    const result = await project(...args);
    assertEquals(result.code, code, result.err);
    assert(result.err.includes(reason), result.err);
    assertEquals(result.err.trim().split("\n").length, 1);
  }
});
