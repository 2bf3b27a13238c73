/**
 * What verification puts out, computed exactly: every draft times every course of acceptance.
 *
 * @module
 */

import type { Proposal } from "../../lib/decoding/drafters/drafter.ts";
import type { verify } from "../../lib/decoding/verify.ts";
import { stream } from "../../lib/random.ts";
import { branches } from "./branches.ts";
import { plus, type Rational, rational, times } from "./rational.ts";

/** A small exact model: how many quarters of the probability each token has after a text. */
export type Quarters = (text: readonly number[]) => readonly number[];

/** A target, a draft, and the shape of what is drafted. */
export interface Case {
  readonly vocabularySize: number;
  /** Children of each node, level by level. A chain has one each. */
  readonly widths: readonly number[];
  readonly p: Quarters;
  /** What tokens are drawn from; null where they are chosen. */
  readonly q: Quarters | null;
}

/** Probabilities of texts. */
export type Joint = Map<string, Rational>;

/** All ways to split four quarters over a vocabulary. */
export function allQuarters(vocabularySize: number, quarters = 4): number[][] {
  if (vocabularySize === 1) return [[quarters]];
  return Array.from({ length: quarters + 1 }, (_, first) => first).flatMap((first) =>
    allQuarters(vocabularySize - 1, quarters - first).map((rest) => [first, ...rest])
  );
}

/** A model that splits the quarters anyhow after any text, zeros included. */
export function seededQuarters(vocabularySize: number, seed: string): Quarters {
  const all = allQuarters(vocabularySize);
  return (text) => all[Math.floor(stream(seed, text.join(" "))() * all.length)]!;
}

/** The probability of every text of `length` tokens. */
export function jointOf({ vocabularySize, p }: Case, length: number): Joint {
  const joint: Joint = new Map();
  spread(joint, p, vocabularySize, [], length, rational(1));
  return joint;
}

/**
 * The probability of every text that begins with what `rule` emits, one token more than the draft is
 * deep; where it emits fewer, the rest is drawn from p, as later rounds would.
 */
export function outputOf(rule: typeof verify, test: Case): Joint {
  const { vocabularySize, widths, p } = test;
  const joint: Joint = new Map();
  for (const { proposal, texts, probability } of allDrafts(test)) {
    const target = (node: number) => distributionOf(p(texts[node] ?? []));
    for (const branch of branches((random) => rule(proposal, target, random))) {
      const { path, next } = branch.result;
      const text = [...texts[path.at(-1) ?? -1] ?? [], next];
      const weight = times(probability, branch.probability);
      spread(joint, p, vocabularySize, text, widths.length + 1, weight);
    }
  }
  return joint;
}

interface Draft {
  readonly proposal: Proposal;
  /** The text that ends with each node. */
  readonly texts: readonly (readonly number[])[];
  readonly probability: Rational;
}

/** Every draft that can be drawn, and how likely it is. */
function allDrafts({ vocabularySize, widths, q }: Case): Draft[] {
  const parents = treeOf(widths);
  let drafts: Omit<Draft, "proposal">[] = [{ texts: [], probability: rational(1) }];
  for (const [node, parent] of parents.entries()) {
    const rank = node - parents.indexOf(parent);
    drafts = drafts.flatMap(({ texts, probability }) => {
      const before = texts[parent] ?? [];
      const quarters = q?.(before) ?? chosen(before.length + rank, vocabularySize);
      return quarters.flatMap((count, token) =>
        count === 0 ? [] : [{
          texts: [...texts, [...before, token]],
          probability: times(probability, rational(count, 4)),
        }]
      );
    });
  }
  return drafts.map(({ texts, probability }) => {
    const tokens = texts.map((text) => text.at(-1)!);
    const before = parents.map((parent) => texts[parent] ?? []);
    const distributions = q && { distributions: before.map((text) => distributionOf(q(text))) };
    return { proposal: { tokens, parents, ...distributions }, texts, probability };
  });
}

/** All four quarters on one token. */
function chosen(token: number, vocabularySize: number): number[] {
  return Array.from({ length: vocabularySize }, (_, i) => i === token % vocabularySize ? 4 : 0);
}

function treeOf(widths: readonly number[]): number[] {
  const parents: number[] = [];
  let level = [-1];
  for (const width of widths) {
    const children = level.flatMap((parent) => new Array<number>(width).fill(parent));
    level = children.map((_, i) => parents.length + i);
    parents.push(...children);
  }
  return parents;
}

function distributionOf(quarters: readonly number[]): Float64Array<ArrayBuffer> {
  return Float64Array.from(quarters, (count) => count / 4);
}

/** Adds `weight` to all texts of `length` that begin with `text`, in the proportions of p. */
function spread(
  joint: Joint,
  p: Quarters,
  vocabularySize: number,
  text: readonly number[],
  length: number,
  weight: Rational,
): void {
  if (weight.over === 0n) return;
  if (text.length === length) {
    const key = text.join(" ");
    joint.set(key, plus(joint.get(key) ?? rational(0), weight));
    return;
  }
  for (let token = 0; token < vocabularySize; token++) {
    const share = times(weight, rational(p(text)[token]!, 4));
    spread(joint, p, vocabularySize, [...text, token], length, share);
  }
}
