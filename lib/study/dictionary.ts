/**
 * The dictionary of all data files.
 *
 * @module
 */

import { BENCH_SCHEMA } from "./bench_records.ts";
import { describeTable } from "./columns.ts";
import { COST_COLUMNS, COST_SCHEMA } from "./cost_records.ts";
import { HARDWARE_COLUMNS } from "./hardware.ts";
import { PUBLISHED_COLUMNS } from "./published.ts";
import { ROUND_COLUMNS, RUN_COLUMNS, SCHEMA } from "./records.ts";
import { TRACE_COLUMNS, TRACE_SCHEMA } from "./trace_records.ts";

/**
 * The text of `data/README.md`.
 *
 * @returns Markdown: the files, and a dictionary of every column.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(describeRecords(), "| `tested` | integer or empty | token |");
 * ```
 */
export function describeRecords(): string {
  return `# Data

Generated from the tables of \`lib/study\`; a test holds it up to date. Schema version ${SCHEMA}.

- \`prompts/quick.json\`: the prompts of the quick study.
- \`prompts/context.json\`: the short prompts of the study of contexts; it writes the long ones itself.
- \`prompts/evaluation.json\`: held-out prompts, eight kinds of twelve, each under the hash of what it asks.
- \`traces/<target>-<precision>/<draft>.csv\`: one row a trace: what a draft made of a text, on any machine. Schema version ${TRACE_SCHEMA}.
- \`models/\`: small drafts of the default target, \`manifest.json\` (how they were made), \`check.json\` (what a rerun is compared with) and \`frequent_tokens.json\` (what the target writes most).
- \`hardware.csv\`: published figures of processors, one row a part, each with its source. Peaks are dense, without sparsity. Not measurements, but for the last row's memory and cache.
- \`published.csv\`: speed-ups that others report, one row a report, with what a projection of it assumes. Not measured here.
- \`records/<machine>/machine.json\`: the machine.
- \`records/<machine>/bench.json\`: what passes took, beside other engines (\`deno task bench\`): raw times of each, one entry a setting. Schema version ${BENCH_SCHEMA}.
- \`records/<machine>/runs.csv\`: one row a run. Two runs of one \`pair\` decode the same prompt back to back, plainly and speculatively.
- \`records/<machine>/rounds.csv\`: one row a round: a draft, one target pass, and what came of it.
- \`records/<machine>/costs.csv\`: one row a cell of the cost layer: what a pass of one shape takes, whatever text it reads. Schema version ${COST_SCHEMA}.

Counts and times are stored; rates are derived from them (\`lib/analysis\`). An empty cell was not measured, or has no sense in its row; it is never a zero. Rows are appended pair by pair. Times are milliseconds of a monotonic clock.

## runs.csv

${describeTable(RUN_COLUMNS)}
## rounds.csv

${describeTable(ROUND_COLUMNS)}
## costs.csv

${describeTable(COST_COLUMNS)}
## traces

${describeTable(TRACE_COLUMNS)}
## hardware.csv

${describeTable(HARDWARE_COLUMNS)}
## published.csv

${describeTable(PUBLISHED_COLUMNS)}`;
}
