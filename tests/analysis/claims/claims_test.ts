import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import {
  approachesDraftLength,
  highAcceptanceHelps,
  lowAcceptanceHurts,
} from "../../../lib/analysis/claims/acceptance.ts";
import { memoryDecidesAtLongContext } from "../../../lib/analysis/claims/bandwidth.ts";
import {
  codeAcceptsMore,
  earlyPositionsAcceptMore,
  matchingDomainHelps,
  temperatureLowersAcceptance,
} from "../../../lib/analysis/claims/behaviour.ts";
import { bestLengthFallsWithContext } from "../../../lib/analysis/claims/best_length.ts";
import { longContextDegrades, middleContextIsBest } from "../../../lib/analysis/claims/context.ts";
import { tenthIsBest } from "../../../lib/analysis/claims/draft.ts";
import type { ClaimVerdict, Outcome } from "../../../lib/analysis/claims/finding.ts";
import { hardwareDiffers } from "../../../lib/analysis/claims/hardware.ts";
import { CLAIMS, judgeClaims } from "../../../lib/analysis/claims/judge.ts";
import {
  preEvaluationPredicts,
  savesLatency,
  textIsUnchanged,
} from "../../../lib/analysis/claims/outcome.ts";
import {
  adaptingPays,
  fallbackBoundsLoss,
  largeBatchesLose,
} from "../../../lib/analysis/claims/policy.ts";
import type { Evidence } from "../../../lib/analysis/evidence.ts";
import { stream } from "../../../lib/random.ts";
import { plantedCosts, plantedRecords, plantedTraces } from "../planted_machine.ts";
import {
  costsOf,
  draftCosts,
  evidenceOf,
  machineOf,
  pairsOf,
  type PlantedCosts,
  type PlantedPairs,
  rightBut,
  tracesOf,
} from "./synthetic.ts";

const FLAT: PlantedCosts["ms"] = () => 10;
const STEEP: PlantedCosts["ms"] = (width) => 10 * width;
const GAIN = [1.5, 1.6, 1.55, 1.52];
const LOSS = [0.7, 0.72, 0.75, 0.71];
const LUCK = [0.5, 1, 2, 4];
const UNLUCK = LUCK.map((speedup) => speedup / 2);
const NOISE = [0.4, 0.5, 2.5, 2];

function priced(...layers: readonly Partial<PlantedCosts>[]): Evidence {
  const costs = layers.flatMap((layer) => costsOf({ ms: FLAT, ...layer }));
  return evidenceOf({ machines: [machineOf({ costs })] });
}

function measured(...cells: readonly PlantedPairs[]): Evidence {
  const records = cells.map((cell) => pairsOf(cell).records);
  return evidenceOf({
    machines: [machineOf({
      records: {
        runs: records.flatMap(({ runs }) => runs),
        rounds: records.flatMap(({ rounds }) => rounds),
      },
    })],
  });
}

/** Replays that differ in nothing but context and K, text by text. */
function controlled(...cells: readonly PlantedPairs[]): Evidence {
  return measured(
    ...cells.map((cell) => ({ ...cell, draft: "replay" as const, study: "context" })),
  );
}

function drafted(...groups: readonly Parameters<typeof tracesOf>[0][]): Evidence {
  return evidenceOf({ traces: groups.flatMap(tracesOf) });
}

/** Right at a share of positions, another in each prompt. */
function share(of: number): Parameters<typeof tracesOf>[0]["at"] {
  return (position, prompt) =>
    rightBut((at) => stream(`${prompt} ${at}`, "planted")() >= of)(position, prompt);
}

const two = (precision: string, cell: PlantedPairs) => ({ ...cell, precision });

