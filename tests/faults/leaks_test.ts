import { assertGreater } from "@std/assert";
import { soak } from "./soak.ts";

Deno.test("sessions, contexts, forks, aborted and failed runs give their memory back", async () => {
  const { rounds } = await soak(20, 24e6);
  assertGreater(rounds, 20);
});
