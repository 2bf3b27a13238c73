import { assertEquals, assertRejects } from "@std/assert";
import { type DrafterFlags, openDrafter, wantsHidden } from "../../cli/drafter.ts";
import { speculate } from "../../lib/decoding/speculative.ts";
import { autoregress } from "../../lib/decoding/autoregressive.ts";
import { type LoadedModel, loadModel, type LoadOptions } from "../../lib/engine/load.ts";
import { DraftError } from "../../lib/engine/open_draft.ts";
import { sha256File } from "../../lib/models/digest.ts";
import { Runtime } from "../../lib/onnx/mod.ts";
import { tokensOf } from "../decoding/decode.ts";
import { tinyDraft } from "../engine/draft_files.ts";
import { noise } from "../engine/exactness.ts";
import { tinyGguf, tinyMetadata, tinyTensors } from "../faults/tiny_model.ts";
import { toyGguf } from "../models/fixtures/toy_gguf.ts";

/** Gives a test the tiny model with its hidden states, and a folder of drafts for it. */
async function withDrafts(
  use: (
    target: LoadedModel,
    flags: (draft: string) => DrafterFlags,
    loading: LoadOptions,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    using runtime = new Runtime({ threads: 1 });
    const model = `${folder}/target.gguf`;
    await Deno.writeFile(model, tinyGguf());
    const sha256 = await sha256File(model);
    for (const role of ["draft", "feature", "exit"] as const) {
      await Deno.writeFile(`${folder}/${role}.gguf`, tinyDraft(role, sha256));
    }
    const tokens = { ...tinyMetadata, "tokenizer.ggml.merges": { strings: ["t h"] } };
    await Deno.writeFile(`${folder}/stranger.gguf`, toyGguf(tokens, tinyTensors()));
    const loading = { runtime, cache: folder, exact: true };
    await using target = await loadModel(model, { ...loading, hidden: true });
    const flags = (draft: string): DrafterFlags => ({
      model,
      draft: draft.replaceAll(/\b(?=\w+\.gguf)/g, `${folder}/`),
      draftPrecision: "fp32",
      draftVocabulary: 0,
    });
    await use(target, flags, loading);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a draft's file says itself what it is: any drafts, and leaves greedy text as it is", () =>
  withDrafts(async (target, flags, loading) => {
    const prompt = noise(9, target.vocabularySize);
    const options = { maxTokens: 30, seed: 1 };
    await using plain = target.open();
    const expected = await tokensOf(autoregress(plain, prompt, options));
    const drafts = ["target.gguf", "draft.gguf", "feature.gguf", "exit.gguf", "self:1"];
    for (const draft of [...drafts, "ngram,feature.gguf", "exit.gguf,feature.gguf"]) {
      await using context = target.open();
      await using drafter = (await openDrafter(flags(draft), target, context, loading))!;
      assertEquals(await tokensOf(speculate(context, drafter, prompt, options)), expected, draft);
    }
  }));

Deno.test("a draft of another tokenizer is refused", () =>
  withDrafts(async (target, flags, loading) => {
    await using context = target.open();
    await assertRejects(
      () => openDrafter(flags("stranger.gguf"), target, context, loading),
      DraftError,
      "its tokenizer is not that of",
    );
  }));

Deno.test("the target is asked for hidden states if one of its drafts reads them", () =>
  withDrafts(async (_, flags, loading) => {
    const wants = (draft: string) => wantsHidden(flags(draft), loading);
    assertEquals(await wants("ngram,feature.gguf"), true);
    for (const draft of ["none", "self:1", "int4-self", "ngram,prompt-lookup,exit.gguf"]) {
      assertEquals(await wants(draft), false, draft);
    }
  }));
