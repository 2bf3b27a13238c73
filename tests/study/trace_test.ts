import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  confidence,
  type Context,
  type Drafter,
  fixed,
  type LanguageModel,
  modelDrafter,
  onlineNgram,
  type Policy,
  promptLookup,
  type Sampling,
  speculate,
  tableModel,
} from "@specbound/specbound";
import { recordText } from "../../lib/study/recorded_text.ts";
import { replayTrace, type Trace, type TracedRound, TraceError } from "../../lib/study/trace.ts";
import { traceDraws } from "../../lib/study/trace_draws.ts";
import { traceHead, traceHeadDraws } from "../../lib/study/trace_heads.ts";
import { traceDrafter, traceModel } from "../../lib/study/trace_recorder.ts";
import { foretelling } from "./foretelling.ts";
import { leaning } from "./leaning.ts";

const PROMPT = [0, 1, 2, 3, 0, 1];
const LONGEST = 8;
const table = (seed: number, spread = 3) =>
  tableModel({ vocabularySize: 6, seed, order: 2, spread });

interface Live {
  readonly target: LanguageModel;
  readonly open: (target: Context) => Drafter;
  readonly policy: Policy;
  readonly maxTokens: number;
  readonly endOfText: ReadonlySet<number>;
  readonly sampling?: Sampling;
  readonly seed?: number | string;
}

interface Counted {
  readonly tokens: readonly number[];
  readonly rounds: readonly TracedRound[];
}

async function runLive({ target, open, seed = 1, ...options }: Live): Promise<Counted> {
  const rounds: TracedRound[] = [];
  const tokens: number[] = [];
  const context = target.open();
  for await (const round of speculate(context, open(context), PROMPT, { ...options, seed })) {
    const { drafted, tested, accepted, emitted } = round;
    const counts = { drafted: drafted.length, tested, accepted, emitted: emitted.length };
    rounds.push({ position: tokens.length, ...counts });
    tokens.push(...emitted);
  }
  return { tokens, rounds };
}

const policies = () => [
  ...[0, 1, 2, 3, 5, LONGEST].map(fixed),
  ...[0.2, 0.5, 0.8].map((threshold) => confidence({ threshold, draftLength: LONGEST })),
];

for (const end of [[], [3], [5]]) {
  Deno.test(`a replayed greedy trace gives the counts of live runs that end at [${end}]`, async () => {
    const endOfText = new Set(end);
    for (let seed = 0; seed < 12; seed++) {
      const target = table(seed);
      const draft = leaning(target, table(99), 0.4);
      const options = { maxTokens: 40, seed: 1, endOfText };
      const text = await recordText(target.open(), PROMPT, options);
      const follow = foretelling(draft, leaning(target, table(98), 1.5));
      const head = { target: target.open(), follow };
      const drafters: [(target: Context) => Drafter, Trace][] = [
        [() => modelDrafter(draft), await traceModel(text, draft.open(), { longest: LONGEST })],
        [
          (context) => modelDrafter(follow(context)),
          await traceHead(text, head, { longest: LONGEST }),
        ],
      ];
      for (const open of [() => promptLookup(), () => onlineNgram()]) {
        drafters.push([open, await traceDrafter(text, open(), { longest: LONGEST })]);
      }
      for (const [open, trace] of drafters) {
        for (const policy of policies()) {
          const live = await runLive({ target, open, policy, ...options });
          assertEquals(replayTrace(trace, { policy, seed: 1 }), live.rounds, policy.name);
        }
      }
    }
  });
}

Deno.test("a model traced in wide passes has the trace of a model asked at every position", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const target = table(seed);
    const draft = leaning(target, table(99), 0.4);
    const endOfText = new Set([4]);
    const text = await recordText(target.open(), PROMPT, { maxTokens: 40, seed: 1, endOfText });
    const asked = await traceDrafter(text, modelDrafter(draft), { longest: LONGEST });
    assertEquals(await traceModel(text, draft.open(), { longest: LONGEST }), asked);
  }
});

