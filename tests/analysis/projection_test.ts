import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertThrows,
} from "@std/assert";
import { breakEven } from "../../lib/analysis/boundary.ts";
import { projectBoundaries, projectCosts, storedOn } from "../../lib/analysis/projection.ts";
import {
  comparePublished,
  publishedEfficiencies,
  publishedPasses,
} from "../../lib/analysis/published.ts";
import { passTime } from "../../lib/analysis/roofline.ts";
import { findShape } from "../../lib/models/shapes.ts";
import { readHardware } from "../../lib/study/hardware.ts";
import { type PublishedSpeedup, readPublished } from "../../lib/study/published.ts";

const read = (name: string) => Deno.readTextFile(new URL(`../../data/${name}`, import.meta.url));
const PARTS = readHardware(await read("hardware.csv"));
const PUBLISHED = readPublished(await read("published.csv"));

const target = findShape("shape:llama-3.1-8b").architecture;
const draft = findShape("shape:llama-3.2-1b").architecture;
const efficiencies = {
  gpu: publishedEfficiencies(PARTS),
  cpu: { memory: 0.5, compute: { int8: 0.6, int4: 0.3 }, attention: 0.2, launchMs: 0.1 },
};
const options = { target, draft, format: "int4", efficiencies } as const;
const rows = projectBoundaries(PARTS, options);

Deno.test("hardware names its sources, and no part twice", () => {
  assertEquals(new Set(PARTS.map(({ id }) => id)).size, PARTS.length);
  for (const market of ["consumer", "data-centre"] as const) {
    assertGreaterOrEqual(PARTS.filter((part) => part.market === market).length, 8);
  }
  for (const { id, source, fp32, fp16, int8, int4 } of PARTS) {
    assertMatch(source, /\b20[12]\d\b/, id);
    // Fewer bits never compute slower.
    const peaks = [fp32, fp16, int8, int4].filter((peak) => peak !== null);
    assertEquals(peaks, peaks.toSorted((a, b) => a - b), id);
  }
});

Deno.test("every part gets a boundary, and every row says that it is a projection", () => {
  assertEquals(rows.map(({ part }) => part.id), PARTS.map(({ id }) => id));
  for (const { basis, c, v, breakEven, speedups } of rows) {
    assertEquals(basis, "projection");
    assert(c > 0 && c < 1 && v > 1);
    assertEquals(breakEven.map(({ context }) => context), [1024, 8192]);
    assertEquals(speedups.map(({ batch }) => batch), [1, 8, 32]);
  }
});

Deno.test("at the projected boundary the best draft length has S = 1", () => {
  for (const part of PARTS) {
    const at = (alpha: number) => projectBoundaries([part], { ...options, alpha, longest: 8 })[0]!;
    const { alpha } = at(0.5).breakEven[0]!;
    assertLess(alpha, 1);
    assertAlmostEquals(at(alpha).speedups[0]!.speedup, 1, 1e-4);
  }
});

Deno.test("a large batch pushes the boundary up on every part while contexts are short", () => {
  for (const part of PARTS) {
    const costs = (sizes: typeof target) =>
      projectCosts(part, efficiencies[part.kind], storedOn(part, sizes, "int4"));
    const pair = { target: costs(target), draft: costs(draft) };
    const alpha = (batch: number) =>
      breakEven(pair, { draftLength: 4, context: 64, batch }, { draws: 2 }).estimate;
    assertGreater(alpha(64), alpha(1), part.id);
  }
});

Deno.test("at long contexts a large batch is bound by its cache, and speculation pays again", () => {
  // MagicDec's regime (Sadhukhan et al. 2024): a small cache in the draft, large batches.
  const part = PARTS.find(({ id }) => id === "a100-80g")!;
  const total = (width: number, context: number) =>
    passTime(part, efficiencies.gpu, storedOn(part, target, "fp16"), { width, context, batch: 64 })
      .total;
  const v = (context: number) => total(5, context) / total(1, context);
  assertLess(v(32_768), v(64));
});

Deno.test("a free draft leaves v as the whole price", () => {
  const [row] = projectBoundaries(PARTS.filter(({ id }) => id === "h100-sxm"), {
    ...options,
    draft: { ...draft, layers: 0, vocabularySize: 1 },
    alpha: 1,
    longest: 4,
    batches: [1],
  });
  assertAlmostEquals(row!.speedups[0]!.speedup, 5 / row!.v, 1e-3);
});

Deno.test("models that the memory does not hold are told apart", () => {
  const fits = (id: string, format: "int4" | "fp16") =>
    projectBoundaries(PARTS.filter((part) => part.id === id), { ...options, format })[0]!.fits;
  assertEquals([fits("rtx-3060", "int4"), fits("rtx-3060", "fp16"), fits("h100-sxm", "fp16")], [
    true,
    false,
    true,
  ]);
});

Deno.test("options out of range are errors", () => {
  assertThrows(() => projectBoundaries(PARTS, { ...options, alpha: 1.1 }), RangeError);
  assertThrows(() => projectBoundaries(PARTS, { ...options, longest: 0 }), RangeError);
  assertThrows(() => projectBoundaries(PARTS, { ...options, contexts: [] }), RangeError);
});

Deno.test("the accelerators' roofline takes the line that it was fitted to", () => {
  const h100 = PARTS.find(({ id }) => id === "h100-sxm")!;
  for (const pass of publishedPasses()) {
    assertAlmostEquals(passTime(h100, efficiencies.gpu, pass, pass).total / pass.ms, 1, 0.005);
  }
});

Deno.test("published speed-ups are projected where an acceptance was reported, with their error", () => {
  const compared = comparePublished(PUBLISHED, PARTS, efficiencies);
  assertGreaterOrEqual(compared.filter(({ error }) => error !== null).length, 8);
  for (const { reported, basis, predicted, error, tau, c, v, impliedTau } of compared) {
    const { acceptance, acceptedPerDrafted, draftLength, speedup } = reported;
    const given = [acceptance, acceptedPerDrafted, reported.tau].filter((value) => value !== null);
    assertEquals(basis, "projection");
    assert(given.length <= 1);
    assertEquals(predicted === null, given.length === 0);
    assertAlmostEquals(impliedTau / (draftLength * c + v), speedup, 1e-9);
    if (predicted === null) continue;
    assertAlmostEquals(predicted * (1 - error! / (1 + error!)), speedup, 1e-9);
    assertLess(predicted, tau!);
  }
});

Deno.test("τ follows from whatever acceptance was reported", () => {
  const [report] = PUBLISHED;
  const none = { acceptance: null, acceptedPerDrafted: null, tau: null };
  const tauOf = (given: Partial<PublishedSpeedup>) =>
    comparePublished([{ ...report!, ...none, draftLength: 2, ...given }], PARTS, efficiencies)[0]!
      .tau;
  assertEquals(
    [{ acceptance: 0.5 }, { acceptedPerDrafted: 0.5 }, { tau: 2.5 }, {}].map(tauOf),
    [1.75, 2, 2.5, null],
  );
});

Deno.test("plain decoding is projected beside the rates that were reported", () => {
  const compared = comparePublished(PUBLISHED, PARTS, efficiencies);
  const ofCard = compared.find(({ reported }) =>
    reported.part === "rtx-5060-ti" && reported.plainRate !== null
  )!;
  assertAlmostEquals(ofCard.passMs, 1000 / 42 * (1 + ofCard.passError!), 1e-9);
  assertLess(Math.abs(ofCard.passError!), 0.15);
});