const PLANTED: readonly [string, (evidence: Evidence) => Outcome, Evidence, ClaimVerdict][] = [
  ["C1: passes of any width cost the same", approachesDraftLength, priced({}), "supported"],
  [
    "C1: checking is as slow as decoding",
    approachesDraftLength,
    priced({ ms: STEEP }),
    "contradicted",
  ],
  [
    "C1: only one of two precisions checks for free",
    approachesDraftLength,
    priced({}, { ms: STEEP, precision: "int4" }),
    "conditional",
  ],
  [
    "C1: measured S cannot be told from the bound",
    approachesDraftLength,
    measured({ speedups: [1, 8, 2, 5], alpha: 0.9 }),
    "undecided",
  ],
  ["C2: all gain", highAcceptanceHelps, measured({ speedups: GAIN, alpha: 0.8 }), "supported"],
  ["C2: all lose", highAcceptanceHelps, measured({ speedups: LOSS, alpha: 0.8 }), "contradicted"],
  [
    "C2: one precision gains",
    highAcceptanceHelps,
    measured({ speedups: GAIN, alpha: 0.8 }, two("int4", { speedups: LOSS, alpha: 0.8 })),
    "conditional",
  ],
  ["C2: noise", highAcceptanceHelps, measured({ speedups: NOISE, alpha: 0.8 }), "undecided"],
  [
    "C2: nothing accepts so much",
    highAcceptanceHelps,
    measured({ speedups: GAIN }),
    "not measured here",
  ],
  [
    "C2: costs decide where no pair was run",
    highAcceptanceHelps,
    priced({ ms: STEEP }),
    "contradicted",
  ],
  ["C3: all lose", lowAcceptanceHurts, measured({ speedups: LOSS, alpha: 0.3 }), "supported"],
  ["C3: all gain", lowAcceptanceHurts, measured({ speedups: GAIN, alpha: 0.3 }), "contradicted"],
  [
    "C3: it depends on K",
    lowAcceptanceHurts,
    measured(
      { speedups: LOSS, alpha: 0.3, draftLength: 8 },
      { speedups: GAIN, alpha: 0.3, draftLength: 2 },
    ),
    "conditional",
  ],
  ["C3: noise", lowAcceptanceHurts, measured({ speedups: NOISE, alpha: 0.3 }), "undecided"],
  [
    "C4: checking is cheap at 1K–4K alone",
    middleContextIsBest,
    priced({ ms: (width, n) => 10 + (n < 1000 || n > 8000 ? 5 * width : width) }),
    "supported",
  ],
  [
    "C4: checking is dear at 1K–4K alone",
    middleContextIsBest,
    priced({ ms: (width, n) => 10 + (n < 1000 || n > 8000 ? width : 5 * width) }),
    "contradicted",
  ],
  [
    "C4: better than long, worse than short",
    middleContextIsBest,
    priced({ ms: (width, n) => 10 + width * n / 1000 }),
    "conditional",
  ],
  ["C4: context does nothing", middleContextIsBest, priced({}), "undecided"],
  [
    "C5: checking grows with context",
    longContextDegrades,
    priced({ ms: (width, n) => 10 + width * n / 1000 }),
    "supported",
  ],
  [
    "C5: what grows is read once whatever the width",
    longContextDegrades,
    priced({ ms: (width, n) => 5 * width + n / 50 }),
    "contradicted",
  ],
  ["C5: context does nothing", longContextDegrades, priced({}), "undecided"],
  [
    "C5: no long context",
    longContextDegrades,
    priced({ contexts: [64, 1024] }),
    "not measured here",
  ],
  [
    "C5: measured pairs count too",
    longContextDegrades,
    measured({ speedups: LOSS, context: 8100 }, { speedups: GAIN, context: 2000 }),
    "supported",
  ],
  [
    "C5: only the same texts are compared, so luck that they share does not count",
    longContextDegrades,
    controlled({ speedups: UNLUCK, context: 7679 }, { speedups: LUCK, context: 2047 }),
    "supported",
  ],
  [
    "C5: other K are not compared",
    longContextDegrades,
    controlled(
      { speedups: UNLUCK, context: 7679, draftLength: 2 },
      { speedups: LUCK, context: 2047, draftLength: 8 },
    ),
    "not measured here",
  ],
  [
    "C4: better than long, worse than short, in controlled pairs",
    middleContextIsBest,
    controlled(
      { speedups: LUCK, context: 511 },
      { speedups: UNLUCK, context: 2047 },
      { speedups: UNLUCK.map((speedup) => speedup / 2), context: 7679 },
    ),
    "conditional",
  ],
  [
    "C6: copied answers accept more",
    matchingDomainHelps,
    drafted({ at: share(0.9), task: "edit" }, { at: share(0.3), task: "story" }),
    "supported",
  ],
  [
    "C6: copied answers accept less",
    matchingDomainHelps,
    drafted({ at: share(0.3), task: "edit" }, { at: share(0.9), task: "story" }),
    "contradicted",
  ],
  [
    "C6: models do not look up",
    matchingDomainHelps,
    drafted(
      { at: share(0.9), task: "edit", draftModel: "a" },
      { at: share(0.3), task: "story", draftModel: "a" },
    ),
    "not measured here",
  ],
  [
    "C10: no length beyond 5 is worth its price",
    bestLengthFallsWithContext,
    priced({ ms: (width) => width <= 6 ? 10 : 100, contexts: [64, 1024] }),
    "supported",
  ],
  [
    "C10: drafting never pays",
    bestLengthFallsWithContext,
    priced({ ms: STEEP, contexts: [64, 1024] }),
    "contradicted",
  ],
  [
    "C10: drafting never pays, said beyond 8K alone",
    bestLengthFallsWithContext,
    priced({ ms: STEEP }),
    "conditional",
  ],
  [
    "C10: K = 4 beats K = 8 where both are said",
    bestLengthFallsWithContext,
    controlled({ speedups: LUCK.map((s) => 9 * s) }, { speedups: LUCK, draftLength: 8 }),
    "supported",
  ],
  [
    "C10: K = 2 beats K = 4 on every text of a short context",
    bestLengthFallsWithContext,
    controlled({ speedups: LUCK, draftLength: 2 }, { speedups: UNLUCK }),
    "contradicted",
  ],
  [
    "C10: plain decoding is best, said near 8K alone",
    bestLengthFallsWithContext,
    controlled({ speedups: LOSS }, { speedups: LOSS, context: 7679 }),
    "conditional",
  ],
  ["C11: five tokens cost what one does", memoryDecidesAtLongContext, priced({}), "supported"],
  ["C11: five tokens cost five", memoryDecidesAtLongContext, priced({ ms: STEEP }), "contradicted"],
  [
    "C11: it depends on the precision",
    memoryDecidesAtLongContext,
    priced({}, { ms: STEEP, precision: "int4" }),
    "conditional",
  ],
  [
    "C11: no long context",
    memoryDecidesAtLongContext,
    priced({ contexts: [64] }),
    "not measured here",
  ],
  [
    "C12: code accepts more",
    codeAcceptsMore,
    drafted({ at: share(0.9) }, { at: share(0.3), task: "story" }),
    "supported",
  ],
  [
    "C12: code accepts less",
    codeAcceptsMore,
    drafted({ at: share(0.3) }, { at: share(0.9), task: "chat" }),
    "contradicted",
  ],
  [
    "C12: it depends on the draft",
    codeAcceptsMore,
    drafted(
      { at: share(0.9) },
      { at: share(0.3), task: "story" },
      { at: share(0.3), draftModel: "a" },
      { at: share(0.9), task: "story", draftModel: "a" },
    ),
    "conditional",
  ],
  [
    "C12: tasks are alike",
    codeAcceptsMore,
    drafted({ at: share(0.5) }, { at: (p, i) => share(0.5)(p, i + 50), task: "story" }),
    "undecided",
  ],
  ["C12: no open task", codeAcceptsMore, drafted({ at: share(0.9) }), "not measured here"],
  [
    "C13: the beginning stands",
    earlyPositionsAcceptMore,
    drafted({ at: rightBut((at) => at >= 20 && at % 2 === 0) }),
    "supported",
  ],
  [
    "C13: the end stands",
    earlyPositionsAcceptMore,
    drafted({ at: rightBut((at) => at < 20 && at % 2 === 0) }),
    "contradicted",
  ],
  [
    "C13: one is like the other",
    earlyPositionsAcceptMore,
    drafted({ at: share(0.5) }),
    "undecided",
  ],
  [
    "C14: warmer accepts less",
    temperatureLowersAcceptance,
    drafted({ at: share(0.8) }, { at: share(0.4), temperature: 1 }),
    "supported",
  ],
  [
    "C14: warmer accepts more",
    temperatureLowersAcceptance,
    drafted({ at: share(0.4) }, { at: share(0.8), temperature: 1 }),
    "contradicted",
  ],
  [
    "C14: it falls and then rises",
    temperatureLowersAcceptance,
    drafted(
      { at: share(0.8) },
      { at: share(0.2), temperature: 0.5 },
      { at: share(0.8), temperature: 1 },
    ),
    "conditional",
  ],
  [
    "C14: greedy alone",
    temperatureLowersAcceptance,
    drafted({ at: share(0.8) }),
    "not measured here",
  ],
  [
    "C16: eight rows check eight times as slowly",
    largeBatchesLose,
    priced({ ms: (width, _, batch) => batch === 1 ? 10 : 10 * width, batches: [1, 8] }),
    "supported",
  ],
  ["C16: rows cost nothing", largeBatchesLose, priced({ batches: [1, 8] }), "contradicted"],
  [
    "C16: two rows are no large batch",
    largeBatchesLose,
    priced({ batches: [1, 2] }),
    "not measured here",
  ],
  [
    "C17: prompts agree",
    preEvaluationPredicts,
    measured({ speedups: [...GAIN, ...GAIN] }),
    "supported",
  ],
  [
    "C17: every second prompt is another world",
    preEvaluationPredicts,
    measured({ speedups: [0.7, 1.5, 0.72, 1.52, 0.71, 1.51, 0.7, 1.5] }),
    "contradicted",
  ],
  ["C17: noise", preEvaluationPredicts, measured({ speedups: [...NOISE, ...NOISE] }), "undecided"],
  ["C17: few prompts", preEvaluationPredicts, measured({ speedups: GAIN }), "not measured here"],
  [
    "C22: none of forty differs",
    textIsUnchanged,
    measured({ speedups: Array(40).fill(1.5) }),
    "supported",
  ],
  [
    "C22: three of forty differ",
    textIsUnchanged,
    measured({ speedups: Array(40).fill(1.5), differing: 3 }),
    "contradicted",
  ],
  [
    "C22: fast mode differs, exact mode does not",
    textIsUnchanged,
    measured(
      { speedups: Array(40).fill(1.5), differing: 3 },
      { speedups: Array(40).fill(1.5), exact: true },
    ),
    "conditional",
  ],
  ["C22: none of four says little", textIsUnchanged, measured({ speedups: GAIN }), "undecided"],
  ["C23: drafts gain", savesLatency, measured({ speedups: GAIN }), "supported"],
  ["C23: drafts lose", savesLatency, measured({ speedups: LOSS }), "contradicted"],
  [
    "C23: one precision gains",
    savesLatency,
    measured({ speedups: GAIN }, two("int4", { speedups: LOSS })),
    "conditional",
  ],
  ["C23: noise", savesLatency, measured({ speedups: NOISE }), "undecided"],
  [
    "C23: replays are no drafts",
    savesLatency,
    measured({ speedups: GAIN, draft: "replay" }),
    "not measured here",
  ],
];

