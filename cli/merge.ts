/**
 * `deno task sweep merge`: the records of shards, or of several hosts, in one folder.
 *
 * @module
 */

import { mergeRecords } from "../lib/study/merge.ts";
import { ArgumentError, parseArguments } from "./arguments.ts";
import { report } from "./report.ts";

const FOLDERS = {
  name: "folders",
  description: "records of shards: what sweeps had as --records",
};

/** Runs the command with the arguments after `merge`. */
export async function merge(args: readonly string[]): Promise<void> {
  const { flags, positionals: folders } = parseArguments({
    command: "deno task sweep merge",
    summary:
      "Merges folders of records, and what --out holds, without loss. Of what was measured " +
      "twice the earliest stays; what conflicts otherwise is refused, and nothing is written.",
    flags: { out: { type: "string", description: "folder of records to write" } },
    // As many folders as there are arguments at most.
    positionals: args.map((_, i) => ({ ...FOLDERS, optional: i > 0 })),
  }, args);
  await report(async () => {
    if (!flags.out) throw new ArgumentError("Cannot merge as --out is missing: name a folder");
    for (const { machine, rows, repeated } of await mergeRecords(folders, flags.out)) {
      const files = Object.entries(rows).map(([file, count]) => `${count} rows of ${file}`);
      console.log(`${machine}: ${files.join(", ")}`);
      if (repeated > 0) console.log(`${repeated} were measured again; the earliest stays.`);
    }
  });
}
