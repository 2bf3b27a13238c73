import { assert, assertEquals, assertThrows } from "@std/assert";
import { ArgumentError, helpText, readArguments } from "../../cli/arguments.ts";

const specification = {
  command: "deno task try",
  summary: "Tries.",
  flags: {
    maxTokens: { type: "number", default: 64, description: "tokens" },
    seed: { type: "number", description: "seed" },
    mode: { type: "string", choices: ["exact", "fast"], default: "exact", description: "mode" },
    out: { type: "string", description: "file" },
    chat: { type: "boolean", description: "chat" },
    warmUp: { type: "boolean", default: true, description: "warm up first" },
  },
  positionals: [
    { name: "action", description: "what", choices: ["run", "list"] },
    { name: "model", description: "which", optional: true },
  ],
} as const;

const read = (...args: string[]) => readArguments(specification, args);

Deno.test("readArguments() gives defaults where nothing is given", () => {
  const { flags, positionals } = read("run");
  assertEquals(flags, {
    maxTokens: 64,
    seed: undefined,
    mode: "exact",
    out: undefined,
    chat: false,
    warmUp: true,
  });
  assertEquals(positionals, ["run"]);
  // Types, too, follow the table.
  const typed: {
    maxTokens: number;
    seed: number | undefined;
    mode: "exact" | "fast";
    chat: boolean;
  } = flags;
  assert(typed);
});

Deno.test("readArguments() reads flags with a space or an equals sign, in any place", () => {
  for (
    const args of [
      ["--max-tokens", "8", "--mode=fast", "--no-warm-up", "run", "--chat", "m.gguf"],
      ["run", "m.gguf", "--chat", "--no-warm-up", "--mode", "fast", "--max-tokens=8"],
    ]
  ) {
    const { flags, positionals } = read(...args);
    assertEquals([flags.maxTokens, flags.mode, flags.chat, flags.warmUp], [8, "fast", true, false]);
    assertEquals(positionals, ["run", "m.gguf"]);
  }
});

Deno.test("readArguments() takes what follows -- as it is", () => {
  assertEquals(read("run", "--", "--chat").positionals, ["run", "--chat"]);
});

Deno.test("readArguments() reads numbers as JavaScript does, and nothing else", () => {
  for (const [text, number] of [["-1", -1], ["1e3", 1000], [".5", 0.5], ["0", 0]] as const) {
    assertEquals(read("run", `--seed=${text}`).flags.seed, number);
  }
  for (const text of ["", " ", "x", "1,5", "NaN", "Infinity", "8 tokens"]) {
    assertThrows(() => read("run", `--seed=${text}`), ArgumentError, "--seed must be a number");
  }
});

Deno.test("readArguments() rejects what the table does not have", () => {
  for (
    const [args, reason] of [
      [["run", "--nope"], "unknown option '--nope'"],
      [["run", "-x"], "unknown option '-x'"],
      [["run", "--maxTokens", "8"], "unknown option '--maxTokens'"],
      [["run", "--seed"], "--seed <value>' argument missing"],
      [["run", "--chat=1"], "does not take an argument"],
      [["run", "--mode", "slow"], "--mode must be one of exact, fast: current value is slow"],
      [[], "action is missing"],
      [["go"], "action must be one of run, list: current value is go"],
      [["run", "a", "b"], "it takes no argument b"],
    ] as const
  ) {
    const { message } = assertThrows(() => read(...args), ArgumentError);
    assert(message.startsWith("Cannot run deno task try as "), message);
    assert(message.includes(reason), `${message} lacks ${reason}`);
    assert(message.endsWith(": see deno task try --help"), message);
    assert(!message.includes("\n"), message);
  }
});

Deno.test("helpText() lines the descriptions up and shows choices and defaults", () => {
  assertEquals(
    helpText(specification),
    `Tries.

Usage: deno task try <action> [model] [flags]

  action                 what (one of run, list)
  model                  which
  --max-tokens <number>  tokens (default: 64)
  --seed <number>        seed
  --mode <string>        mode (one of exact, fast; default: exact)
  --out <string>         file
  --chat                 chat
  --[no-]warm-up         warm up first (default: true)
  --help                 show this text`,
  );
});
