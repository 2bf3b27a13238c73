import { assertAlmostEquals, assertEquals } from "@std/assert";
import { expectedMinutes } from "../../lib/analysis/study_time.ts";
import { planValidation } from "../../lib/study/validation_plan.ts";
import { DESIGN, plantedCosts } from "./planted_machine.ts";

const costs = await plantedCosts();
const stages = planValidation(DESIGN, { process: 1, threads: 1 });
const chunk = (precision: string, ms: number) => ({
  ...costs.find((cost) => cost.kind === "pass" && cost.precision === precision)!,
  kind: "prefill" as const,
  width: 128,
  context: 0,
  ms,
});

Deno.test("a stage takes its prompts' reading, a recording each, and two texts a pair", () => {
  const known = [...costs, chunk("fp32", 640), chunk("int4", 128)];
  const [fp32, int8] = stages;
  const pairs = fp32!.blocks.flatMap((block) => block.pairs).length;
  const blocks = fp32!.blocks.length;
  const reading = 256 * blocks * (5 + 1); // by the target, and by the draft model
  const decoding = (2 * pairs + blocks) * DESIGN.maxTokens * 24;
  const minutes = expectedMinutes(fp32!, known, () => 256)!;
  assertAlmostEquals(minutes * 60_000 / (reading + decoding), 1, 0.01);
  assertEquals(expectedMinutes(int8!, known, () => 256), null); // its prefill was not measured
  assertEquals(expectedMinutes(fp32!, [], () => 256), null);
});
