/**
 * The yearly report of a county, in sections.
 *
 * @module
 */

import type { Random } from "../../random.ts";
import { deal, expand, integerBetween, type Lexicon, pick } from "./grammar.ts";
import type { Passage } from "./passage.ts";

/** What sections are about: a title, what is counted, who acts, what acts on it, what it leads to. */
interface Topic {
  readonly title: string;
  readonly counted: readonly string[];
  readonly actor: readonly string[];
  readonly cause: readonly string[];
  readonly effect: readonly string[];
}

const TOPICS: readonly Topic[] = [
  {
    title: "Ferries",
    counted: ["foot passengers", "cars carried", "cancelled crossings", "freight lorries"],
    actor: ["the harbour office", "the ferry line", "the pilots"],
    cause: ["a late thaw", "the new slipway", "dearer diesel", "thick fog in the sound"],
    effect: ["longer queues at the pier", "an extra evening boat", "fuller decks"],
  },
  {
    title: "Schools",
    counted: ["enrolled pupils", "teaching hours", "school meals", "days of absence"],
    actor: ["the school board", "the head teachers", "the parents' council"],
    cause: ["families moving inland", "a wave of influenza", "free bus passes", "smaller classes"],
    effect: ["a second science room", "mixed year groups", "better reading scores"],
  },
  {
    title: "Beekeeping",
    counted: ["occupied hives", "kilos of honey", "swarms caught", "winter losses"],
    actor: ["the bee inspector", "the local keepers", "a visiting biologist"],
    cause: ["a dry June", "mites in older combs", "late lime blossom", "fewer sprayed fields"],
    effect: ["higher honey prices", "stronger colonies", "a course for beginners"],
  },
  {
    title: "Drinking water",
    counted: ["cubic metres pumped", "burst mains", "water samples", "metered homes"],
    actor: ["the waterworks", "the chemist on duty", "the pipe crews"],
    cause: ["frost in the clay", "leaking joints", "a new borehole", "holiday guests"],
    effect: ["steadier pressure uphill", "a ban on hoses", "lower pumping bills"],
  },
  {
    title: "Libraries",
    counted: ["books lent", "reading cards", "evening visitors", "audio loans"],
    actor: ["the librarians", "the reading club", "two volunteers"],
    cause: ["Sunday opening", "a mended roof", "the mobile van", "a donated collection"],
    effect: ["busier reading rooms", "shorter waiting lists", "more shelves for comics"],
  },
  {
    title: "Road works",
    counted: ["filled potholes", "closed lanes", "tonnes of asphalt", "reported accidents"],
    actor: ["the road crew", "the county engineer", "a contractor from upriver"],
    cause: ["heavy timber lorries", "a mild winter", "delayed gravel", "poor drainage"],
    effect: ["quieter streets at night", "detours for the milk van", "safer bends"],
  },
  {
    title: "Museums",
    counted: ["paying visitors", "guided tours", "restored exhibits", "school groups"],
    actor: ["the curator", "the friends of the museum", "a textile restorer"],
    cause: ["the whaling exhibition", "a rainy August", "cheaper family tickets", "a lost loan"],
    effect: ["a larger café", "new display cases", "overtime at the desk"],
  },
  {
    title: "Forestry",
    counted: ["planted saplings", "cubic metres felled", "deer counted", "hectares thinned"],
    actor: ["the head forester", "private owners", "the saw mill"],
    cause: ["bark beetles", "two autumn storms", "firm timber prices", "browsing deer"],
    effect: ["more oak in the slopes", "stacks beside every track", "a planting day"],
  },
  {
    title: "Clinics",
    counted: ["consultations", "vaccinated children", "nights on call", "home visits"],
    actor: ["the district nurse", "the two doctors", "the midwives"],
    cause: ["a hard February", "the vacant practice", "online booking", "ageing villages"],
    effect: ["shorter waits at noon", "a shared ambulance", "fewer trips to town"],
  },
  {
    title: "Electricity",
    counted: ["megawatt hours", "power cuts", "rooftop panels", "connected farms"],
    actor: ["the grid company", "the night shift", "the energy adviser"],
    cause: ["ice on the lines", "the second turbine", "new heat pumps", "a blown transformer"],
    effect: ["flatter evening peaks", "exports in spring", "a stronger cable"],
  },
  {
    title: "Fisheries",
    counted: ["boxes of cod", "licensed boats", "crab pots", "days at sea"],
    actor: ["the fishermen's guild", "the quota office", "the auction hall"],
    cause: ["warm currents", "seals near the nets", "a smaller quota", "repairs to the quay"],
    effect: ["higher prices at auction", "idle boats in May", "a shift to crab"],
  },
  {
    title: "Tourism",
    counted: ["overnight stays", "camp sites", "hired bicycles", "guest beds"],
    actor: ["the tourist office", "hotel owners", "the mountain guides"],
    cause: ["a television series", "the eclipse", "wet school holidays", "the direct train"],
    effect: ["crowded car parks", "a longer season", "rooms booked a year ahead"],
  },
  {
    title: "Waste",
    counted: ["tonnes of paper", "glass containers", "bulky collections", "compost bins"],
    actor: ["the recycling yard", "the bin crews", "a study group"],
    cause: ["deposit on bottles", "dumping after dark", "clearer labels", "a strike in March"],
    effect: ["cleaner lay-bys", "lower fees for families", "two fewer rounds"],
  },
  {
    title: "Sports clubs",
    counted: ["registered members", "youth teams", "floodlit evenings", "swimming badges"],
    actor: ["the swimming coach", "the sports union", "the groundsman"],
    cause: ["the new pool", "a broken boiler", "girls' football", "evening buses"],
    effect: ["a waiting list for judo", "shared changing rooms", "a summer league"],
  },
];

