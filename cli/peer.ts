/**
 * Another engine, in a process of its own.
 *
 * @module
 */

import type { PassTimer } from "../lib/study/pass_times.ts";

/**
 * Starts onnxruntime-genai under Python and times its passes.
 *
 * @param folder A model that `tools/peers/genai_build.py` built.
 * @param threads Threads of a pass.
 * @returns The timer; disposing of it ends the process.
 */
export async function genaiTimer(
  folder: string,
  threads: number,
): Promise<PassTimer & AsyncDisposable> {
  const script = new URL("../tools/peers/genai.py", import.meta.url).pathname;
  const child = new Deno.Command("python3", {
    args: [script, folder, `${threads}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const requests = child.stdin.getWriter();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lineSplitter())
    .getReader();
  const answer = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.read();
    if (!done) return JSON.parse(value);
    throw new Error(
      `Cannot time onnxruntime-genai as its process ended: install it and build ${folder} with tools/peers/genai_build.py`,
    );
  };
  const { version } = await answer();
  return {
    name: `genai ${version}`,
    async pass(context, width) {
      const request = JSON.stringify({ context, width, repeats: 1 });
      await requests.write(new TextEncoder().encode(`${request}\n`));
      return ((await answer())["passes"] as number[])[0]!;
    },
    async [Symbol.asyncDispose]() {
      await requests.close();
      await lines.cancel();
      await child.status;
    },
  };
}

function lineSplitter(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
