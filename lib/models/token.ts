/**
 * The smallest thing a language model reads and writes.
 *
 * @module
 */

/** The index of a token in a vocabulary: an integer from 0. */
export type TokenId = number;
