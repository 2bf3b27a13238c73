/**
 * Hostile GGUF files: a sound one with seeded damage.
 *
 * @module
 */

import { type Fields, fieldsOf, type Span } from "./gguf_fields.ts";
import { type Random, seeded } from "./random.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Damage = (bytes: Bytes, random: Random) => Bytes;

/** Numbers at which arithmetic, limits and types end, and some that are merely wrong. */
const EXTREMES = [
  ...[0n, 1n, 2n, 3n, 5n, 8n, 9n, 12n, 13n, 31n, 33n, 255n, 65_537n, 1_000_001n],
  ...[31, 32, 53, 60, 63].flatMap((bits) => [2n ** BigInt(bits) - 1n, 2n ** BigInt(bits)]),
  ...[2n ** 64n - 1n, 2n ** 64n - 32n],
];

/** Where the header counts them. */
const TENSOR_COUNT = 8;
const ENTRY_COUNT = 16;

const DAMAGES: readonly Damage[] = [
  function flipBytes(bytes, random) {
    const copy = bytes.slice();
    const limit = random(2) === 0 ? bytes.length : fieldsOf(bytes).end;
    for (let flips = 1 + random(8); flips > 0; flips--) copy[random(limit)]! ^= 1 + random(255);
    return copy;
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random(random(2) === 0 ? bytes.length : fieldsOf(bytes).end));
  },
  function setNumbers(bytes, random) {
    const copy = bytes.slice();
    for (let count = 1 + random(3); count > 0; count--) {
      write(copy, aim(bytes, random), EXTREMES[random(EXTREMES.length)]!);
    }
    return copy;
  },
  function nudgeNumber(bytes, random) {
    const copy = bytes.slice();
    copy[aim(bytes, random).at]! += [1, -1, 32][random(3)]!;
    return copy;
  },
  function exchangeValue(bytes, random) {
    const { entries } = fieldsOf(bytes);
    const [to, from] = [entries[random(entries.length)]!, entries[random(entries.length)]!];
    return replaceValue(bytes, to, bytes.slice(from.value, from.at + from.size));
  },
  function setScalar(bytes, random) {
    const { entries } = fieldsOf(bytes);
    const to = entries[random(entries.length)]!;
    const value = new Uint8Array(12); // a type, and eight bytes of it
    write(value, { at: 0, size: 4 }, [6n, 10n, 11n, 12n][random(4)]!);
    write(value, { at: 4, size: 8 }, EXTREMES[random(EXTREMES.length)]!);
    const length = value[0] === 6 ? 8 : 12;
    return replaceValue(bytes, to, value.slice(0, length));
  },
  function repeatEntry(bytes, random) {
    const { entries } = fieldsOf(bytes);
    return repeat(bytes, entries[random(entries.length)]!, ENTRY_COUNT);
  },
  function repeatTensor(bytes, random) {
    const { tensors } = fieldsOf(bytes);
    return repeat(bytes, tensors[random(tensors.length)]!, TENSOR_COUNT);
  },
  function removeBytes(bytes, random) {
    const from = random(bytes.length);
    return splice(bytes, from, Math.min(bytes.length, from + 1 + random(64)), new Uint8Array(0));
  },
  function insertNesting(bytes, random) {
    // A metadata array of arrays of arrays …, each of one element.
    const [depth, key] = [1 + random(2000), [1, 0, 0, 0, 0, 0, 0, 0, 0x6b]];
    const level = [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    const nest = Uint8Array.from([...key, 9, 0, 0, 0, ...new Array(depth).fill(level).flat()]);
    const { at } = fieldsOf(bytes).entries[0]!;
    const copy = splice(bytes, at, at, nest);
    write(copy, { at: ENTRY_COUNT, size: 8 }, count(bytes, ENTRY_COUNT) + 1n);
    return copy;
  },
];

/**
 * Damages a file.
 *
 * @param sound The file.
 * @param seed Decides on the damage: the same for the same seed.
 */
export function mutate(sound: Bytes, seed: number): Bytes {
  const random = seeded(seed);
  const damaged = DAMAGES[random(DAMAGES.length)]!(sound, random);
  // Now and then a second blow, of the kind that needs no sound header to aim at.
  if (random(4) > 0 || damaged.length === 0) return damaged;
  damaged[random(Math.min(damaged.length, 4096))] = random(256);
  return damaged;
}

/** A number of the header: of the whole, or of an entry or tensor, most of which are small. */
function aim(bytes: Bytes, random: Random): Span {
  const { numbers, entries, tensors } = fieldsOf(bytes);
  const parts = [[{ at: 0, size: bytes.length }], entries, tensors][random(3)]!;
  const { at, size } = parts[random(parts.length)]!;
  const near = numbers.filter((number) => number.at >= at && number.at < at + size);
  return near[random(near.length)]!;
}

/** With room after the last tensor, which would else end past a file whose header shrank. */
function replaceValue(bytes: Bytes, entry: Fields["entries"][number], value: Bytes): Bytes {
  const roomy = splice(bytes, bytes.length, bytes.length, new Uint8Array(entry.size));
  return splice(roomy, entry.value, entry.at + entry.size, value);
}

function repeat(bytes: Bytes, { at, size }: Span, counter: number): Bytes {
  const copy = splice(bytes, at, at, bytes.slice(at, at + size));
  write(copy, { at: counter, size: 8 }, count(bytes, counter) + 1n);
  return copy;
}

function splice(bytes: Bytes, from: number, to: number, middle: Bytes): Bytes {
  const copy = new Uint8Array(bytes.length - (to - from) + middle.length);
  copy.set(bytes.subarray(0, from));
  copy.set(middle, from);
  copy.set(bytes.subarray(to), from + middle.length);
  return copy;
}

function count(bytes: Bytes, at: number): bigint {
  return new DataView(bytes.buffer).getBigUint64(at, true);
}

function write(bytes: Bytes, { at, size }: Span, value: bigint): void {
  const little = new Uint8Array(BigUint64Array.of(value).buffer);
  bytes.set(little.subarray(0, size), at);
}
