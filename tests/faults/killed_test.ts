import { assert, assertEquals } from "@std/assert";
import { killStudies } from "./kills.ts";

Deno.test({
  name: "a study killed in its fetch, its builds and its sweep ends with every row once",
  ignore: Deno.build.os === "windows", // which has no SIGKILL to die of
  async fn() {
    const died = await killStudies(21, 1);
    assertEquals(died.fetch + died.build + died.sweep, 21);
    for (const [phase, kills] of Object.entries(died)) assert(kills > 0, `none died in ${phase}`);
  },
});
