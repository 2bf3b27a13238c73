/**
 * A decoder written as its formulas are, in double precision and without a cache: what graphs are
 * held against.
 *
 * @module
 */

import type { Architecture } from "../../lib/models/architecture.ts";
import type { WeightSource } from "../../lib/models/layers.ts";

/** A vector. */
export type Vector = readonly number[];

/** A network's sizes and weights. */
export interface Network {
  readonly architecture: Architecture;
  readonly weights: WeightSource;
}

/** The rows of a token matrix. */
export function rowsOf(weights: WeightSource, name: string, tokens: readonly number[]): Vector[] {
  return tokens.map((token) => [...weights.readFloats(name, token, token + 1)]);
}

/** matrix · x. */
export function product(weights: WeightSource, name: string, x: Vector): Vector {
  const values = weights.readFloats(name);
  return Array.from({ length: values.length / x.length }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += values[row * x.length + i]! * x[i]!;
    return sum;
  });
}

/** The root-mean-square norm of that name. */
export function normalise({ architecture, weights }: Network, name: string, x: Vector): Vector {
  const scale = weights.readFloats(name);
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => value / Math.sqrt(mean + architecture.epsilon) * scale[i]!);
}

/** The sum of two vectors. */
export function add(a: Vector, b: Vector): Vector {
  return a.map((value, i) => value + b[i]!);
}

/** x + down(SiLU(gate x) · up x), normalised before. */
export function feedForward(network: Network, block: string, x: Vector): Vector {
  const { weights } = network;
  const normal = normalise(network, `${block}.ffn_norm.weight`, x);
  const gate = product(weights, `${block}.ffn_gate.weight`, normal);
  const up = product(weights, `${block}.ffn_up.weight`, normal);
  const activated = gate.map((value, i) => value / (1 + Math.exp(-value)) * up[i]!);
  return add(x, product(weights, `${block}.ffn_down.weight`, activated));
}

/**
 * One layer over a text.
 *
 * @param network The network.
 * @param layer Which layer.
 * @param stream What it reads at each position.
 * @param sees Whether a position may look at another. Default: at all up to itself.
 * @returns The stream after it.
 */
export function layer(
  network: Network,
  layer: number,
  stream: readonly Vector[],
  sees: (position: number, other: number) => boolean = (position, other) => other <= position,
): Vector[] {
  const { architecture, weights } = network;
  const { heads, keyValueHeads, headSize } = architecture;
  const block = `blk.${layer}`;
  const project = (part: string, x: Vector): Vector =>
    product(weights, `${block}.${part}.weight`, x);
  const normal = stream.map((x) => normalise(network, `${block}.attn_norm.weight`, x));
  const queries = normal.map((x, at) => rotate(project("attn_q", x), at, architecture));
  const keys = normal.map((x, at) => rotate(project("attn_k", x), at, architecture));
  const values = normal.map((x) => project("attn_v", x));
  return stream.map((x, at) => {
    const others = stream.keys().filter((other) => sees(at, other)).toArray();
    const attended = Array.from({ length: heads }, (_, head) => {
      const part = (of: readonly Vector[], other: number, head: number): Vector =>
        of[other]!.slice(head * headSize, (head + 1) * headSize);
      const shared = Math.floor(head * keyValueHeads / heads);
      const masses = others.map((other) =>
        Math.exp(dot(part(queries, at, head), part(keys, other, shared)) / Math.sqrt(headSize))
      );
      const total = masses.reduce((sum, mass) => sum + mass, 0);
      return others.map((other, i) =>
        part(values, other, shared).map((value) => value * masses[i]! / total)
      ).reduce<Vector>(add, new Array(headSize).fill(0));
    }).flat();
    return feedForward(network, block, add(x, project("attn_output", attended)));
  });
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Turns adjacent pairs of each head (RoFormer, Su et al. 2021, §3.4.2). */
function rotate(x: Vector, position: number, { headSize, ropeBase }: Architecture): Vector {
  return x.map((value, i) => {
    const angle = position * ropeBase ** (-(i % headSize - i % 2) / headSize);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return i % 2 === 0 ? value * cos - x[i + 1]! * sin : value * cos + x[i - 1]! * sin;
  });
}
