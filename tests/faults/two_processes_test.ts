import { assertEquals } from "@std/assert";
import { serve } from "../models/fixtures/server.ts";
import { runHere } from "./child.ts";
import { namesIn } from "./disk.ts";
import { tinyGguf } from "./tiny_model.ts";

Deno.test("processes that fetch and build one model at once all succeed, and leave one copy", async () => {
  const folder = Deno.makeTempDirSync();
  await using server = serve(tinyGguf(), { slowly: { pieces: 20, pauseMs: 15 } });
  try {
    const study = (records: number) =>
      runHere("study_child.ts", [server.url, `${folder}/cache`, `${folder}/records${records}`]);
    for (const { code, err } of await Promise.all([1, 2, 3].map(study))) {
      assertEquals([code, err], [0, ""]);
    }
    assertEquals(server.requests.length, 1);
    assertEquals(
      namesIn(`${folder}/cache/models`),
      ["m.gguf", "m.gguf.lock", "m.gguf.verified"],
    );
    const graphs = [...Deno.readDirSync(`${folder}/cache/graphs`)].filter(({ isDirectory }) =>
      isDirectory
    ).map(({ name }) => name);
    assertEquals(
      namesIn(`${folder}/cache/graphs`),
      graphs.flatMap((graph) => [
        `${graph}.lock`,
        `${graph}/grouped.onnx`,
        `${graph}/scattered.onnx`,
        `${graph}/softmax.onnx`,
        `${graph}/weights.bin`,
        `${graph}/weights.json`,
      ]).sort(),
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
