import { assertEquals, assertThrows } from "@std/assert";
import { parameters } from "../../lib/notebook/parameters.ts";

const DEFAULTS = { MEASURE: false, ACCEPTANCE: 0.7, ROWS: { exact: false } };

Deno.test("without an override parameters are their defaults", () => {
  assertEquals(parameters(DEFAULTS, { json: "{}" }), DEFAULTS);
});

Deno.test("a file overrides parameters as its text does", async () => {
  const json = '{ "ACCEPTANCE": 0.9, "ROWS": { "exact": true } }';
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, json);
  assertEquals(parameters(DEFAULTS, { json: file }), parameters(DEFAULTS, { json }));
  await Deno.remove(file);
});

for (
  const [json, message] of [
    ['{ "MESURE": true }', "there is no MESURE: choose from MEASURE, ACCEPTANCE, ROWS"],
    ['{ "MEASURE": "yes" }', "MEASURE must be of type boolean"],
    ['{ "ROWS": [] }', "ROWS must be of type object"],
  ] as const
) {
  Deno.test(`an override is refused: ${json}`, () => {
    assertThrows(() => parameters(DEFAULTS, { json }), TypeError, message);
  });
}
