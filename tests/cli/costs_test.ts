import { assert, assertEquals, assertGreater } from "@std/assert";
import { readCosts } from "../../lib/study/cost_store.ts";
import { tinyGguf } from "../faults/tiny_model.ts";
import { sweep } from "./sweep_command.ts";

Deno.test("sweep costs times a model's passes, those past its limit flagged, and goes on where it stopped", async () => {
  const folder = await Deno.makeTempDir();
  const model = `${folder}/tiny.gguf`;
  await Deno.writeFile(model, tinyGguf());
  const args = ["costs", "--model", model, "--threads", "1", "--records", `${folder}/records`];
  const measure = (...more: string[]) => sweep([...args, ...more], { SPECBOUND_CACHE: folder });

  const first = await measure("--minutes", "0.1", "--process", "1");
  assertEquals(first.code, 0, first.err);
  const machine = [...Deno.readDirSync(`${folder}/records`)][0]!.name;
  const read = () => readCosts(`${folder}/records/${machine}`);
  const before = await read();
  assertGreater(before.length, 0);
  assertEquals(new Set(before.map(({ batch }) => batch)), new Set([1]));
  const second = await measure("--minutes", "0.1", "--process", "1");
  assertEquals(second.code, 0, second.err);
  const after = await read();
  assertEquals(after.slice(0, before.length), before);
  assertEquals(new Set(after.map(({ cell }) => cell)).size, after.length);
  const third = await measure("--minutes", "0.1", "--contexts", "32", "--batches", "1,2");
  assertEquals(third.code, 0, third.err);
  const chosen = (await read()).slice(after.length);
  const passes = chosen.filter(({ kind }) => kind === "pass");
  assertEquals(new Set(passes.map(({ context }) => context)), new Set([32]));
  assertEquals(new Set(chosen.map(({ batch }) => batch)), new Set([1, 2]));
  for (const { context, width, status, repeats, pastLimit } of after) {
    assertEquals([status, pastLimit], ["ok", context + width > 4096]);
    assertGreater(repeats!, 0);
  }
  const none = await measure("--minutes", "0", "--process", "2");
  assertEquals([none.code, (await read()).length], [1, after.length + chosen.length]);
  assert(
    none.err.includes("Cannot measure costs as the 0 minutes were over before a pass"),
    none.err,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("sweep without costs is the study, and says where costs are", async () => {
  const { code, out } = await sweep(["--help"]);
  assertEquals(code, 0);
  assert(out.includes("Usage: deno task sweep [flags]"), out);
  assert(out.includes("deno task sweep costs"), out);
});

Deno.test("sweep costs says in a line what it cannot do", async () => {
  for (
    const [args, code, reason] of [
      [["--preset", "huge"], 2, "--preset must be one of quick, study"],
      [["--drafts", "tiny"], 1, "or id@precision: current value is tiny"],
      [["--precisions", "int3"], 1, "a precision must be one of fp32, int8, int4"],
      [["--threads", "two"], 1, "threads must be an integer of at least 1"],
      [["--batches", "1,0"], 1, "batches must be an integer of at least 1"],
      [["--minutes=-1"], 1, "minutes must be a number of at least 0"],
    ] as const
  ) {
    const result = await sweep(["costs", ...args]);
    assertEquals([result.code, result.out], [code, ""]);
    assert(result.err.includes(reason), result.err);
    assertEquals(result.err.trim().split("\n").length, 1);
  }
});