for (const kind of ["drawn", "chosen", "head's"] as const) {
  Deno.test(`replays of sampled traces are distributed as live runs of ${kind} drafts`, async () => {
    const sampling = { temperature: 0.8 };
    const target = table(5, 1.5);
    const draft = leaning(target, table(99), 0.5);
    const follow = foretelling(draft, table(99));
    const drafters: Record<typeof kind, (target: Context) => Drafter> = {
      drawn: () => modelDrafter(draft),
      chosen: () => onlineNgram(),
      "head's": (context) => modelDrafter(follow(context)),
    };
    const options = { maxTokens: 12, endOfText: new Set([5]), sampling };
    const policy = fixed(3);
    const [live, replayed]: Counted[][] = [[], []];
    for (let seed = 0; seed < 1500; seed++) {
      const open = drafters[kind];
      live!.push(await runLive({ target, open, policy, ...options, seed: `live ${seed}` }));
      const text = await recordText(target.open(), PROMPT, { ...options, seed });
      const contexts = { target: target.open(), draft: draft.open(), follow };
      const recording = { longest: LONGEST, seed };
      const trace = kind === "chosen"
        ? await traceDrafter(text, onlineNgram(), recording)
        : await (kind === "drawn" ? traceDraws : traceHeadDraws)(text, contexts, recording);
      replayed!.push({ tokens: trace.tokens, rounds: replayTrace(trace, { policy, seed }) });
    }
    const seen: Record<string, (run: Counted) => string> = {
      "how many rounds accept how much": ({ rounds }) =>
        rounds.map(({ accepted }) => accepted).slice(0, 2).join(" "),
      "rounds of a run": ({ rounds }) => `${rounds.length}`,
      "the first round and its first token": ({ rounds: [first], tokens: [token] }) =>
        `${first!.tested} ${first!.accepted} ${first!.emitted > 0 ? token : "end"}`,
    };
    for (const [what, of] of Object.entries(seen)) {
      assert(deviate(live!.map(of), replayed!.map(of)) < 3, what);
    }
  });
}

/** G of two samples of categories, as a standard normal deviate (Wilson and Hilferty 1931). */
function deviate(a: readonly string[], b: readonly string[]): number {
  const categories = Map.groupBy([...a, ...b], (category) => category);
  const share = { a: a.length / (a.length + b.length), b: b.length / (a.length + b.length) };
  let g = 0;
  for (const [category, both] of categories) {
    const inA = a.filter((one) => one === category).length;
    const term = (observed: number, expected: number) =>
      observed > 0 ? 2 * observed * Math.log(observed / expected) : 0;
    g += term(inA, both.length * share.a) + term(both.length - inA, both.length * share.b);
  }
  const freedom = categories.size - 1;
  const spread = 2 / (9 * freedom);
  return ((g / freedom) ** (1 / 3) - (1 - spread)) / Math.sqrt(spread);
}

Deno.test("a replay of a drawn trace depends on its seed alone", async () => {
  const target = table(5);
  const draft = leaning(target, table(99), 0.5);
  const sampling = { temperature: 1 };
  const text = await recordText(target.open(), PROMPT, {
    maxTokens: 40,
    endOfText: new Set(),
    sampling,
    seed: 1,
  });
  const contexts = { target: target.open(), draft: draft.open() };
  const trace = await traceDraws(text, contexts, { longest: 4, seed: 1 });
  const replay = (seed: number) => replayTrace(trace, { policy: fixed(4), seed });
  assertEquals(replay(1), replay(1));
  assert([2, 3, 4].some((seed) => JSON.stringify(replay(seed)) !== JSON.stringify(replay(1))));
  assertThrows(() => replayTrace(trace, { policy: confidence(), seed: 1 }), TraceError);
  assertThrows(() => replayTrace(trace, { policy: fixed(5), seed: 1 }), TraceError, "knows 4");
  const mean = (of: (typeof trace.drafts)[number][], value: "overlap" | "chance") =>
    of.reduce((sum, position) => sum + position[value], 0) / of.length;
  assertAlmostEquals(mean([...trace.drafts], "overlap"), mean([...trace.drafts], "chance"), 0.2);
});
