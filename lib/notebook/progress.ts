/**
 * How far something has got, in the output of a cell.
 *
 * @module
 */

import { inNotebook, show } from "./show.ts";

/** Milliseconds between two states that are shown, in a notebook and on a console. */
const INTERVAL = { notebook: 250, console: 5000 };
const WIDTH = 24;

/** Shows progress until it ends. */
export interface CellProgress {
  /** Shows that a share of the work is done, from 0 to 1; `note` says more. */
  update(share: number, note?: string): Promise<void>;
  /** Leaves a last word standing. */
  end(note: string): Promise<void>;
}

/**
 * Starts a bar that is redrawn in place. Writing to stdout would show nothing in a cell.
 *
 * @param label What is going on.
 * @param options Where states go, and the time in milliseconds, for tests.
 * @returns What to call with each state.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const shown: string[] = [];
 * const bar = cellProgress("Sweep", { draw: (text) => void shown.push(text), now: () => 0 });
 * await bar.update(0.5, "12/24 pairs");
 * await bar.end("24 pairs");
 * assertEquals(shown, ["Sweep ████████████░░░░░░░░░░░░ 50% 12/24 pairs", "Sweep: 24 pairs"]);
 * ```
 */
export function cellProgress(
  label: string,
  options: {
    readonly draw?: (text: string) => void | Promise<void>;
    readonly now?: () => number;
  } = {},
): CellProgress {
  const { draw = drawInCell(), now = () => performance.now() } = options;
  const interval = inNotebook() ? INTERVAL.notebook : INTERVAL.console;
  let shown = -Infinity;
  return {
    async update(share, note = "") {
      if (now() - shown < interval) return;
      shown = now();
      const full = Math.floor(share * WIDTH);
      const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
      await draw(`${label} ${bar} ${Math.floor(share * 100)}% ${note}`.trimEnd());
    },
    async end(note) {
      await draw(`${label}: ${note}`);
    },
  };
}

/** The first state makes an output, all others replace it. */
function drawInCell(): (text: string) => Promise<void> {
  const id = crypto.randomUUID();
  let update = false;
  return async (text) => {
    await show({ "text/plain": text }, { id, update });
    update = true;
  };
}