for (const [what, estimate, evidence, verdict] of PLANTED) {
  Deno.test(`${what}: ${verdict}`, () => assertEquals(estimate(evidence).verdict, verdict));
}

Deno.test("C4, C5 and C10 take pairs that differ in context alone before all others", () => {
  const others = priced({ ms: (width, n) => 5 * width + n / 50 });
  const rows = controlled(
    { speedups: UNLUCK, context: 511 },
    { speedups: LUCK, context: 2047 },
    { speedups: UNLUCK, context: 7679 },
  );
  const [{ costs }, { records }] = [others.machines[0]!, rows.machines[0]!];
  const both = evidenceOf({ machines: [machineOf({ costs, records })] });
  const apart = evidenceOf({ machines: [machineOf({ records }), machineOf({ costs }, "b")] });
  for (const judge of [middleContextIsBest, longContextDegrades, bestLengthFallsWithContext]) {
    assertEquals(judge(both), judge(rows));
    const machines = judge(apart).numbers.map(({ machine }) => machine);
    assertEquals(new Set(machines), new Set(["machine", "b"])); // each by what it has
    assertStringIncludes(judge(rows).statement, "in pairs that differ in");
    assertStringIncludes(judge(others).statement, "by measured costs");
  }
  const single = controlled({ speedups: [1], context: 7679 }, { speedups: [2], context: 2047 });
  const withSingle = machineOf({ costs, records: single.machines[0]!.records });
  assertEquals(
    longContextDegrades(evidenceOf({ machines: [withSingle] })),
    longContextDegrades(others),
  );
});