const PLACES =
  "Arnhall Birkness Calder Drumlie Elsworth Farrow Glenrae Hestwick Inverby Jarlshof Kirkmoor Lundale"
    .split(" ");

const SENTENCES = [
  "$period, $counted at $here $moved $amount, which $actor put down to $cause.",
  "$actor counted $number $counted $period, against $number $earlier.",
  "After $cause, $actor asked for $money, but the council $granted only $money.",
  "One result was $effect; another, less $expected, was $effect.",
  "But for $cause, $actor would have seen far fewer $counted.",
  '$person, who $joined $actor $earlier, $called the figures "$adjective but $adjective".',
  "Complaints about $counted reached $here mostly from $place.",
  "With $money from the $fund fund, $actor $built $gift near $place.",
  "Whether $cause or $cause weighed more $remains open.",
  "In the survey, $percent per cent of households in $place $judged $effect.",
  "$month brought $cause; $counted $moved $amount within $few weeks.",
  "For comparison, $here had $number $counted and $place barely $number.",
  "$actor $tried a $adjective scheme with $few $helpers, and gave it up $period.",
  "Costs ran to $money, $percent per cent of it for $expense.",
  "A letter signed by $number residents demanded $effect $period.",
  '$person doubts this: "We saw $cause, yet $counted hardly changed."',
  "From $year on, $actor $reported $counted every $few days.",
  "Thanks to $helpers from $here, $effect came $few months early.",
  "Neither $cause nor $cause kept $actor from opening $gift.",
  "By contrast, $counted around $here $moved $amount, the largest change since $year.",
  "$person and $person $inspected $gift $period and found $fault.",
  "What $actor lacked most, according to $person, was $expense.",
  "Plans for $gift were $shelved when $cause cost the county $money.",
  "$expense took $money, so that $effect had to wait until $month.",
  "Visitors from $place $praised $gift, though $fault annoyed some.",
  "$effect remained the talk of $place $period.",
];

const FINDINGS = [
  "The main finding is that $counted $moved $amount because of $cause.",
  "Above all else, $cause led to $effect, and $counted $moved $amount.",
  "To conclude, $actor hoped for $number $counted next year and for $effect.",
  "The council therefore set aside $money for $expense, so that $effect can follow.",
];

