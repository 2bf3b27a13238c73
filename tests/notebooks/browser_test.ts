import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import type { CodeCell, Notebook } from "../../tools/notebooks/notebook.ts";
import {
  faultsOf,
  faultsOfStop,
  type Shown,
  type ShownFigure,
  type StoppedSweep,
} from "../../tools/notebooks/shown.ts";
import { findTools, MissingToolError } from "../../tools/notebooks/tools.ts";

const FIGURE: ShownFigure = {
  left: 100,
  width: 440,
  height: 240,
  naturalWidth: 880,
  naturalHeight: 480,
};
const PNG = { output_type: "display_data", data: { "image/png": "…", "text/plain": "a" } } as const;
const MARKDOWN = { output_type: "display_data", data: { "text/markdown": "b" } } as const;

function notebookOf(...outputs: CodeCell["outputs"][]): Notebook {
  const cells = outputs.map((outputs, i) => ({
    cell_type: "code" as const,
    id: `cell-${i}`,
    metadata: {},
    source: [],
    execution_count: i + 1,
    outputs,
  }));
  return { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
}

const NOTEBOOK = notebookOf([{ ...MARKDOWN, metadata: {} }], [{ ...PNG, metadata: {} }]);
const SHOWN: Shown = {
  cells: [
    { id: "cell-0", executionCount: 1, outputs: [MARKDOWN] },
    { id: "cell-1", executionCount: 2, outputs: [PNG] },
  ],
  figures: [[], [FIGURE]],
  width: 1280,
};

/** Ways in which a page goes bad, and what is said of them. */
const FAULTS: readonly [string, Shown, string][] = [
  ["an error", second({ outputs: [{ output_type: "error", evalue: "no row" }] }), "fails: no row"],
  ["a cell that did not run", second({ executionCount: null }), "did not run in its turn"],
  ["a lost output", second({ outputs: [] }), "shows nothing where the file has image/png"],
  [
    "a neighbour's output",
    second({ outputs: [MARKDOWN, PNG] }),
    "shows text/markdown, image/png where the file has image/png",
  ],
  ["a figure that is not drawn", { ...SHOWN, figures: [[], []] }, "has 0 of 1 figures on the page"],
  ["a broken image", drawn({ naturalWidth: 0 }), "has a figure that cannot be seen"],
  ["a blurred figure", drawn({ width: 441 }), "has a figure that is blurred: 880 pixels on 441"],
  ["a figure that is too wide", drawn({ left: 900 }), "has a figure that leaves the window"],
  ["a distorted figure", drawn({ height: 250 }), "has a figure that is distorted"],
];

function second(change: Partial<Shown["cells"][number]>): Shown {
  return { ...SHOWN, cells: [SHOWN.cells[0]!, { ...SHOWN.cells[1]!, ...change }] };
}

function drawn(change: Partial<ShownFigure>): Shown {
  return { ...SHOWN, figures: [[], [{ ...FIGURE, ...change }]] };
}

Deno.test("a page that shows what the file has, sharp and in the window, passes", () => {
  assertEquals(faultsOf(NOTEBOOK, SHOWN), []);
});

for (const [what, shown, fault] of FAULTS) {
  Deno.test(`a look at the page notices ${what}`, () => {
    assertEquals(faultsOf(NOTEBOOK, shown), [`cell cell-1 ${fault}`]);
  });
}

Deno.test("a look at the page notices a cell that is not there", () => {
  const cells = SHOWN.cells.slice(0, 1);
  assertEquals(faultsOf(NOTEBOOK, { ...SHOWN, cells }), ["cell cell-1 is not on the page"]);
});

const SWEEP: StoppedSweep = {
  stopped: "quick, process 1: stopped, 1 pairs left: run the cell again",
  before: "pair\na\na\n",
  answer: "object 2\n",
  resumed: "quick, process 1: 1 pairs ran",
  after: "pair\na\na\nb\nb\n",
};

Deno.test("a sweep that stops, answers and goes on passes", () => {
  assertEquals(faultsOfStop(SWEEP), []);
});

/** Ways in which a stop goes bad, and what is said of them. */
const BAD_STOPS: readonly [string, Partial<StoppedSweep>, string][] = [
  [
    "a kernel that lost its variables",
    { answer: "undefined 2\n" },
    'the kernel answers "undefined',
  ],
  ["rows that are lost", { after: "pair\nc\nc\nb\nb\n" }, "rows did not survive"],
  ["a sweep that starts again", { resumed: "quick: 2 pairs ran" }, "1 pairs were left, and"],
  ["rows that were not written", { after: "pair\na\na\n" }, "rows of some pairs are missing"],
  ["a cell that fails", { stopped: "TypeError" }, "the stopped cell says TypeError"],
];

for (const [what, change, fault] of BAD_STOPS) {
  Deno.test(`a look at a stopped sweep notices ${what}`, () => {
    assertEquals(faultsOfStop({ ...SWEEP, ...change })[0]?.startsWith(fault), true);
  });
}

Deno.test("missing tools are named, with the way to get each", async () => {
  const folder = await Deno.makeTempDir();
  const refusal = (message: string) =>
    assertRejects(() => findTools([folder]), MissingToolError, message);
  await refusal("no JupyterLab (pip install jupyterlab) and no Chromium (apt-get install");
  await Deno.writeTextFile(join(folder, "jupyter-lab"), "");
  await refusal("Cannot open notebooks as there is no Chromium (apt-get install");
  await Deno.remove(folder, { recursive: true });
});
