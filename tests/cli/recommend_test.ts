import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { readPolicy } from "../../lib/advice/policy.ts";
import { openCosts, readCosts } from "../../lib/study/cost_store.ts";
import { describeMachine } from "../../lib/study/provenance.ts";
import { openTraces } from "../../lib/study/trace_store.ts";
import { pricedCosts } from "../advice/priced_costs.ts";
import { plantedTraces } from "../analysis/planted_machine.ts";
import { tinyGguf } from "../faults/tiny_model.ts";

/** Records of tables on this machine. */
async function writeFixture(folder: string): Promise<void> {
  const { id } = await describeMachine();
  await using costs = await openCosts(`${folder}/records/${id}`);
  for (const cost of await pricedCosts()) await costs.append(cost);
  await using traces = await openTraces(`${folder}/traces`);
  for (const trace of await plantedTraces()) await traces.append(trace);
}

const folder = await Deno.makeTempDir();
await writeFixture(folder);
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

async function recommend(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const at = ["--records", `${folder}/records`, "--traces", `${folder}/traces`];
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "cli/recommend.ts", "--model", "table", "--threads", "1", ...at, ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1", SPECBOUND_CACHE: folder },
  }).output();
  const [out, err] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code: output.code, out: out!, err: err! };
}

Deno.test("recommend answers first, then gives K by context and why, and writes what it says", async () => {
  const file = `${folder}/policy.json`;
  const { code, out, err } = await recommend(
    "--precision",
    "fp32",
    "--max-tokens",
    "40",
    "--json",
    file,
  );
  assertEquals([code, err], [0, ""]);
  assertMatch(out, /^(Yes|No|Undecided): .*\(fp32, prompts of \d+ tokens\)/);
  assertMatch(out, /context +K +S +fall back below α/);
  for (const label of ["Why", "Price", "Fall back", "Always K = 4", "Measured", "Based on"]) {
    assertStringIncludes(out, `\n${label}`);
  }
  const policy = readPolicy(await Deno.readTextFile(file), file);
  assertEquals([policy.model, policy.precision], ["table", "fp32"]);
  assertEquals(policy.ranges.some(({ draftLength }) => draftLength > 0), out.startsWith("Yes"));
});

Deno.test("recommend takes the precision with the fastest replies where none is asked for", async () => {
  const { out } = await recommend("--max-tokens", "40");
  assertStringIncludes(out.split("\n").slice(0, 2).join(" "), "int4");
  for (const other of ["fp32", "int8"]) assertMatch(out, new RegExp(`^  ${other} `, "m"));
});

Deno.test("recommend --held-out judges advice on the other half", async () => {
  const { code, out } = await recommend("--held-out", "--precision", "int8", "--max-tokens", "40");
  assertEquals(code, 0);
  assertEquals(out.match(/^(yes|no|undecided): int8 /gm)?.length, 2);
  assertMatch(out, /gives away \d+ % and \d+ % of the best/);
});

Deno.test("recommend --prompts traces one's own prompts on the spot, and keeps none of them", async () => {
  const [model, file] = [`${folder}/tiny.gguf`, `${folder}/prompts.txt`];
  await Deno.writeFile(model, tinyGguf());
  await Deno.writeTextFile(file, "one two one two\n\nthree\none two one two\n  four four four  \n");
  {
    const { id } = await describeMachine();
    await using costs = await openCosts(`${folder}/own/${id}`);
    for (const cost of await pricedCosts()) await costs.append({ ...cost, model });
  }
  const own = ["--model", model, "--prompts", file, "--drafts", "prompt-lookup,ngram"];
  const place = ["--precision", "int8", "--max-tokens", "12", "--records", `${folder}/own`];
  const { code, out, err } = await recommend(...own, ...place, "--traces", "no/such/folder");
  assertEquals(code, 0, err);
  const basis = out.match(/^Based on +3 prompts of \d+ to \d+ tokens \(chat\)/m);
  assert(basis);
  await Deno.writeTextFile(file, JSON.stringify(["one two one two", "three", "four four four"]));
  assertStringIncludes((await recommend(...own, ...place)).out, basis[0]);
  await Deno.writeTextFile(file, " \n");
  const { code: empty, err: reason } = await recommend(...own, ...place);
  assertEquals(empty, 1);
  assertStringIncludes(reason, "it holds no prompts");
});

Deno.test("recommend measures costs on the spot where there are none, and leaves them on record", async () => {
  const model = `${folder}/tiny.gguf`;
  await Deno.writeFile(model, tinyGguf());
  const traces = `${folder}/tiny-traces`;
  {
    await using store = await openTraces(traces);
    for (const trace of await plantedTraces()) {
      // Traces travel, weights may not: what no one can load here is not priced here.
      const of = trace.draft === "model" ? { draftModel: `${folder}/elsewhere.gguf` } : {};
      await store.append({ ...trace, model, ...of });
    }
  }
  const records = `${folder}/measured`;
  const place = ["--model", model, "--precision", "int8", "--minutes", "0.3", "--records", records];
  const { code, err } = await recommend(...place, "--traces", traces);
  // Where the machine is slow, too little was measured to go by.
  if (code !== 0) assertMatch(err, /too disturbed to go by/);
  const { id } = await describeMachine();
  const costs = await readCosts(`${records}/${id}`);
  assertGreater(costs.length, 0);
  assert(costs.every((row) => row.model === model && row.precision === "int8"));
});

Deno.test("recommend says in a line what it cannot do", async () => {
  for (
    const [args, code, reason] of [
      [["--task", "cooking"], 2, "--task must be one of code, edit"],
      [["--temperature", "0.7"], 1, "no trace is at temperature 0.7: give your own prompts"],
      [["--context", "90000"], 1, "costs at a context of 90000 are not on record"],
      [["--latency-slack", "120"], 1, "latencySlack must be a number from 0 to 100"],
      [["--max-tokens", "1"], 1, "maxTokens must be an integer of at least 2"],
      [["--traces", "no/such/folder"], 1, "Cannot read traces as no/such/folder holds none"],
      [
        ["--records", "no/such/folder", "--minutes", "0"],
        1,
        "are not on record, or too disturbed to go by",
      ],
    ] as const
  ) {
    const result = await recommend(...args);
    assertEquals([result.code, result.out], [code, ""], result.err);
    assert(result.err.includes(reason), result.err);
    assertEquals(result.err.trim().split("\n").length, 1);
  }
});