const LEXICON: Lexicon = {
  month: "January February March April May June July August September October November December"
    .split(" "),
  season: ["spring", "summer", "autumn", "winter"],
  year: (random) => String(integerBetween(1978, 2016, random)),
  number: (random) => integerBetween(120, 9900, random).toLocaleString("en"),
  percent: (random) => String(integerBetween(3, 88, random)),
  few: ["three", "four", "five", "six", "eight", "nine", "ten", "twelve"],
  money: (random) => `${integerBetween(4, 980, random)},${integerBetween(1, 9, random)}00 euros`,
  amount: ["by $percent per cent", "by almost $number", "to $number", "to about $number"],
  moved: ["rose", "fell", "climbed", "dropped", "shrank", "grew"],
  period: ["in $month", "over the $season", "late in $month", "before $month", "this $season"],
  earlier: ["in $year", "the $season before", "in $month $year", "a year ago"],
  granted: ["granted", "found", "approved", "promised", "could spare"],
  expected: ["expected", "welcome", "visible", "certain", "costly"],
  person: ["$given $family"],
  given: ["Maud", "Idris", "Signe", "Pavel", "Rosa", "Callum", "Aisha", "Bengt", "Noor", "Theo"],
  family: [
    "Adair",
    "Blom",
    "Castle",
    "Duarte",
    "Eide",
    "Frame",
    "Gow",
    "Haddad",
    "Irvine",
    "Jonas",
  ],
  joined: ["joined", "left", "advised", "wrote for"],
  called: ["called", "found", "considered"],
  adjective: [
    "sobering",
    "hopeful",
    "modest",
    "striking",
    "puzzling",
    "costly",
    "bold",
    "patient",
    "quiet",
    "curious",
  ],
  fund: ["coastal", "lottery", "village", "climate", "heritage", "youth"],
  built: ["repaired", "opened", "enlarged", "bought", "insulated", "painted"],
  gift: [
    "a $adjective hut",
    "a weighbridge",
    "an annexe",
    "the old depot",
    "a footbridge",
    "a shelter",
  ],
  remains: ["remains", "is still", "was left", "stays"],
  judged: ["welcomed", "had noticed", "feared", "would pay for", "paid no heed to"],
  tried: ["tried", "tested", "proposed", "launched"],
  helpers: ["volunteers", "apprentices", "pensioners", "students", "neighbours", "scouts"],
  expense: ["spare parts", "training", "night work", "insurance", "a surveyor", "fuel", "paint"],
  reported: ["published", "recorded", "checked", "estimated"],
  inspected: ["visited", "inspected", "measured", "photographed"],
  fault: ["rust", "cracks", "missing signs", "loose tiles", "a blocked drain", "worn steps"],
  shelved: ["shelved", "redrawn", "halved", "postponed"],
  praised: ["praised", "admired", "asked after", "sketched"],
};

/**
 * Writes a report without end. Sentences of a section keep to its topic and its place.
 *
 * @param random Decides.
 * @returns Its sections, which can be asked about.
 *
 * @example
 * ```ts
 * import { assertMatch } from "@std/assert";
 * import { stream } from "@specbound/specbound";
 * const { text } = report(stream(1, "report")).next().value;
 * assertMatch(text, /^1\. \w[\w ]+ in \w+\n\n[A-Z].+\.\n\n$/);
 * ```
 */
export function* report(random: Random): Generator<Passage, never> {
  const subjects = deal(
    TOPICS.flatMap((topic) => PLACES.map((place) => ({ ...topic, here: place }))),
    random,
  );
  const sentences = deal(SENTENCES, random);
  for (let number = 1;; number++) {
    const { title, here, ...words } = subjects.next().value;
    const place = PLACES.filter((name) => name !== here);
    const lexicon = dealt({ ...LEXICON, ...words, place, here: [here] }, random);
    const count = integerBetween(4, 7, random);
    const templates = Array.from({ length: count }, () => sentences.next().value);
    const body = [...templates, pick(FINDINGS, random)]
      .map((template) => capitalise(expand(template, lexicon, random))).join(" ");
    const answer = `${number}. ${title} in ${here}\n\n${body}`;
    const question =
      `Above is part of a county's yearly report. Summarise section ${number}, "${title} in ${here}", in two sentences.`;
    yield { text: answer + "\n\n", about: { question, answer } };
  }
}

/** The same lexicon, but no filling of a slot comes twice before all others have come. */
function dealt(lexicon: Lexicon, random: Random): Lexicon {
  return Object.fromEntries(
    Object.entries(lexicon).map(([name, slot]) => {
      if (typeof slot === "function") return [name, slot];
      const fillings = deal(slot, random);
      return [name, () => fillings.next().value];
    }),
  );
}

function capitalise(sentence: string): string {
  return sentence[0]!.toUpperCase() + sentence.slice(1);
}
