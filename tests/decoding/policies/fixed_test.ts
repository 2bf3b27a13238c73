import { assertEquals, assertThrows } from "@std/assert";
import { fixed } from "../../../lib/decoding/policies/fixed.ts";

Deno.test("fixed() drafts as much in every round, and never ends a draft early", () => {
  for (const draftLength of [0, 1, 16]) {
    const policy = fixed(draftLength);
    for (const position of [1, 100]) {
      assertEquals(policy.limit({ position, emitted: 0, last: null }), draftLength);
    }
    assertEquals([policy.proceed, policy.name], [undefined, `fixed ${draftLength}`]);
  }
});

Deno.test("fixed() refuses lengths that are no counts", () => {
  for (const wrong of [-1, 2.7, NaN]) assertThrows(() => fixed(wrong), RangeError, "draftLength");
});
