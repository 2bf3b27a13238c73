/**
 * An hour of taking and giving back, or as many seconds as SPECBOUND_SOAK_SECONDS says.
 *
 * @module
 */

import { soak } from "../faults/soak.ts";

const seconds = Number(Deno.env.get("SPECBOUND_SOAK_SECONDS") ?? 3600);

Deno.test(`memory is flat over ${seconds} seconds`, async () => {
  const { rounds, held } = await soak(seconds, 24e6);
  console.log(`${rounds} sessions; megabytes:`, held.map((bytes) => Math.round(bytes / 1e6)));
});
