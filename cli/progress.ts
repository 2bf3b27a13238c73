/**
 * How far something has got, on stderr.
 *
 * @module
 */

/** Shows progress until it ends. */
export interface Progress {
  /**
   * Shows that `done` of `total` is done, in any unit; `note` says more, as "12 MB". May be called
   * as often as one likes.
   */
  update(done: number, total: number, note?: string): void;
  /** Leaves the last state standing. */
  end(): void;
}

/** Where and how to show progress. */
export interface ProgressOptions {
  /** Where to write; by default stderr. */
  readonly write?: (text: string) => void;
  /** Whether that is a terminal, where a line can be drawn over; by default, whether stderr is. */
  readonly terminal?: boolean;
  /** The time in milliseconds; by default `performance.now`. */
  readonly now?: () => number;
}

/** Milliseconds between two states that are shown, on a terminal and elsewhere. */
const INTERVAL = { terminal: 100, elsewhere: 5000 };
const WIDTH = 24;

/**
 * Starts to show progress. On a terminal a bar is drawn over and over, with the time that is left;
 * elsewhere (a log, a notebook) a line is written every five seconds, and the last state.
 *
 * @param label What is going on, as "Fetching".
 * @param options Where and how.
 * @returns What to call with each state.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const lines: string[] = [];
 * const bar = progress("Fetching", { write: (text) => lines.push(text), terminal: false });
 * bar.update(1, 4);
 * bar.update(4, 4, "98 MB");
 * bar.end();
 * assertEquals(lines, ["Fetching 25%\n", "Fetching 100% 98 MB\n"]);
 * ```
 */
export function progress(label: string, options: ProgressOptions = {}): Progress {
  const {
    write = (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    terminal = Deno.stderr.isTerminal(),
    now = () => performance.now(),
  } = options;
  const started = now();
  let shown = -Infinity;
  let pending: string | null = null;
  let drawn = 0;

  const show = (line: string) => {
    write(terminal ? `\r${line.padEnd(drawn)}` : `${line}\n`);
    drawn = line.length;
    pending = null;
  };
  return {
    update(done, total, note = "") {
      const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
      const percent = `${Math.floor(share * 100)}%`;
      const time = now();
      const left = share > 0 && share < 1 ? clock((time - started) * (1 / share - 1)) : "";
      pending = (terminal ? [label, bar(share), percent, note, left] : [label, percent, note])
        .filter((part) => part !== "").join(" ");
      if (time - shown < (terminal ? INTERVAL.terminal : INTERVAL.elsewhere)) return;
      shown = time;
      show(pending);
    },
    end() {
      if (pending !== null) show(pending);
      if (terminal && drawn > 0) write("\n");
      drawn = 0;
    },
  };
}

function bar(share: number): string {
  const full = Math.floor(share * WIDTH);
  return `[${"=".repeat(full)}${" ".repeat(WIDTH - full)}]`;
}

function clock(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const parts = seconds < 3600
    ? [Math.floor(seconds / 60), seconds % 60]
    : [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [first, ...rest] = parts;
  return `${first}:${rest.map((part) => String(part).padStart(2, "0")).join(":")} left`;
}
