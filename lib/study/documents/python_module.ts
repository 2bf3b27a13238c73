/**
 * A Python module of many small functions.
 *
 * @module
 */

import type { Random } from "../../random.ts";
import { deal, expand, integerBetween, type Lexicon, pick } from "./grammar.ts";
import type { Passage } from "./passage.ts";

/** What functions work on: one, many, its quantities, its labels. */
const ENTITIES = [
  ["order", "orders", "total weight discount", "status customer country"],
  ["book", "books", "pages price copies", "author genre shelf"],
  ["flight", "flights", "distance delay seats", "airline origin gate"],
  ["sensor", "sensors", "voltage reading interval", "room model unit"],
  ["player", "players", "score age goals", "team position nation"],
  ["recipe", "recipes", "minutes servings calories", "course cuisine author"],
  ["song", "songs", "length tempo plays", "artist album key"],
  ["plant", "plants", "height depth spacing", "family bed season"],
  ["ticket", "tickets", "price row discount", "venue section buyer"],
  ["parcel", "parcels", "weight volume postage", "sender depot carrier"],
  ["patient", "patients", "age pulse temperature", "ward doctor insurer"],
  ["star", "stars", "magnitude mass distance", "name constellation colour"],
  ["invoice", "invoices", "net vat balance", "supplier currency project"],
  ["vehicle", "vehicles", "mileage power range", "maker fuel garage"],
] as const;

/** Functions: the name, then the rest. */
const FUNCTIONS = [
  [
    "sum_of_$many",
    `($many):
    """Add up the $amount of all $many."""
    return sum($one.$amount for $one in $many)`,
  ],
  [
    "group_$many_by_$label",
    `($many):
    """Map each $label to its $many."""
    groups = {}
    for $one in $many:
        groups.setdefault($one.$label, []).append($one)
    return groups`,
  ],
  [
    "find_$one",
    `($many, $label):
    """Return the first $one with this $label, or None."""
    for candidate in $many:
        if candidate.$label == $label:
            return candidate
    return None`,
  ],
  [
    "average_$one_$amount",
    `($many):
    if not $many:
        raise ValueError("no $many to average")
    values = [$one.$amount for $one in $many]
    return sum(values) / len(values)`,
  ],
  [
    "rank_$many",
    `($many, limit=$few):
    """The $many with the highest $amount, best first."""
    ranked = sorted($many, key=lambda item: item.$amount, reverse=True)
    return ranked[:limit]`,
  ],
  [
    "read_$many",
    `(path):
    """Read $many from a file of comma-separated values."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    logging.info("read %d $many from %s", len(rows), path)
    return [make_$one(row) for row in rows]`,
  ],
  [
    "format_$one",
    `($one):
    first = f"{$one.$label:<1$few}"
    second = f"{$one.$amount:>$few.2f}"
    return first + " | " + second`,
  ],
  [
    "is_valid_$one",
    `($one):
    if $one.$amount < 0 or $one.$amount > $hundred:
        return False
    return bool($one.$label.strip())`,
  ],
  [
    "count_$many_per_$label",
    `($many):
    counts = Counter($one.$label for $one in $many)
    return counts.most_common($few)`,
  ],
  [
    "split_$many",
    `($many, threshold=$hundred):
    """Part $many into those of little $amount and the rest."""
    low, high = [], []
    for $one in $many:
        (low if $one.$amount < threshold else high).append($one)
    return low, high`,
  ],
  [
    "merge_$many",
    `(old, new):
    """Join two lists of $many; of duplicates the newer counts."""
    merged = {$one.$label: $one for $one in old}
    merged.update({$one.$label: $one for $one in new})
    return list(merged.values())`,
  ],
  [
    "scale_$one",
    `($one, factor):
    changed = copy.copy($one)
    changed.$amount = round($one.$amount * factor, $few)
    return changed`,
  ],
  [
    "median_of_$many",
    `($many):
    ordered = sorted($one.$amount for $one in $many)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2`,
  ],
  [
    "save_$many",
    `($many, connection):
    """Write $many to the database in one transaction."""
    rows = [($one.$label, $one.$amount) for $one in $many]
    with connection:
        connection.executemany("INSERT INTO $many VALUES (?, ?)", rows)`,
  ],
  [
    "parse_$one",
    `(line):
    fields = line.rstrip().split(";")
    if len(fields) != $few:
        raise ValueError(f"bad $one: {line!r}")
    return $class(fields[0], float(fields[1]))`,
  ],
  [
    "paged_$many",
    `($many, size=$hundred):
    """Yield $many in pages."""
    for start in range(0, len($many), size):
        yield $many[start:start + size]`,
  ],
  [
    "outlying_$many",
    `($many):
    """$class objects whose $amount is far from the mean."""
    values = [item.$amount for item in $many]
    mean, spread = statistics.mean(values), statistics.stdev(values)
    return [item for item in $many if abs(item.$amount - mean) > $few * spread]`,
  ],
  [
    "relabel_$many",
    `($many, before, after):
    changed = 0
    for $one in $many:
        if $one.$label == before:
            $one.$label = after
            changed += 1
    return changed`,
  ],
  [
    "$one_to_json",
    `($one):
    record = {"$label": $one.$label, "$amount": $one.$amount}
    return json.dumps(record, indent=$few)`,
  ],
  [
    "wait_for_$one",
    `(source, seconds=$hundred):
    """Poll until the source has a $one; None when time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if source.has_$one():
            return source.take_$one()
        time.sleep(0.$few)
    return None`,
  ],
] as const;

const IMPORTS = "copy csv json logging statistics time".split(" ")
  .map((name) => `import ${name}\n`).join("") + "from collections import Counter\n";

/**
 * Writes a module without end. No two functions have the same name.
 *
 * @param random Decides.
 * @returns Its imports, then its functions, which can be asked about.
 *
 * @example
 * ```ts
 * import { assertMatch } from "@std/assert";
 * import { stream } from "@specbound/specbound";
 * const [, first] = pythonModule(stream(1, "code")).take(2);
 * assertMatch(first!.text, /^\n\ndef \w+\(.+\):\n {4}/);
 * ```
 */
export function* pythonModule(random: Random): Generator<Passage, never> {
  yield { text: IMPORTS };
  const functions = deal(FUNCTIONS, random).take(FUNCTIONS.length).toArray();
  const entities = deal(ENTITIES, random).take(ENTITIES.length).toArray();
  for (let i = 0;; i++) {
    // In each round a function meets another entity, so that names differ until all have met.
    const [place, round] = [i % functions.length, Math.floor(i / functions.length)];
    const [title, rest] = functions[place]!;
    const [one, many, amounts, labels] = entities[(place + round) % entities.length]!;
    const lexicon: Lexicon = {
      one: [one],
      many: [many],
      class: [one[0]!.toUpperCase() + one.slice(1)],
      amount: [pick(amounts.split(" "), random)],
      label: [pick(labels.split(" "), random)],
      few: [String(integerBetween(2, 9, random))],
      hundred: [String(integerBetween(10, 990, random))],
    };
    const version = round < entities.length ? "" : `_${1 + Math.floor(round / entities.length)}`;
    const name = expand(title, lexicon, random) + version;
    const answer = `def ${name}${expand(rest, lexicon, random)}`;
    const question =
      `Above is part of a Python module. Write the function \`${name}\` again under the name \`new_${name}\`. Change nothing else and give only the code.`;
    yield { text: `\n\n${answer}\n`, about: { question, answer } };
  }
}
