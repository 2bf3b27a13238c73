/**
 * The log of a web shop's servers, with incidents.
 *
 * @module
 */

import type { Random } from "../../random.ts";
import { deal, expand, integerBetween, type Lexicon, pick } from "./grammar.ts";
import type { Passage } from "./passage.ts";

/** Lines that belong together. An incident has one ERROR line, and a word for what $id is. */
interface Event {
  readonly subject?: string;
  readonly lines: readonly string[];
}

const ROUTINE: readonly Event[] = [
  { lines: ["INFO  gateway: GET /orders/$id 200 in $ms ms for $ip"] },
  { lines: ["INFO  gateway: GET /products/$product 200 in $ms ms for $ip, $kilo bytes"] },
  {
    lines: [
      "INFO  gateway: POST /baskets 201 in $ms ms for $ip",
      "INFO  baskets: basket $id opened with $few x $product",
    ],
  },
  { lines: ["INFO  auth: session $id opened for $user from $ip"] },
  {
    lines: [
      "INFO  scheduler: job $id ($job) started on $host",
      "INFO  scheduler: job $id finished after $ms ms, $kilo rows",
    ],
  },
  { lines: ["DEBUG cache: $percent % hits in the last $few minutes, $kilo keys on $host"] },
  {
    lines: [
      "INFO  mail: message $id to $user queued",
      "INFO  mail: message $id accepted after $ms ms",
    ],
  },
  { lines: ["INFO  storage: $host uses $percent % of $kilo GiB"] },
  { lines: ["WARN  gateway: GET /$product.php 404 for $ip"] },
  { lines: ['INFO  search: "$product" gave $few results in $ms ms'] },
  { lines: ["INFO  orders: order $id packed by $user: $few parcels, $kilo g"] },
  { lines: ["DEBUG gateway: connection of $ip closed after $ms ms"] },
];

const INCIDENTS: readonly Event[] = [
  {
    subject: "order",
    lines: [
      "INFO  payments: charge of $price EUR for order $id started",
      "ERROR payments: charge for order $id failed after $ms ms: $refusal",
      "WARN  orders: order $id put on hold, $user informed",
    ],
  },
  {
    subject: "job",
    lines: [
      "INFO  scheduler: job $id ($job) started on $host",
      "ERROR scheduler: job $id stopped on $host after $kilo rows: $fault",
      "INFO  scheduler: job $id will be tried again in $few minutes",
    ],
  },
  {
    subject: "message",
    lines: ["ERROR mail: message $id to $user came back after $ms ms: $bounce"],
  },
  {
    subject: "upload",
    lines: [
      "INFO  storage: upload $id of $kilo MiB by $user began",
      "ERROR storage: upload $id broken off at $percent %: $fault",
    ],
  },
  {
    subject: "session",
    lines: [
      "WARN  auth: $few wrong passwords for $user from $ip",
      "ERROR auth: session $id of $user ended by force: $breach",
    ],
  },
  {
    subject: "delivery",
    lines: ["ERROR shipping: delivery $id to depot $host refused: $damage"],
  },
];

const LEXICON: Lexicon = {
  ms: (random) => String(Math.round(4 * 1000 ** random())),
  kilo: (random) => String(integerBetween(110, 9800, random)),
  few: (random) => String(integerBetween(2, 9, random)),
  percent: (random) => String(integerBetween(21, 97, random)),
  price: (random) => (integerBetween(399, 48_000, random) / 100).toFixed(2),
  ip: (random) => `10.${Array.from({ length: 3 }, () => integerBetween(1, 254, random)).join(".")}`,
  host: (random) =>
    `${pick(["oak", "elm", "ash", "fir", "yew"], random)}-${integerBetween(1, 9, random)}`,
  user: ["$name.$surname"],
  name: ["ada", "bruno", "chidi", "dora", "emil", "fatima", "greta", "hiro", "ivan", "jun"],
  surname: ["novak", "silva", "okafor", "lind", "moreau", "weber", "tanaka", "costa", "berg"],
  product: ["$colour-$thing"],
  colour: ["red", "blue", "striped", "oak", "steel", "linen", "small", "folding", "round", "wool"],
  thing: [
    "lamp",
    "chair",
    "kettle",
    "curtain",
    "rug",
    "mirror",
    "shelf",
    "blanket",
    "clock",
    "vase",
  ],
  job: ["stock count", "price import", "invoice run", "image resize", "sales report", "cleanup"],
  refusal: ["card expired", "insufficient funds", "bank did not answer", "wrong security code"],
  fault: ["disk full", "connection reset", "out of memory", "checksum mismatch", "lock timeout"],
  bounce: ["mailbox full", "unknown recipient", "domain not found", "blocked as spam"],
  breach: ["token reused from $ip", "$few logins at once", "password list attack"],
  damage: ["box crushed", "label unreadable", "customs form missing", "wrong weight, $kilo g"],
};

/**
 * Writes a log without end: seven events in ten are routine.
 *
 * @param random Decides.
 * @returns Its events, of one to three lines. Incidents can be asked about.
 *
 * @example
 * ```ts
 * import { assertMatch } from "@std/assert";
 * import { stream } from "@specbound/specbound";
 * const { text } = serverLog(stream(1, "log")).next().value;
 * assertMatch(text, /^2024-\d\d-\d\dT[\d:.]{12}Z (DEBUG|INFO |WARN |ERROR) \w+: /);
 * ```
 */
export function* serverLog(random: Random): Generator<Passage, never> {
  const [routine, incidents] = [deal(ROUTINE, random), deal(INCIDENTS, random)];
  let id = integerBetween(20_000, 70_000, random);
  let time = Date.UTC(2024, integerBetween(0, 11, random), integerBetween(1, 28, random));
  for (;;) {
    const { subject, lines } = (random() < 0.7 ? routine : incidents).next().value;
    id += integerBetween(1, 60, random);
    const facts = { ...LEXICON, id: [String(id)] };
    // Drawn once, so that the lines of an event agree.
    const event = { ...facts, ...fixed(["user", "host", "job"], facts, random) };
    const written = lines.map((line) => {
      time += Math.round(20 * 2000 ** random());
      return `${new Date(time).toISOString()} ${expand(line, event, random)}`;
    });
    const text = written.join("\n") + "\n";
    const answer = written.find((line) => line.includes(" ERROR "));
    if (!answer) yield { text };
    else {
      const question =
        `Above is part of a server log. What went wrong with ${subject} ${id}? Quote the line that says so, then explain it in one sentence.`;
      yield { text, about: { question, answer } };
    }
  }
}

function fixed(names: readonly string[], lexicon: Lexicon, random: Random): Lexicon {
  return Object.fromEntries(names.map((name) => [name, [expand(`$${name}`, lexicon, random)]]));
}
