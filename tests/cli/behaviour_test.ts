import { assert, assertEquals, assertGreater } from "@std/assert";
import { sha256File } from "../../lib/models/digest.ts";
import { readCosts } from "../../lib/study/cost_store.ts";
import { readRecords } from "../../lib/study/store.ts";
import { readTraces } from "../../lib/study/trace_store.ts";
import { tinyDraft } from "../engine/draft_files.ts";
import { tinyGguf } from "../faults/tiny_model.ts";
import { sweep } from "./sweep_command.ts";

Deno.test("sweep behaviour, costs and validate work hand in hand on a model's file", async () => {
  const folder = await Deno.makeTempDir();
  const model = `${folder}/tiny.gguf`;
  await Deno.writeFile(model, tinyGguf());
  const run = (...args: string[]) => sweep(args, { SPECBOUND_CACHE: folder });
  const shared = ["--model", model, "--precisions", "fp32", "--threads", "1"];
  const records = ["--records", `${folder}/records`];
  const [traces, prompts] = [["--traces", `${folder}/traces`], [
    "--prompts",
    "data/prompts/quick.json",
  ]];
  const texts = [...shared, ...prompts, ...traces, "--max-tokens", "8"];

  const first = await run("behaviour", ...texts, "--take", "6");
  assertEquals(first.code, 0, first.err);
  assert(/own int4 +0 +6 /.test(first.out), first.out);
  const recorded = await readTraces(`${folder}/traces`);
  assertEquals(recorded.length, 3 * 2 * 6);
  await run("behaviour", ...texts, "--take", "6");
  assertEquals((await readTraces(`${folder}/traces`)).length, recorded.length);
  await run("behaviour", ...texts, "--take", "1", "--temperatures", "1", "--seeds", "1,2,3");
  const sampled = (await readTraces(`${folder}/traces`)).filter(({ seed }) => seed > 1);
  assertEquals(
    sampled.map(({ temperature, seed }) => [temperature, seed]).sort(),
    [[1, 2], [1, 2], [1, 2], [1, 3], [1, 3], [1, 3]],
  );

  const costs = ["--drafts", `${model}@int4`, "--minutes", "0.1"];
  assertEquals((await run("costs", ...shared, ...records, ...costs)).code, 0);
  const planned = await run("validate", ...texts, ...records, "--contexts", "none", "--plan");
  const few = await run(
    "validate",
    ...texts,
    ...records,
    "--contexts",
    "none",
    "--plan",
    "--cells",
    "5",
  );
  assert(
    /^fp32: 12 cells, 42 pairs, about (\d+\.\d|unknown) minutes\n$/.test(planned.out),
    planned.out,
  );
  assert(/^fp32: 5 cells, /.test(few.out), few.out);
  const validated = await run("validate", ...texts, ...records, "--contexts", "none");
  assertEquals(validated.code, 0, validated.err);
  assert(/All \d+ runs keep the identities/.test(validated.out), validated.out);
  const machine = [...Deno.readDirSync(`${folder}/records`)][0]!.name;
  const { runs } = await readRecords(`${folder}/records/${machine}`);
  const drafted = new Set(runs.map(({ draft }) => draft));
  assertEquals(drafted, new Set(["none", "prompt-lookup", "ngram", "model"]));
  const again = await run("validate", ...texts, ...records, "--report");
  assertGreater(again.out.split("\n").length, 5);
  assertEquals(again.out, validated.out);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("sweep behaviour, costs and validate measure heads as they do other drafts", async () => {
  const folder = await Deno.makeTempDir();
  const model = `${folder}/tiny.gguf`;
  const heads = ["feature", "exit"].map((role) => `${folder}/${role}.gguf`);
  await Deno.writeFile(model, tinyGguf());
  const sha256 = await sha256File(model);
  await Deno.writeFile(heads[0]!, tinyDraft("feature", sha256));
  await Deno.writeFile(heads[1]!, tinyDraft("exit", sha256));
  const run = (...args: string[]) => sweep(args, { SPECBOUND_CACHE: folder });
  const drafts = ["--drafts", heads.map((head) => `${head}@int8`).join()];
  const shared = ["--model", model, "--precisions", "int8", "--threads", "1", ...drafts];
  const records = ["--records", `${folder}/records`];
  const texts = ["--contexts", "none", "--max-tokens", "8", "--traces", `${folder}/traces`]
    .concat("--prompts", "data/prompts/quick.json");

  const behaviour = await run("behaviour", ...shared, ...texts, "--take", "2");
  assertEquals(behaviour.code, 0, behaviour.err);
  const traces = await readTraces(`${folder}/traces`);
  assertEquals(new Set(traces.map(({ draftModel }) => draftModel)), new Set(heads));
  const cells = ["--contexts", "64", "--minutes", "0.1"];
  const timed = await run("costs", ...shared, ...records, ...cells);
  assertEquals(timed.code, 0, timed.err);
  const machine = `${folder}/records/${[...Deno.readDirSync(`${folder}/records`)][0]!.name}`;
  const costs = (await readCosts(machine)).filter((cost) => heads.includes(cost.model));
  assertGreater(costs.length, 0);
  for (const { model, kind, status } of costs) {
    const unread = model === heads[1] && kind === "prefill"; // it finds the prompt read
    assertEquals(status, unread ? "failed" : "ok");
  }
  const validated = await run("validate", ...shared, ...records, ...texts, "--cells", "4");
  assertEquals(validated.code, 0, validated.err);
  assert(/All \d+ runs keep the identities/.test(validated.out), validated.out);
  const { runs } = await readRecords(machine);
  assertEquals(new Set(runs.map(({ draftModel }) => draftModel)), new Set([null, ...heads]));

  const mixed = await run("behaviour", ...shared, ...texts, "--precisions", "fp32");
  assertEquals(mixed.code, 1);
  assert(
    /exit.gguf in int8 as its layers are those of a target in fp32/.test(mixed.err),
    mixed.err,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("sweep behaviour, validate and the study say in a line what they cannot do", async () => {
  for (
    const [args, code, reason] of [
      [["behaviour", "--preset", "huge"], 2, "--preset must be one of quick, study"],
      [["behaviour", "--drafts", "tiny"], 1, "must be prompt-lookup, ngram or id@precision"],
      [["behaviour", "--precisions", "int3"], 1, "a precision must be one of fp32, int8, int4"],
      [["behaviour", "--contexts", "many"], 1, "contexts must be an integer of at least 1"],
      [["behaviour", "--temperatures", "0,,1"], 1, "temperatures must be a number of at least 0"],
      [["behaviour", "--seeds", "none"], 1, "seeds must be an integer of at least 1"],
      [["behaviour", "--take", "0"], 1, "take must be an integer of at least 1"],
      [["--preset", "study", "--shard", "1/3"], 1, "Cannot shard the study as its layers"],
      [["validate", "--traces", "no/such/folder"], 1, "Cannot read traces as no/such/folder"],
    ] as const
  ) {
    const result = await sweep(args);
    assertEquals([result.code, result.out], [code, ""], result.err);
    assert(result.err.includes(reason), result.err);
    assertEquals(result.err.trim().split("\n").length, 1);
  }
});
