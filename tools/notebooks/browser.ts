/**
 * A notebook in a real JupyterLab, worked by its own buttons.
 *
 * @module
 */

import { join } from "node:path";
import { NotebookError } from "./notebook.ts";
import type { ShownCell, ShownFigure } from "./shown.ts";

/** As wide as a small laptop, and high enough for any figure. */
export const SCREEN = { width: 1280, height: 1024 } as const;

/** Milliseconds within which late outputs arrive. */
const SETTLE = 500;

/** A browser with one notebook at a time. Cells are counted from 0, cells of prose left out. */
export interface NotebookPage extends AsyncDisposable {
  /** Opens a notebook and waits for its kernel. */
  open(address: string): Promise<void>;
  /** Restarts the kernel and runs all cells; returns when all have run. */
  restartAndRunAll(): Promise<void>;
  /** Runs a cell; returns when it has run. A negative number counts from the end. */
  runCell(index: number): Promise<void>;
  /** Adds a cell at the end. */
  append(source: string): Promise<void>;
  /** Interrupts the kernel. */
  stop(): Promise<void>;
  /** The cells and their outputs. */
  cells(): Promise<ShownCell[]>;
  /** The figures of each cell, with a picture of each in a folder. */
  figures(folder: string): Promise<ShownFigure[][]>;
}

/** As much of Playwright as is used here: its own types would come with the package. */
export interface Driver {
  /** Starts a browser. */
  launch(options: Readonly<Record<string, unknown>>): Promise<Browser>;
}

/** A browser that runs. */
interface Browser {
  newPage(options: Readonly<Record<string, unknown>>): Promise<Page>;
  close(): Promise<void>;
}

/** A page in a window of its own. */
interface Page {
  goto(address: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  locator(selector: string): Locator;
  evaluate<T, A>(act: (argument: A) => T | Promise<T>, argument?: A): Promise<T>;
  waitForFunction(condition: () => unknown): Promise<unknown>;
  waitForTimeout(milliseconds: number): Promise<void>;
  setDefaultTimeout(milliseconds: number): void;
}

/** An element on the page, or several. */
interface Locator {
  all(): Promise<Locator[]>;
  locator(selector: string): Locator;
  screenshot(options: { readonly path: string }): Promise<unknown>;
  // deno-lint-ignore no-explicit-any
  evaluate<T>(look: (element: any) => T | Promise<T>): Promise<T>;
}

// What functions that run in the page see there: JupyterLab itself.
// deno-lint-ignore no-explicit-any
declare const jupyterapp: any;

/**
 * Starts a browser.
 *
 * @param driver Playwright's `chromium`.
 * @param command Path of a browser of the Chromium family.
 * @param timeout Seconds that anything may take.
 * @returns The browser, with an empty page.
 */
export async function openBrowser(
  driver: Driver,
  command: string,
  timeout: number,
): Promise<NotebookPage> {
  const browser = await driver.launch({
    executablePath: command,
    chromiumSandbox: Deno.uid() !== 0, // which Chromium refuses to root
    handleSIGINT: false, // Playwright would end this process, with nothing cleaned up
  });
  const page: Page = await browser.newPage({ viewport: SCREEN, deviceScaleFactor: 2 });
  page.setDefaultTimeout(1000 * timeout);
  const press = (command: string) =>
    page.click(`.jp-NotebookPanel-toolbar [data-command="${command}"]`);

  /** Does what starts a command of Lab, and waits until the command has ended. */
  async function ended(command: string, start: () => Promise<unknown>): Promise<void> {
    const outcome = page.evaluate(
      ({ command, milliseconds }) =>
        new Promise<boolean>((resolve) => {
          setTimeout(() => resolve(false), milliseconds);
          // deno-lint-ignore no-explicit-any
          jupyterapp.commands.commandExecuted.connect((_: unknown, { id, result }: any) => {
            if (id === command) result.finally(() => resolve(true));
          });
        }),
      { command, milliseconds: 1000 * timeout },
    );
    const [inTime] = await Promise.all([outcome, start()]);
    if (!inTime) throw new NotebookError(`Cannot wait as ${command} took more than ${timeout} s`);
    await page.waitForTimeout(SETTLE);
  }

  return {
    async open(address) {
      await page.goto(address);
      await page.waitForFunction(() => {
        const notebook = Reflect.get(globalThis, "jupyterapp")?.shell.currentWidget;
        return notebook?.context?.isReady &&
          notebook.sessionContext?.session?.kernel?.status === "idle";
      });
    },
    restartAndRunAll: () =>
      ended("notebook:restart-run-all", async () => {
        await press("notebook:restart-run-all");
        await page.click(".jp-Dialog button.jp-mod-accept");
      }),
    runCell: (index) =>
      ended("notebook:run-cell", () =>
        page.evaluate((index) => {
          const { content } = jupyterapp.shell.currentWidget;
          // deno-lint-ignore no-explicit-any
          const code = content.widgets.filter((cell: any) => cell.model.type === "code");
          content.activeCellIndex = content.widgets.indexOf(code.at(index));
          void jupyterapp.commands.execute("notebook:run-cell");
        }, index)),
    append: (source) =>
      page.evaluate(async (source) => {
        const { content } = jupyterapp.shell.currentWidget;
        content.activeCellIndex = content.widgets.length - 1;
        await jupyterapp.commands.execute("notebook:insert-cell-below");
        content.activeCell.model.sharedModel.setSource(source);
      }, source),
    stop: () => press("notebook:interrupt-kernel"),
    cells: () =>
      page.evaluate(() => {
        const { widgets } = jupyterapp.shell.currentWidget.content;
        // deno-lint-ignore no-explicit-any
        const code = widgets.filter((cell: any) => cell.model.type === "code");
        // deno-lint-ignore no-explicit-any
        return code.map(({ model }: any) => ({
          id: model.id,
          executionCount: model.executionCount,
          outputs: model.outputs.toJSON(),
        }));
      }),
    async figures(folder) {
      const cells = await page.locator(".jp-Notebook .jp-CodeCell").all();
      const figures: ShownFigure[][] = [];
      for (const [i, cell] of cells.entries()) {
        const images = await cell.locator(".jp-OutputArea-output img").all();
        figures.push([]);
        for (const [j, image] of images.entries()) {
          await image.screenshot({ path: join(folder, `cell-${i + 1}-${j + 1}.png`) });
          figures[i]!.push(await image.evaluate(measure));
        }
      }
      return figures;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** Measures an image; runs in the page. */
// deno-lint-ignore no-explicit-any
function measure(image: any): ShownFigure {
  const { left, width, height } = image.getBoundingClientRect();
  const { naturalWidth, naturalHeight } = image;
  return { left, width, height, naturalWidth, naturalHeight };
}
