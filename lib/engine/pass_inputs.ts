/**
 * The small inputs of a pass, written from what the pass is about.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { Binding, Runtime, Session } from "../onnx/mod.ts";
import { type MaskRow, writeMask } from "./mask.ts";
import { Scratch } from "./scratch.ts";

/** One row of a pass. */
export interface PassRow extends MaskRow {
  /** New tokens; shorter lists are padded to the pass's width. */
  readonly tokens: readonly TokenId[];
  /** For each new token what it is read with, if the graph reads such: zeros if null. */
  readonly features?: readonly (Float32Array | null)[];
}

/** A forward pass. */
export interface Pass {
  /** The rows. */
  readonly rows: readonly PassRow[];
  /** New tokens of each row, padding included. */
  readonly width: number;
  /** Slots of the cache. */
  readonly capacity: number;
  /** Positions that the network knows. */
  readonly contextLength: number;
  /** Which of the rows · width tokens are scored, padded to the number of scores that is computed. */
  readonly scored: readonly number[];
  /** The width of the residual stream. */
  readonly hidden: number;
}

/** Memory that a pass writes to. */
export interface PassOutputs {
  /** Scores: one entry for each that is computed. */
  readonly logits: Float32Array;
  /** Hidden states of rows · width tokens, if the graph gives them. */
  readonly hidden: Float32Array | null;
}

interface Input {
  readonly type: "int64" | "int32" | "float32";
  readonly dims: (pass: Pass) => number[];
  readonly write: (data: never, pass: Pass) => void;
}

/** How each input that a graph may declare is written. */
const INPUTS: Readonly<Record<string, Input>> = {
  tokens: {
    type: "int64",
    dims: ({ rows, width }) => [rows.length, width],
    write: (data: BigInt64Array, { rows, width }) => {
      data.fill(0n);
      rows.forEach(({ tokens }, row) => {
        for (let i = 0; i < tokens.length; i++) data[row * width + i] = BigInt(tokens[i]!);
      });
    },
  },
  positions: {
    type: "int64",
    dims: ({ rows, width }) => [rows.length, width],
    write: (data: BigInt64Array, { rows, width, contextLength }) =>
      rows.forEach((row, index) => {
        const positions = data.subarray(index * width, (index + 1) * width);
        writePositions(positions, row, contextLength);
      }),
  },
  slots: {
    type: "int64",
    dims: ({ rows }) => [rows.length],
    write: (data: BigInt64Array, { rows }) =>
      rows.forEach(({ length }, row) => data[row] = BigInt(length)),
  },
  mask: {
    type: "float32",
    dims: ({ rows, width, capacity }) => [rows.length, 1, width, capacity],
    write: (data: Float32Array, { rows, width, capacity }) =>
      writeMask(data, rows, width, capacity),
  },
  features: {
    type: "float32",
    dims: ({ rows, width, hidden }) => [rows.length, width, hidden],
    write: (data: Float32Array, { rows, width, hidden }) => {
      data.fill(0);
      rows.forEach(({ features = [] }, row) => {
        for (const [i, feature] of features.entries()) {
          if (feature) data.set(feature, (row * width + i) * hidden);
        }
      });
    },
  },
  last_slots: {
    type: "int32",
    dims: ({ rows }) => [rows.length],
    write: (data: Int32Array, { rows, width }) =>
      rows.forEach(({ length }, row) => data[row] = length + width - 1),
  },
  total: {
    type: "int32",
    dims: () => [],
    write: (data: Int32Array, { rows, width }) => data[0] = rows[0]!.length + width,
  },
  logit_rows: {
    type: "int64",
    dims: ({ scored }) => [scored.length],
    write: (data: BigInt64Array, { scored }) => {
      for (let i = 0; i < scored.length; i++) data[i] = BigInt(scored[i]!);
    },
  },
};

/** Memory for the small inputs and the outputs of a context's passes. */
export class PassInputs implements Disposable {
  readonly #scratch = new Map<string, Scratch<"int64" | "int32" | "float32">>();
  readonly #logits: Scratch<"float32">;
  readonly #hidden: Scratch<"float32">;
  readonly #runtime: Runtime;

  /**
   * Prepares; memory is taken by the first pass.
   *
   * @param runtime Where memory is taken.
   */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#logits = new Scratch(runtime, "float32");
    this.#hidden = new Scratch(runtime, "float32");
  }

  /**
   * Writes and binds a pass.
   *
   * @param binding Where to bind.
   * @param session The graph, which declares inputs and outputs; those of the cache are not bound here.
   * @param pass The pass.
   * @param scores Logits of a token.
   * @returns The memory that the pass will write to.
   */
  write(
    binding: Binding,
    session: Pick<Session, "inputs" | "outputs">,
    pass: Pass,
    scores: number,
  ): PassOutputs {
    for (const name of session.inputs) {
      const input = INPUTS[name];
      if (!input) continue;
      const tensor = this.#scratchFor(name, input).shape(input.dims(pass));
      input.write(tensor.data as never, pass);
      binding.input(name, tensor);
    }
    const logits = this.#logits.shape([pass.scored.length, scores]);
    binding.output("logits", logits);
    if (!session.outputs.includes("hidden")) return { logits: logits.data, hidden: null };
    const hidden = this.#hidden.shape([pass.rows.length * pass.width, pass.hidden]);
    binding.output("hidden", hidden);
    return { logits: logits.data, hidden: hidden.data };
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    for (const scratch of this.#scratch.values()) scratch[Symbol.dispose]();
    this.#logits[Symbol.dispose]();
    this.#hidden[Symbol.dispose]();
  }

  #scratchFor(name: string, { type }: Input): Scratch<"int64" | "int32" | "float32"> {
    const known = this.#scratch.get(name);
    if (known) return known;
    const scratch = new Scratch<"int64" | "int32" | "float32">(this.#runtime, type);
    this.#scratch.set(name, scratch);
    return scratch;
  }
}

/** Positions in the text: a tree's tokens at their depth, padding wherever there is a position. */
function writePositions(
  positions: BigInt64Array,
  { length, parents }: MaskRow,
  contextLength: number,
): void {
  for (let i = 0; i < positions.length; i++) {
    const parent = parents[i];
    if (parent === undefined) positions[i] = BigInt(Math.min(length + i, contextLength - 1));
    else positions[i] = parent < 0 ? BigInt(length) : positions[parent]! + 1n;
  }
}