/** Two drafts of planted sizes, of which one is right more often. */
function contest(parameters: number, good: number, bad: number): Evidence {
  const shape = {
    layers: 1,
    hidden: 1,
    heads: 1,
    kv_heads: 1,
    head_size: 1,
    feed_forward: 1,
    vocabulary: 1,
  };
  return {
    ...drafted({ at: share(good), draftModel: "tenth.gguf" }, {
      at: share(bad),
      draftModel: "other.gguf",
    }),
    machines: [machineOf({
      costs: [
        ...costsOf({ ms: FLAT }),
        ...draftCosts(1, "tenth.gguf"),
        ...draftCosts(1, "other.gguf"),
      ],
    })],
    manifest: { drafts: { tenth: { parameters: 10e6, shape }, other: { parameters, shape } } },
  };
}

Deno.test("C8: the better of two drafts decides, whichever size it has", () => {
  assertEquals(tenthIsBest(contest(1e6, 0.9, 0.3)).verdict, "supported");
  assertEquals(tenthIsBest(contest(1e6, 0.3, 0.9)).verdict, "contradicted");
  assertEquals(tenthIsBest(contest(9e6, 0.9, 0.3)).verdict, "not measured here");
});

/** A draft whose passes cost a tenth of the target's, right in stretches. */
function inStretches(sureWhere: (isRight: boolean) => number): Evidence {
  const right = rightBut((at) => Math.floor(at / 16) % 2 === 1);
  const at: typeof right = (position, prompt) => {
    const draft = right(position, prompt);
    const confidences = Array.from({ length: 16 }, (_, i) => sureWhere(i < draft.right));
    return { ...draft, confidences };
  };
  return {
    ...drafted({ at, draftModel: "a.gguf", tokens: 128 }),
    machines: [machineOf({ costs: [...costsOf({ ms: FLAT }), ...draftCosts(1, "a.gguf")] })],
  };
}

