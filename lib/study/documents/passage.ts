/**
 * What documents are made of.
 *
 * @module
 */

/** A question about a part of a document. */
export interface Question {
  /** The question. */
  readonly question: string;
  /**
   * The part of the document, to the letter, that it is about: the line that answers it, the
   * function to edit, the section to sum up.
   */
  readonly answer: string;
}

/** Some lines, a function or a section of a document. */
export interface Passage {
  /** Its text, line ends included. */
  readonly text: string;
  /** What can be asked about it. Absent: nothing. */
  readonly about?: Question;
}
