import { assertEquals } from "@std/assert";
import { workPerToken } from "../../lib/analysis/run_work.ts";
import { passWork, totalWork } from "../../lib/analysis/work.ts";
import { autoregress, modelDrafter, speculate, tableModel } from "@specbound/specbound";
import { findShape } from "../../lib/models/shapes.ts";
import { observed } from "../study/tables.ts";
import { fixed } from "../../lib/decoding/policies/fixed.ts";

const network = (id: string) =>
  ({
    sizes: findShape(id).architecture,
    formats: { weights: "int8", cache: "fp32" },
  }) as const;
const [target, draft] = [network("shape:smollm2-360m"), network("shape:smollm2-135m")];
const PROMPT = [1, 2, 3, 4, 5];

/** Decodes with tables, and counts the work of every pass that really ran. */
async function decode(draftSeed: number, draftLength: number) {
  const ran = { bytes: 0, operations: 0 };
  const open = (seed: number, { sizes, formats }: typeof target) => {
    const context = observed(tableModel({ vocabularySize: 9, seed }), (tokens) => {
      const shape = { width: tokens.length, context: context.length(), batch: 1 };
      const work = totalWork(passWork(sizes, shape, formats));
      ran.bytes += work.bytes;
      ran.operations += work.operations;
    }).open();
    return context;
  };
  const [targetContext, draftContext] = [open(1, target), open(draftSeed, draft)];
  await targetContext.append([PROMPT.slice(0, -1)]);
  await draftContext.append([PROMPT.slice(0, -1)]);
  const options = { maxTokens: 40, seed: 1 };
  const decoding = draftLength === 0
    ? autoregress(targetContext, PROMPT, options)
    : speculate(targetContext, modelDrafter(draftContext), PROMPT, {
      ...options,
      policy: fixed(draftLength),
    });
  const rounds = [];
  for await (const { drafted, emitted } of decoding) {
    rounds.push({ drafted: drafted.length, emitted: emitted.length });
  }
  return { rounds, ran };
}

for (
  const [what, seed, draftLength] of [
    ["plain decoding", 1, 0],
    ["drafts that are always right", 1, 4],
    ["drafts that are often wrong", 2, 4],
    ["drafts of one token", 2, 1],
  ] as const
) {
  Deno.test(`work per token is that of the passes that ran: ${what}`, async () => {
    const { rounds, ran } = await decode(seed, draftLength);
    const perToken = workPerToken(rounds, PROMPT.length - 1, target, draft)!;
    assertEquals([perToken.bytes * 40, perToken.operations * 40].map(Math.round), [
      ran.bytes,
      ran.operations,
    ]);
  });
}

Deno.test("a run that emitted nothing has no work per token", () => {
  assertEquals(workPerToken([{ drafted: 4, emitted: 0 }], 10, target), null);
});
