import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DETERMINISM,
  parseWorkload,
  type Prompt,
  promptHash,
  readWorkload,
  TASKS,
  WorkloadError,
} from "../../lib/study/workload.ts";
import { PROMPTS } from "./tables.ts";

const FILE = new URL("../../data/prompts/evaluation.json", import.meta.url);

if (Deno.env.has("UPDATE")) {
  const entries: Prompt[] = JSON.parse(await Deno.readTextFile(FILE));
  const hashed = entries.map((entry) => ({ ...entry, hash: promptHash(entry).slice(0, 12) }));
  await Deno.writeTextFile(FILE, JSON.stringify(hashed, null, 2) + "\n");
}

const evaluation = await readWorkload(FILE);

/** What a prompt says itself: its message and its history, in words. */
const wordsOf = ({ history = [], text }: Prompt) =>
  [...history.map(({ content }) => content), text].join("\n").toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

const gramsOf = (prompt: Prompt, size: number) => {
  const words = wordsOf(prompt);
  return new Set(words.slice(size - 1).map((_, i) => words.slice(i, i + size).join(" ")));
};

Deno.test("the evaluation set has twelve prompts of every kind, and neighbours differ in kind", () => {
  const kinds = Object.groupBy(evaluation, ({ task }) => task);
  assertEquals(Object.keys(kinds).sort(), [...TASKS].sort());
  for (const prompts of Object.values(kinds)) assertEquals(prompts!.length, 12);
  evaluation.slice(1).forEach(({ task }, i) => assert(task !== evaluation[i]!.task));
});

Deno.test("the evaluation set has every determinism, and twenty domains at least", () => {
  assertEquals(new Set(evaluation.map(({ determinism }) => determinism)), new Set(DETERMINISM));
  assert(new Set(evaluation.map(({ domain }) => domain)).size >= 20);
});

Deno.test("chats, and only chats, have a history", () => {
  for (const { task, history } of evaluation) assertEquals(history !== undefined, task === "chat");
});

Deno.test("every evaluation prompt states its hash (UPDATE=1 rewrites the hashes)", async () => {
  const entries: { hash?: string }[] = JSON.parse(await Deno.readTextFile(FILE));
  assertEquals(
    entries.map(({ hash }) => hash),
    evaluation.map((prompt) => promptHash(prompt).slice(0, 12)),
  );
});

Deno.test("no prompt shares an id or thirteen words in a row with another, of the quick set neither", () => {
  const prompts = [...PROMPTS, ...evaluation];
  assertEquals(new Set(prompts.map(({ id }) => id)).size, prompts.length);
  const owners = new Map<string, string>();
  for (const prompt of prompts) {
    for (const gram of gramsOf(prompt, 13)) {
      assert(!owners.has(gram), `${prompt.id} and ${owners.get(gram)}: ${gram}`);
      owners.set(gram, prompt.id);
    }
  }
});

Deno.test("edits and extractions carry their source: 30 words at least", () => {
  for (const prompt of evaluation) {
    if (prompt.task === "edit" || prompt.task === "extract") {
      assert(wordsOf(prompt).length >= 30, prompt.id);
    }
  }
});

const ENTRY = {
  id: "a",
  task: "chat",
  domain: "greetings",
  determinism: "low",
  history: [{ role: "user", content: "Hello" }, { role: "assistant", content: "Good morning" }],
  text: "How are you?",
};

Deno.test("a wording that does not fit its hash is refused, in the history too", () => {
  const hash = promptHash(ENTRY).slice(0, 12);
  const [prompt] = parseWorkload([{ ...ENTRY, hash }]);
  assertEquals(prompt, ENTRY as Prompt);
  const changes = [
    { text: "How are you" },
    { history: ENTRY.history.map((turn) => ({ ...turn, content: turn.content + "!" })) },
    { history: undefined },
    { hash: hash.slice(0, 11) },
    { hash: "" },
  ];
  for (const change of changes) {
    assertThrows(() => parseWorkload([{ ...ENTRY, hash, ...change }]), WorkloadError);
  }
});

Deno.test("a history is turns of user and assistant", () => {
  const [user, assistant] = ENTRY.history;
  const wrong = [
    [],
    [user],
    [assistant, user],
    [user, { role: "assistant" }],
    [null, null],
    "hello",
  ];
  for (const history of wrong) {
    assertThrows(
      () => parseWorkload([{ ...ENTRY, history }]),
      WorkloadError,
      "the history of prompt 1 must be messages of user and assistant in turn",
    );
  }
});

Deno.test("hashes do not change between versions", () => {
  const median = PROMPTS.find(({ id }) => id === "code-median")!;
  assertEquals(
    promptHash(median),
    "224141dc9dcb9643b5fd892ffce7f4ab6d26b1bbb5f01f8a616b09b5f014e7f1",
  );
  assertEquals(promptHash(ENTRY).slice(0, 12), "99d3c9d263c0");
});
