/**
 * The seam between networks and decoding: evaluate, then commit what was kept.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import { requireInteger } from "../validate.ts";
import type { Distribution } from "./softmax.ts";
import type { TrimmedScores } from "./trimmed.ts";

/** What a forward pass says of the tokens that follow those it read. */
export interface TokenScores {
  /**
   * The scores of the token that follows `tokens[row][index]`: unnormalised natural
   * log-probabilities, one for each vocabulary entry. A view, not a copy.
   */
  logits(index: number, row?: number): Float32Array;
  /** softmax(logits / temperature) of the same scores, for a temperature above 0. A copy. */
  probabilities(index: number, temperature: number, row?: number): Distribution;
}

/** What one forward pass found. Its logits are valid until the context's next `evaluate`. */
export interface Evaluation extends TokenScores {
  /** The tokens that were evaluated, one list a row. */
  readonly tokens: readonly (readonly TokenId[])[];
  /** The scores alone of the tokens that are scored, if the model's vocabulary is trimmed. */
  readonly trimmed?: TrimmedScores;
}

/**
 * Text that a network has read, one row or several of unequal length. Only committed tokens count:
 * what was evaluated but not committed leaves no trace.
 */
export interface Context extends AsyncDisposable {
  /** How many sequences are decoded side by side. */
  readonly rows: number;
  /**
   * Bytes of its keys and values, room for more tokens included, and of the hidden states that
   * another context keeps for it; absent if it has none.
   */
  readonly cacheBytes?: number;
  /** Committed tokens of a row. */
  length(row?: number): number;
  /** Reads and commits tokens without asking for their logits: prefill. One list a row. */
  append(tokens: readonly (readonly TokenId[])[]): Promise<void>;
  /**
   * One forward pass over `tokens` after the committed text, one list a row (an empty list rests).
   *
   * `parents` makes the lists trees: `parents[row][i]` is the index, in the same list, of the token
   * that `tokens[row][i]` follows, or −1 for the committed text. A parent stands before its
   * children. Without it each list is a chain.
   *
   * `scored` says whose scores will be asked for: a model may leave out those of all tokens but
   * each list's last. By default all are there.
   */
  evaluate(
    tokens: readonly (readonly TokenId[])[],
    parents?: readonly (readonly number[])[],
    scored?: "all" | "last",
  ): Promise<Evaluation>;
  /**
   * Keeps part of the newest evaluation: for each row a prefix length, or the indices of a tree
   * path from the root down.
   */
  commit(evaluation: Evaluation, kept: readonly (number | readonly number[])[]): void;
  /** Forgets committed tokens past `length`. */
  truncate(length: number, row?: number): void;
  /** An independent copy. Cheap: storage is shared until one of the two writes. */
  fork(): Context;
}

/** A network that scores continuations, and a factory of contexts to read text into. */
export interface LanguageModel extends AsyncDisposable {
  /** Short name for records: catalog id and precision. */
  readonly name: string;
  /** Entries of the vocabulary, and the length of every logits row. */
  readonly vocabularySize: number;
  /** The most tokens a row may hold. */
  readonly contextLength: number;
  /** Bytes of its weights as executed; absent if it has none. */
  readonly weightBytes?: number;
  /** Opens an empty context of `rows` sequences. */
  open(rows?: number): Context;
}

/** Raised when a context is asked for what it cannot hold or was not given. */
export class ContextError extends Error {
  /** The error's name, "ContextError". */
  override readonly name = "ContextError";
}

/** Throws unless `parents` is a forest over `count` tokens in which parents come first. */
export function requireTree(parents: readonly number[], count: number): void {
  if (parents.length !== count) {
    throw new ContextError(
      `Cannot evaluate as parents has ${parents.length} entries for ${count} tokens: give one parent a token`,
    );
  }
  parents.forEach((parent, index) => {
    if (Number.isInteger(parent) && parent >= -1 && parent < index) return;
    throw new ContextError(
      `Cannot evaluate as the parent of token ${index} is ${parent}: it must be −1 or an earlier index`,
    );
  });
}

/** Throws unless `tokens` holds one list a row, each token inside the vocabulary. */
export function requireTokens(
  tokens: readonly (readonly TokenId[])[],
  rows: number,
  vocabularySize: number,
): void {
  if (tokens.length !== rows) {
    throw new ContextError(
      `Cannot evaluate as ${tokens.length} lists were given to a context of ${rows} rows: give one a row`,
    );
  }
  for (const list of tokens) {
    for (const token of list) {
      if (Number.isInteger(token) && token >= 0 && token < vocabularySize) continue;
      throw new ContextError(
        `Cannot evaluate as token ${token} is outside the vocabulary of ${vocabularySize}: was it encoded by another tokenizer?`,
      );
    }
  }
}

/** Throws unless `kept` is a path from the committed text down: each entry's parent is the entry before. */
export function requirePath(kept: readonly number[], parents: readonly number[]): void {
  kept.forEach((index, depth) => {
    if (parents[index] === (depth === 0 ? -1 : kept[depth - 1])) return;
    throw new ContextError(
      `Cannot commit as [${kept}] is not a path of the evaluated tree: token ${index} does not follow the one before`,
    );
  });
}

/**
 * The paths that a commit keeps. Throws unless `kept` has one entry a row, each a prefix length or a
 * path in that row's tree.
 *
 * @param kept What to keep of each row.
 * @param parents The trees that were evaluated, one a row.
 * @returns For each row the indices it keeps.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(requireKept([2, [1]], [[-1, 0, 1], [-1, -1]]), [[0, 1], [1]]);
 * ```
 */
export function requireKept(
  kept: readonly (number | readonly number[])[],
  parents: readonly (readonly number[])[],
): (readonly number[])[] {
  if (kept.length !== parents.length) {
    throw new ContextError(
      `Cannot commit ${kept.length} paths to a context of ${parents.length} rows: give one a row`,
    );
  }
  return kept.map((part, row) => {
    if (typeof part === "number") requireInteger("commit", "the prefix kept", part, 0);
    const path = typeof part === "number" ? Array.from({ length: part }, (_, i) => i) : part;
    requirePath(path, parents[row]!);
    return path;
  });
}

/** The error of using an evaluation after its context moved on. */
export function outdated(action: string): ContextError {
  return new ContextError(
    `Cannot ${action} as the evaluation is not the context's newest: evaluate again`,
  );
}
