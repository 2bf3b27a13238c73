/**
 * Two hundred studies killed at random: some minutes.
 *
 * @module
 */

import { killStudies } from "../faults/kills.ts";

Deno.test("after 200 kills every study ends with every row once, its cache sound", async () => {
  console.log("Died in", await killStudies(200, 2));
});
