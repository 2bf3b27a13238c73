/**
 * Daily readings of weather stations, as CSV.
 *
 * @module
 */

import type { Random } from "../../random.ts";
import { deal, integerBetween, pick } from "./grammar.ts";
import type { Passage } from "./passage.ts";

const STATIONS = [
  "Aldersund",
  "Brackwell",
  "Corriemuir",
  "Dunmarsh",
  "Eskelby",
  "Fennick",
  "Garth Hill",
  "Hollowmere",
];
const WINDS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

/**
 * Writes a table without end: four stations a day, around a mean that changes with the season and
 * wanders from day to day.
 *
 * @param random Decides.
 * @returns Its rows, the header first. All others can be asked about.
 *
 * @example
 * ```ts
 * import { assertMatch } from "@std/assert";
 * import { stream } from "@specbound/specbound";
 * const [, row] = weatherTable(stream(1, "table")).take(2);
 * assertMatch(row!.text, /^20\d\d-\d\d-\d\d,[\w ]+,(-?\d+\.\d,){3}\d+,[NESW]+,\w+\n$/);
 * ```
 */
export function* weatherTable(random: Random): Generator<Passage, never> {
  yield { text: "date,station,lowest_c,highest_c,rain_mm,wind_kmh,wind_from,sky\n" };
  const stations = deal(STATIONS, random).take(4).toArray()
    .map((name) => ({ name, height: integerBetween(0, 40, random) / 10 }));
  const first = Date.UTC(integerBetween(2015, 2023, random), integerBetween(0, 11, random), 1);
  let anomaly = 0;
  for (let day = 0;; day++) {
    const at = new Date(first + day * 24 * 60 * 60 * 1000);
    const date = at.toISOString().slice(0, 10);
    anomaly = 0.8 * anomaly + 4 * (random() - 0.5);
    const mean = 9 - 8 * Math.cos((at.getUTCMonth() + at.getUTCDate() / 30) * Math.PI / 6) +
      anomaly;
    for (const { name, height } of stations) {
      const low = mean - height - 1 - 5 * random();
      const high = mean - height + 1 + 7 * random();
      const rain = Math.max(0, 30 * random() ** 2 - 8);
      const sky = rain > 0 ? pick(["rain", "showers", "drizzle"], random) : pick(DRY, random);
      const row = [
        date,
        name,
        low.toFixed(1),
        high.toFixed(1),
        rain.toFixed(1),
        integerBetween(2, 58, random),
        pick(WINDS, random),
        sky,
      ].join();
      const question =
        `Above is part of a table of weather readings. How warm did it get at ${name} on ${date}, and how much rain fell? Quote the row, then answer in a sentence.`;
      yield { text: row + "\n", about: { question, answer: row } };
    }
  }
}

const DRY = ["clear", "cloudy", "overcast", "fog"];
