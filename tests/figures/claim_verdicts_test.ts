import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Finding, VERDICTS } from "../../lib/analysis/claims/finding.ts";
import { claimVerdicts } from "../../lib/figures/claim_verdicts.ts";
import { assertSnapshot, assertWordsInside } from "./figure_checks.ts";

const NUMBERS = [
  { name: "S above α = 0.7", estimate: 1.5, low: 1.2, high: 1.9, n: 12, of: "pairs" },
  { name: "worst S of all", estimate: 0.58, low: null, high: null, n: 400, of: "replays" },
  { name: "α here − α there", estimate: -0.1, low: -0.2, high: 0.3, n: 9, of: "prompts" },
  {
    name: "a number whose name is far too long to stand in its column",
    ...{ estimate: 2, low: 1, high: 3, n: 4, of: "comparisons" },
  },
];

const FINDINGS = Array.from({ length: 24 }, (_, i): Finding => ({
  id: `C${i + 1}`,
  claim: "it is so",
  brief: i === 10 ? "bandwidth decides at long context" : "it is so",
  verdict: VERDICTS[i % VERDICTS.length]!,
  statement: "It may be.",
  numbers: i === 7 ? [] : [NUMBERS[i % NUMBERS.length]!],
}));

const draw = (findings: readonly Finding[]) =>
  claimVerdicts(findings, { caption: ["a model on a machine; n = 12 pairs."] });

Deno.test("claim_verdicts draws findings as it did (UPDATE=1 accepts a change)", async () => {
  await assertSnapshot("claim_verdicts", draw(FINDINGS));
});

Deno.test("claim_verdicts tells every verdict in a word, and how many there are", () => {
  const svg = draw(FINDINGS);
  for (const verdict of VERDICTS) {
    const { length } = FINDINGS.filter((finding) => finding.verdict === verdict);
    assertStringIncludes(svg, `${length} ${verdict}`);
    assertEquals(svg.match(new RegExp(`>${verdict}<`, "g"))?.length, length);
  }
});

Deno.test("claim_verdicts shows no number of what was not measured here", () => {
  const number = { ...NUMBERS[0]!, estimate: 7.77 };
  const one = { ...FINDINGS[0]!, numbers: [number] };
  assertStringIncludes(draw([one]), "7.77 (1.20–1.90)");
  assert(!draw([{ ...one, verdict: "not measured here" }]).includes("7.77"));
});

Deno.test("claim_verdicts puts no word over its edge", () => {
  assertWordsInside(draw(FINDINGS));
});

Deno.test("claim_verdicts of no findings is an error, not an empty figure", () => {
  assertThrows(() => draw([]), RangeError, "there are no findings");
});