Deno.test("C18: a rule that knows what stands beats every fixed K, one that is misled does not", () => {
  const [knows] = adaptingPays(inStretches((isRight) => isRight ? 0.9 : 0.1)).numbers;
  const { numbers: [, misled] } = adaptingPays(inStretches((isRight) => isRight ? 0.1 : 0.9));
  assertGreater(knows!.low!, 1);
  assertLess(misled!.high!, 1);
});

Deno.test("C19: a useless draft's loss is bounded in a long text and not in a short one", () => {
  const of = (tokens: number) => ({
    ...drafted({ at: share(0), draftModel: "a.gguf", tokens }),
    machines: [machineOf({ costs: [...costsOf({ ms: FLAT }), ...draftCosts(1, "a.gguf")] })],
  });
  assertEquals(fallbackBoundsLoss(of(1024)).verdict, "supported");
  assertEquals(fallbackBoundsLoss(of(24)).verdict, "contradicted");
  const useful = { ...of(64), traces: tracesOf({ at: share(1), draftModel: "a.gguf" }) };
  assertEquals(fallbackBoundsLoss(useful).verdict, "undecided");
});

Deno.test("C17: what costs and traces of a planted machine predict is told, and near", async () => {
  const records = await plantedRecords({ processes: 1 });
  const evidence = evidenceOf({
    machines: [machineOf({ records, costs: await plantedCosts() })],
    traces: await plantedTraces(),
  });
  const { verdict, statement, numbers: [error] } = preEvaluationPredicts(evidence);
  assertEquals(verdict, "supported", statement);
  assertEquals(error!.name, "median error of predicted S");
  assertLess(error!.estimate, 0.05);
});

