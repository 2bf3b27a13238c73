import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { fillBlocks, writeFindings } from "../../cli/findings.ts";
import { FindingsError, readmeBlocks } from "../../cli/findings_blocks.ts";
import { judgeClaims } from "../../lib/analysis/claims/judge.ts";
import { type Evidence, readEvidence } from "../../lib/analysis/evidence.ts";
import { readBench, writeBench } from "../../lib/study/bench_records.ts";
import type { RunRecord } from "../../lib/study/records.ts";
import { committedProject, HAS_GIT } from "../committed.ts";

const ROOT = join(import.meta.dirname!, "../..");
const MACHINE = "amd-epyc-2c-avx512vnni";
const NAMES = ["table", "bullets", "baseline", "claims"];
const README = `# A study

## What was found

${NAMES.map((name) => `<!-- findings:${name} -->\n\n<!-- /findings -->`).join("\n\n")}

## Two commands
`;

/** The committed runs alone, so that judging them takes a second; and a README to fill. */
async function smallStudy(readme = README) {
  await using project = await committedProject();
  const folder = await Deno.makeTempDir();
  const to = join(folder, "records", MACHINE);
  await Deno.mkdir(to, { recursive: true });
  for (const file of ["machine.json", "runs.csv", "rounds.csv"]) {
    await Deno.copyFile(join(project.folder, "data/records", MACHINE, file), join(to, file));
  }
  const files = {
    data: folder,
    readme: join(folder, "README.md"),
    page: join(folder, "page.md"),
    figures: folder,
  };
  await Deno.writeTextFile(files.readme, readme);
  return { ...files, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await Deno.writeTextFile(file, change(await Deno.readTextFile(file)));
}

Deno.test("README and findings say what the committed records say", {
  ignore: !HAS_GIT, // a sweep may have added to the records
}, async () => {
  await using project = await committedProject();
  const [data, readme, page, figures] = ["data", "README.md", "docs/findings.md", "docs/figures"]
    .map((path) => join(project.folder, path)) as [string, string, string, string];
  await writeFindings({ data, readme, page, figures }, { check: true });
});

Deno.test("what was written passes the check, and is formatted", async () => {
  await using study = await smallStudy();
  await writeFindings(study);
  await writeFindings(study, { check: true });
  const readme = await Deno.readTextFile(study.readme);
  assertStringIncludes(readme, "| C24 |");
  assertStringIncludes(await Deno.readTextFile(study.page), "## Claims");
  const args = ["fmt", "--check", "--config", join(ROOT, "deno.json"), study.readme, study.page];
  assertEquals((await new Deno.Command(Deno.execPath(), { args }).output()).success, true);
});

for (const file of ["readme", "page"] as const) {
  Deno.test(`a number in the ${file} that rows do not bear out is caught`, async () => {
    await using study = await smallStudy();
    await writeFindings(study);
    await edit(study[file], (text) => text.replace(/\d\.\d\d \(/, "9.99 ("));
    await assertRejects(() => writeFindings(study, { check: true }), FindingsError, "on file");
  });
}

Deno.test("a pair less makes the files stale", async () => {
  await using study = await smallStudy();
  await writeFindings(study);
  const runs = join(study.data, "records", MACHINE, "runs.csv");
  await edit(runs, (text) => text.trimEnd().split("\n").slice(0, -2).join("\n") + "\n");
  await assertRejects(() => writeFindings(study, { check: true }), FindingsError, "on file");
});

Deno.test("a number beside the blocks is refused", async () => {
  await using study = await smallStudy(
    README.replace("found\n", "found\n\nTwice as fast: 2.0×.\n"),
  );
  await assertRejects(() => writeFindings(study), FindingsError, "“Twice as fast: 2.0×.”");
});

Deno.test("blocks that are missing, or that nobody fills, are named", () => {
  const blocks = { table: "t", bullets: "b", baseline: "", claims: "c" };
  const filled = fillBlocks(README, blocks, "README.md");
  assertStringIncludes(filled, "<!-- findings:table -->\n\nt\n\n<!-- /findings -->");
  assertEquals(fillBlocks(filled, blocks, "README.md"), filled);
  assertThrows(
    () => fillBlocks(README.replace("findings:claims", "findings:other"), blocks, "README.md"),
    FindingsError,
    "there is no block other",
  );
  assertThrows(
    () => fillBlocks("# A", blocks, "README.md"),
    FindingsError,
    "no block table, bullets",
  );
});

/** The evidence with the pairs of some runs left out. */
function without(evidence: Evidence, isLeftOut: (run: RunRecord) => boolean): Evidence {
  return {
    ...evidence,
    machines: evidence.machines.map((machine) => {
      const { runs, rounds } = machine.records;
      const pairs = new Set(runs.filter(isLeftOut).map(({ pair }) => pair));
      const isKept = ({ pair }: { readonly pair: string }) => !pairs.has(pair);
      return { ...machine, records: { runs: runs.filter(isKept), rounds: rounds.filter(isKept) } };
    }),
  };
}

Deno.test("a sentence that rows no longer bear out is an error, not a falsehood", async () => {
  await using study = await smallStudy();
  const evidence = await readEvidence(study.data);
  const write = (isLeftOut: (run: RunRecord) => boolean) =>
    readmeBlocks(without(evidence, isLeftOut), judgeClaims(evidence));
  assertStringIncludes(write(() => false).bullets, "**Checking is not free");
  const cases: readonly [(run: RunRecord) => boolean, string][] = [
    [() => true, "no machine has runs of the study quick"],
    [({ draft }) => draft === "model", "a draft that costs passes is no slower"],
    [({ draft, draftLength }) => draft === "replay" && draftLength === 2, "no short one gains"],
    [({ precision, draft }) => precision !== "fp32" && draft === "replay", "checking is free"],
  ];
  for (const [isLeftOut, reason] of cases) {
    assertThrows(() => write(isLeftOut), FindingsError, reason);
  }
});

Deno.test("the baseline is told in ratios of the bench, engine by engine", async () => {
  await using study = await smallStudy();
  const passes = ["specbound", "peer 1.0"].flatMap((name, i) =>
    [64, 1024].map((context) => ({
      ...{ name, kind: "decode" as const, context, tokens: 24 },
      milliseconds: [200, 240, 220].map((ms) => ms * (1 - 0.1 * i)),
    }))
  );
  const peers = [{ name: "peer 1.0", weights: "its own int4" }];
  const file = join("records", MACHINE, "bench.json");
  const [bench] = readBench(await Deno.readTextFile(join(ROOT, "data", file)));
  const planted = { ...bench!, precision: "int4", headPrecision: "int8", peers, passes } as const;
  await Deno.writeTextFile(join(study.data, file), writeBench([planted]));
  const evidence = await readEvidence(study.data);
  const { baseline } = readmeBlocks(evidence, judgeClaims(evidence));
  assertStringIncludes(baseline, "| prefill | plain after 64 | plain after 1,024 |");
  const row = `| ${MACHINE} | peer 1.0 | its own int4 | int4, int8 head |  | 0.90 | 0.90 |`;
  assertStringIncludes(baseline, row);
});
