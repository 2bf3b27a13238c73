/**
 * The behaviour layer as text.
 *
 * @module
 */

import { autocorrelation, behaviourByLength } from "../lib/analysis/behaviour.ts";
import { betsOf, calibrate } from "../lib/analysis/calibration.ts";
import { alignRows, draftName } from "../lib/analysis/table.ts";
import { standingChances } from "../lib/study/trace.ts";
import { type TraceRecord, unpackTrace } from "../lib/study/trace_records.ts";

/** Draft lengths that are shown, as far as a trace knows them. */
const LENGTHS = [1, 2, 4, 8, 16];

/**
 * What traces say, for a terminal: a line for each precision, draft and temperature.
 *
 * @param records Traces of one target.
 * @returns Lines of text.
 */
export function describeBehaviour(records: readonly TraceRecord[]): string {
  const groups = Map.groupBy(
    records,
    ({ precision, draft, draftModel, draftPrecision, temperature }) =>
      [precision, draft, draftModel, draftPrecision, temperature].join("\t"),
  );
  const header = ["target", "draft", "T", "texts", "α", ...LENGTHS.map((k) => `τ(${k})`)]
    .concat("τ(4) if independent", "correlation", "calibration error");
  return [
    ...alignRows([header, ...[...groups.values()].map(row)]),
    "α at K = 4; correlation of acceptances one token apart; calibration error of the draft's",
    "first token: how far its probability is from the share that stands.",
    "",
  ].join("\n");
}

function row(records: readonly TraceRecord[]): string[] {
  const { precision, model, draft, draftModel, draftPrecision, temperature } = records[0]!;
  const traces = records.map(unpackTrace);
  const known = Math.min(...traces.map(({ longest }) => longest));
  const lengths = LENGTHS.filter((length) => length <= known);
  const byLength = behaviourByLength(traces, lengths);
  const at = (length: number) => byLength.find(({ draftLength }) => draftLength === length);
  const [correlation] = autocorrelation(traces.map(standingChances), [1]);
  return [
    precision,
    draftName({ model, draft, draftModel, draftPrecision }),
    String(temperature),
    String(traces.length),
    decimals(at(4)?.alpha),
    ...LENGTHS.map((length) => decimals(at(length)?.tau)),
    decimals(at(4)?.independent),
    decimals(correlation),
    decimals(calibrate(traces.flatMap(betsOf))?.error),
  ];
}

function decimals(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : value.toFixed(2);
}
