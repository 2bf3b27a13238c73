import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MODEL, skipped } from "../engine/real_model.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs `deno task generate` as a user does, with the permissions that the task gives. */
async function generate(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "generate", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code: output.code, stdout: stdout!, stderr: stderr! };
}

Deno.test({
  name: "generate --json prints exactly one object, whose counts add up",
  ignore: skipped,
  async fn() {
    const prompt = "<|im_start|>user\nRepeat: one two three four five six seven<|im_end|>\n" +
      "<|im_start|>assistant\n";
    const settings = ["--raw", "--json", "--max-tokens", "12", "--draft-length", "3"];
    const { code, stdout } = await generate(prompt, ...settings, "--precision", "int8");
    assertEquals(code, 0);
    assertEquals(stdout.trimEnd().split("\n").length, 1);
    const result = JSON.parse(stdout);
    assertEquals(Object.keys(result).sort(), [
      ...["draft", "model", "precision", "promptTokens", "rounds"],
      ...["settings", "stop", "text", "timing", "tokens"],
    ]);
    assertEquals([result.model, result.precision, result.draft], [MODEL, "int8", "prompt-lookup"]);
    assertEquals(result.promptTokens[0], 1); // <|im_start|> is one token
    assert(["end", "length"].includes(result.stop));
    const sum = (key: string) =>
      result.rounds.reduce(
        (total: number, round: Record<string, number>) => total + round[key]!,
        0,
      );
    assertEquals(sum("emitted"), result.tokens.length);
    for (const round of result.rounds) {
      assert(round.accepted <= round.tested && round.tested <= round.drafted && round.drafted <= 3);
      assert(round.draftMs >= 0 && round.verifyMs > 0 && round.hostMs >= 0);
    }
    assert(result.timing.prefillMs > 0 && result.timing.decodeMs > 0);
  },
});

Deno.test({
  name: "generate streams the text, and accounts for it on stderr",
  ignore: skipped,
  async fn() {
    const settings = ["--max-tokens", "8", "--precision", "int4", "--draft", "none", "--compare"];
    const { code, stdout, stderr } = await generate("Say hello.", ...settings);
    assertEquals(code, 0);
    assert(stdout.trim().length > 0);
    assertMatch(stderr, /\d+ tokens · [\d.]+ tok\/s · τ 1\.00 · speed-up [\d.]+ .* same text/);
  },
});

Deno.test({
  name: "the target's own first layers draft from a trimmed vocabulary, and change no greedy text",
  ignore: skipped,
  async fn() {
    const settings = ["--max-tokens", "12", "--precision", "int4", "--exact", "--compare"];
    const draft = ["--draft", "self:28", "--draft-vocabulary", "4096"];
    const { code, stderr } = await generate("Say hello.", ...settings, ...draft);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /same text/);
    const { code: wrong, stderr: message } = await generate("Hi.", "--draft", "self:31");
    assertEquals(wrong, 1);
    assertStringIncludes(message, "layers must be an integer from 1 to 30");
  },
});

Deno.test({
  name: "the same seed samples the same text with a draft's help, another seed another",
  ignore: skipped,
  async fn() {
    const sample = async (seed: string) => {
      const settings = [
        "--temperature",
        "1",
        "--draft",
        "int4-self",
        "--max-tokens",
        "16",
        "--json",
      ];
      const { stdout } = await generate("Tell me a story.", ...settings, "--seed", seed);
      return JSON.parse(stdout).tokens;
    };
    const first = await sample("5");
    assertEquals(await sample("5"), first);
    assert(JSON.stringify(await sample("6")) !== JSON.stringify(first));
  },
});

/** A policy of the default model, as `deno task recommend --json` writes it. */
async function writePolicy(change: Record<string, unknown> = {}): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      version: 1,
      machine: "here",
      model: MODEL,
      modelHash: null,
      precision: "int4",
      draft: { draft: "ngram", draftModel: null, draftHash: null, draftPrecision: null },
      ranges: [{ from: 0, draftLength: 3, threshold: 0.2 }, {
        from: 40,
        draftLength: 0,
        threshold: 1,
      }],
      fallback: { window: 8, retry: 16 },
      expected: { estimate: 1.2, low: 1.1, high: 1.3, context: 30 },
      ...change,
    }),
  );
  return file;
}

Deno.test({
  name: "generate --policy drafts as far as the policy says at each context, in its precision",
  ignore: skipped,
  async fn() {
    const file = await writePolicy();
    const prompt = "Repeat: one two one two one two one two one two";
    const { code, stdout, stderr } = await generate(prompt, "--policy", file, "--json");
    assertEquals(code, 0, stderr);
    const { precision, draft, rounds, promptTokens } = JSON.parse(stdout);
    assertEquals([precision, draft], ["int4", "ngram"]);
    let position = promptTokens.length;
    for (const { drafted, emitted } of rounds) {
      assert(drafted <= (position < 40 ? 3 : 0), `${drafted} at ${position}`);
      position += emitted;
    }
    assert(position > 40);
    await Deno.remove(file);
  },
});

Deno.test({
  name: "generate --policy refuses a policy of another version or model, and one that is not there",
  ignore: skipped,
  async fn() {
    for (
      const [change, reason] of [
        [{ version: 9 }, "its version is 9, not 1"],
        [{ modelHash: "beef" }, `it is for ${MODEL}, not other weights of it`],
        [{ model: "other" }, `it is for other, not ${MODEL}`],
      ] as const
    ) {
      const file = await writePolicy(change);
      const { code, stderr } = await generate("Hi.", "--policy", file);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `Cannot obey ${file} as ${reason}`);
      await Deno.remove(file);
    }
    const { stderr } = await generate("Hi.", "--policy", "no/such.json");
    assertStringIncludes(stderr, "Cannot obey no/such.json as there is no such file");
  },
});

for (
  const [args, message] of [
    [["--model", "nosuch", "hello"], "the path of a .gguf file"],
    [["--bogus"], "see deno task generate --help"],
    [["--temperature", "hot", "hello"], "--temperature must be a number"],
    [["--precision", "int2", "hello"], "--precision must be one of fp32, int8, int4"],
    [[], "Cannot generate as the prompt is wanted once"],
    [["hello", "--max-tokens", "0"], "maxTokens must be an integer from 1"],
    [["hello", "--draft-length", "1.5"], "draftLength must be an integer"],
    [["hello", "--top-p", "2"], "topP must be above 0 and at most 1"],
    [["hello", "--prompt-file", "README.md"], "Cannot generate as the prompt is wanted once"],
  ] as const
) {
  Deno.test({
    name: `generate ${args.join(" ")} is a line that says what is wrong`,
    ignore: skipped,
    async fn() {
      const { code, stdout, stderr } = await generate(...args);
      assert(code === 1 || code === 2);
      assertEquals(stdout, "");
      assertStringIncludes(stderr, message);
      assertEquals(stderr.trimEnd().split("\n").length, 1);
    },
  });
}
