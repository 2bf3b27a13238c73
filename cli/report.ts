/**
 * Errors that a user can mend are a line; all others keep their stack.
 *
 * @module
 */

/**
 * Runs a command. An error whose message says what cannot be done ("Cannot … as …") is printed as
 * a line, with exit code 1; an interruption ends with 130, as shells expect.
 *
 * @param command What to do; it is handed a signal that Ctrl-C aborts. A second Ctrl-C kills.
 */
export async function report(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void => {
    Deno.removeSignalListener("SIGINT", interrupt);
    controller.abort(new DOMException("Interrupted", "AbortError"));
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    await command(controller.signal);
  } catch (error) {
    if (controller.signal.aborted && error === controller.signal.reason) {
      Deno.exitCode = 130;
    } else if (error instanceof Error && error.message.startsWith("Cannot ")) {
      console.error(error.message);
      Deno.exitCode = 1;
    } else {
      throw error;
    }
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}
