/**
 * Another engine, in a process of its own that answers lines of JSON.
 *
 * @module
 */

import type { PassTimer } from "../../lib/study/pass_times.ts";

/**
 * A peer that cannot be timed: "Cannot time ENGINE as REASON: WAY OUT".
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * const program = { engine: "that", command: "no-such-command", args: [], needs: "it" };
 * await assertRejects(() => startPeer(program), PeerError, "Cannot time that as");
 * ```
 */
export class PeerError extends Error {
  /** The error's name, "PeerError". */
  override readonly name = "PeerError";
}

/** How a peer's process is started. */
export interface PeerProgram {
  /** The engine's name. */
  readonly engine: string;
  /** What runs the script: "node". */
  readonly command: string;
  /** The script and its arguments. */
  readonly args: readonly string[];
  /** What brings the command: "Node.js 20 or later". */
  readonly needs: string;
}

/**
 * Starts a peer. It first says its `version`; then, for each request, the `milliseconds` that the
 * work took. Where it cannot, it says its `error`.
 *
 * @param program What to start.
 * @param signal Stops the command that the peer works for, and may have ended the peer too.
 * @returns The timer, named after engine and version; disposing of it ends the process.
 * @throws {PeerError} If the command is missing or the peer says an error or nothing.
 */
export async function startPeer(
  program: PeerProgram,
  signal?: AbortSignal,
): Promise<PassTimer & AsyncDisposable> {
  const { engine } = program;
  const child = spawn(program);
  const requests = child.stdin.getWriter();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(splitLines())
    .getReader();
  await using ending = new AsyncDisposableStack();
  ending.defer(async () => {
    await requests.close().catch(() => {}); // it may have ended already
    await lines.cancel();
    await child.status;
  });
  const answer = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.read();
    if (done) {
      signal?.throwIfAborted();
      throw new PeerError(`Cannot time ${engine} as its process ended: see what it wrote above`);
    }
    const said = JSON.parse(value);
    if ("error" in said) throw new PeerError(`Cannot time ${engine} as ${said.error}`);
    return said;
  };
  const { version } = await answer();
  const running = ending.move();
  return {
    name: `${engine} ${version}`,
    async time(work) {
      const request = new TextEncoder().encode(`${JSON.stringify(work)}\n`);
      await requests.write(request).catch(() => {}); // what it said before it ended is the reason
      return (await answer())["milliseconds"] as number;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function spawn({ engine, command, args, needs }: PeerProgram): Deno.ChildProcess {
  try {
    return new Deno.Command(command, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new PeerError(`Cannot time ${engine} as there is no ${command}: install ${needs}`);
  }
}

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