Deno.test("a narrow cost layer says what it can, and no claim fails for what it lacks", () => {
  const narrow = costsOf({ ms: FLAT, widths: [1, 5], contexts: [64, 4096] });
  const found = judgeClaims(evidenceOf({
    machines: [machineOf({ costs: narrow })],
    traces: tracesOf({ at: share(0.5) }),
  }));
  const verdictOf = (wanted: string) => found.find(({ id }) => id === wanted)!.verdict;
  assertEquals(verdictOf("C1"), "supported");
  assertEquals(verdictOf("C10"), "not measured here");
});

Deno.test("C24: two machines are apart if the intervals of their boundaries are", () => {
  const on = (machine: string, ms: PlantedCosts["ms"]) =>
    machineOf({ costs: costsOf({ ms, machine }) }, machine);
  const flat = on("a", (width) => 10 + width);
  const outcome = (...machines: Evidence["machines"]) => hardwareDiffers(evidenceOf({ machines }));
  assertEquals(outcome(flat, on("b", (width) => 10 + 5 * width)).verdict, "supported");
  assertEquals(outcome(flat, on("b", (width) => 10 + width)).verdict, "undecided");
  assertEquals(outcome(flat).verdict, "not measured here");
});

Deno.test("C24: exact passes are no other machine's fast ones", () => {
  const [fast, exact] = ["a", "b"].map((machine) => {
    const costs = costsOf({ ms: (width) => 10 + (machine === "b" ? 5 : 1) * width, machine })
      .map((row) => ({ ...row, exact: machine === "b" }));
    return machineOf({ costs }, machine);
  });
  const { verdict } = hardwareDiffers(evidenceOf({ machines: [fast!, exact!] }));
  assertEquals(verdict, "not measured here");
});

Deno.test("what nobody measured is not measured here, and says what is missing", () => {
  for (const { verdict, needs } of judgeClaims(evidenceOf())) {
    assertEquals(verdict, "not measured here");
    assert(needs);
  }
});

Deno.test("there are 24 claims, each told in at most eight words", () => {
  assertEquals(CLAIMS.map(({ id }) => id), Array.from({ length: 24 }, (_, i) => `C${i + 1}`));
  for (const { brief } of CLAIMS) assert(brief.split(" ").length <= 8, brief);
});

Deno.test("findings do not hang on the order of rows", () => {
  const random = stream(1, "order");
  const shuffled = <T>(rows: readonly T[]): T[] =>
    rows.map((row) => ({ row, at: random() })).sort((a, b) => a.at - b.at).map(({ row }) => row);
  const evidence: Evidence = {
    ...contest(1e6, 0.9, 0.6),
    machines: contest(1e6, 0.9, 0.6).machines.map((machine) => ({
      ...machine,
      ...pairsOf({ speedups: [0.9, 1.4, 1.2, 1.6, 0.8, 1.3], alpha: 0.8, differing: 2 }),
    })),
  };
  const other: Evidence = {
    ...evidence,
    traces: shuffled(evidence.traces),
    machines: evidence.machines.map((machine) => ({
      ...machine,
      costs: shuffled(machine.costs),
      records: {
        runs: shuffled(machine.records.runs),
        rounds: shuffled(machine.records.rounds),
      },
    })),
  };
  assertEquals(judgeClaims(other), judgeClaims(evidence));
});
