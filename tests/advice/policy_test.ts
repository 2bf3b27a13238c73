import { assertEquals, assertThrows } from "@std/assert";
import {
  everDrafts,
  PolicyError,
  policyOf,
  readPolicy,
  requireModel,
} from "../../lib/advice/policy.ts";
import { advised } from "../../lib/decoding/policies/advised.ts";
import { plantedAdvice } from "./planted.ts";

const advice = plantedAdvice({ alphas: { perfect: () => 1 } });
const policy = policyOf(advice, "here");

Deno.test("a policy is read as it was written, and drafts as was advised", () => {
  assertEquals(readPolicy(JSON.stringify(policy)), policy);
  const { limit } = advised(policy);
  for (const { from, draftLength } of advice.bands) {
    assertEquals(limit({ position: from, emitted: 0, last: null }), draftLength);
  }
  const beyond = advice.bands.at(-1)!.to;
  assertEquals(limit({ position: beyond, emitted: 0, last: null }), 0);
});

Deno.test("a policy ever drafts unless advice is against it everywhere", () => {
  const against = plantedAdvice({ alphas: { useless: () => 0 } });
  assertEquals(everDrafts(policy), true);
  assertEquals(everDrafts(policyOf(against, "here")), false);
});

Deno.test("a policy of another version or shape is refused with what is wrong", () => {
  const wrong: [unknown, string][] = [
    ["[", "it is no JSON object"],
    ["7", "it is no JSON object"],
    [{ ...policy, version: 2 }, "its version is 2, not 1"],
    [{ ...policy, model: undefined }, "it lacks a model"],
    [{ ...policy, precision: "int3" }, "its precision is int3"],
    [{ ...policy, draft: { draft: "oracle" } }, "it lacks a draft that is known"],
    [{ ...policy, draft: { draft: "model" } }, "its draft lacks a draftModel"],
    [{ ...policy, ranges: [null] }, "it lacks ranges"],
    [{ ...policy, ranges: [] }, "ranges.length must be"],
    [{ ...policy, ranges: [{ from: 0, draftLength: -1, threshold: 0 }] }, "draftLength must be"],
    [{ ...policy, fallback: undefined }, "it lacks a fallback"],
    [{ ...policy, fallback: { window: 0, retry: 1 } }, "window must be"],
  ];
  for (const [value, reason] of wrong) {
    const json = typeof value === "string" ? value : JSON.stringify(value);
    assertThrows(() => readPolicy(json, "p.json"), PolicyError, `Cannot obey p.json as ${reason}`);
  }
});

Deno.test("a policy is for the weights it was made of, whatever their name", () => {
  requireModel(policy, { id: "elsewhere/planted.gguf", hash: "beef" });
  requireModel({ ...policy, modelHash: null }, { id: "planted", hash: "dead" });
  const refuse = (id: string, hash: string | null, reason: string) =>
    assertThrows(() => requireModel(policy, { id, hash }), PolicyError, reason);
  refuse("planted", "dead", "it is for planted, not other weights of it");
  refuse("other", null, "it is for planted, not other");
});
