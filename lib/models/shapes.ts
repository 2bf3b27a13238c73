/**
 * Shapes of published models. What a pass costs depends on a network's shape, not on its weights, so
 * models that nobody has downloaded can be timed with random ones.
 *
 * @module
 */

import { type Architecture, families } from "./architecture.ts";
import { UnknownModelError } from "./catalog.ts";
import { expectedShapes } from "./tensor_shapes.ts";

/** The shape of a published model. */
export interface ModelShape {
  /** The name to ask for it by: "shape:llama-3.2-1b". */
  readonly id: string;
  /** What it is, in a line. */
  readonly description: string;
  /** The network's shape. */
  readonly architecture: Architecture;
}

/**
 * A model that has a shape but no vocabulary: "Cannot read or write text with shape:… as …".
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * const { message } = new ShapeOnlyError("shape:qwen3-4b", "fetch");
 * assertStringIncludes(message, "Cannot fetch shape:qwen3-4b as it is a shape with random weights");
 * ```
 */
export class ShapeOnlyError extends Error {
  /** The error's name, "ShapeOnlyError". */
  override readonly name = "ShapeOnlyError";

  /**
   * Puts the message together.
   *
   * @param id The shape.
   * @param action What cannot be done: "fetch".
   */
  constructor(id: string, action: string) {
    super(
      `Cannot ${action} ${id} as it is a shape with random weights, without file or tokenizer: ` +
        `use it to measure costs, or name a model from the catalogue or a .gguf file`,
    );
  }
}

/** Sizes from a model's published config.json. */
type Sizes = Pick<
  Architecture,
  | "layers"
  | "hidden"
  | "heads"
  | "keyValueHeads"
  | "headSize"
  | "feedForward"
  | "vocabularySize"
  | "ropeBase"
  | "contextLength"
>;

const smollm2 = (sizes: Omit<Sizes, "headSize" | "vocabularySize" | "contextLength">) =>
  shapeOf("llama", { ...sizes, headSize: 64, vocabularySize: 49_152, contextLength: 8192 });

/** Llama 3.1 and 3.2. Their heads are tied in the models that fit a telephone. */
const llama3 = (
  sizes: Omit<Sizes, "vocabularySize" | "keyValueHeads" | "ropeBase" | "contextLength">,
  tiedHead: boolean,
): Architecture =>
  shapeOf("llama", {
    ...sizes,
    keyValueHeads: 8,
    vocabularySize: 128_256,
    ropeBase: 500_000,
    contextLength: 131_072,
  }, { ropeFactors: true, tiedHead });

const qwen3 = (
  sizes: Pick<Sizes, "layers" | "hidden" | "heads" | "feedForward">,
): Architecture =>
  shapeOf("qwen3", {
    ...sizes,
    keyValueHeads: 8,
    headSize: 128,
    vocabularySize: 151_936,
    ropeBase: 1_000_000,
    contextLength: 40_960,
  }, { epsilon: 1e-6 });

/** The shapes, by family and size. Sources: each model's config.json on the Hugging Face Hub. */
export const shapes: readonly ModelShape[] = [
  {
    id: "shape:smollm2-135m",
    description: "SmolLM2 135M",
    architecture: smollm2({
      layers: 30,
      hidden: 576,
      heads: 9,
      keyValueHeads: 3,
      feedForward: 1536,
      ropeBase: 100_000,
    }),
  },
  {
    id: "shape:smollm2-360m",
    description: "SmolLM2 360M",
    architecture: smollm2({
      layers: 32,
      hidden: 960,
      heads: 15,
      keyValueHeads: 5,
      feedForward: 2560,
      ropeBase: 100_000,
    }),
  },
  {
    id: "shape:smollm2-1.7b",
    description: "SmolLM2 1.7B",
    architecture: smollm2({
      layers: 24,
      hidden: 2048,
      heads: 32,
      keyValueHeads: 32,
      feedForward: 8192,
      ropeBase: 130_000,
    }),
  },
  {
    id: "shape:llama-3.2-1b",
    description: "Llama 3.2 1B",
    architecture: llama3(
      { layers: 16, hidden: 2048, heads: 32, headSize: 64, feedForward: 8192 },
      true,
    ),
  },
  {
    id: "shape:llama-3.2-3b",
    description: "Llama 3.2 3B",
    architecture: llama3(
      { layers: 28, hidden: 3072, heads: 24, headSize: 128, feedForward: 8192 },
      true,
    ),
  },
  {
    id: "shape:llama-3.1-8b",
    description: "Llama 3.1 8B",
    architecture: llama3(
      { layers: 32, hidden: 4096, heads: 32, headSize: 128, feedForward: 14_336 },
      false,
    ),
  },
  {
    id: "shape:qwen3-0.6b",
    description: "Qwen3 0.6B",
    architecture: qwen3({ layers: 28, hidden: 1024, heads: 16, feedForward: 3072 }),
  },
  {
    id: "shape:qwen3-1.7b",
    description: "Qwen3 1.7B",
    architecture: qwen3({ layers: 28, hidden: 2048, heads: 16, feedForward: 6144 }),
  },
  {
    id: "shape:qwen3-4b",
    description: "Qwen3 4B",
    architecture: qwen3({ layers: 36, hidden: 2560, heads: 32, feedForward: 9728 }),
  },
];

/**
 * Whether a name asks for a shape, known or not.
 *
 * @param model A model's name.
 * @returns Whether it begins with "shape:".
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(isShape("shape:llama-3.2-1b") && !isShape("llama.gguf"));
 * ```
 */
export function isShape(model: string): boolean {
  return model.startsWith("shape:");
}

/**
 * Finds a shape.
 *
 * @param id Its name.
 * @returns The shape.
 * @throws {UnknownModelError} If there is none of that name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(findShape("shape:llama-3.2-1b").architecture.layers, 16);
 * ```
 */
export function findShape(id: string): ModelShape {
  const shape = shapes.find((shape) => shape.id === id);
  if (shape === undefined) throw new UnknownModelError(id, shapes.map(({ id }) => id));
  return shape;
}

/**
 * A network's parameters, counted as they are published: a tied head is not counted again, and
 * rotary factors are no parameters.
 *
 * @param architecture The network's shape.
 * @returns How many there are.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parameterCount(findShape("shape:smollm2-135m").architecture), 134_515_008);
 * ```
 */
export function parameterCount(architecture: Architecture): number {
  let count = 0;
  for (const [name, shape] of expectedShapes(architecture)) {
    if (name === "rope_freqs.weight") continue;
    count += shape.reduce((product, size) => product * size, 1);
  }
  return count;
}

function shapeOf(
  name: string,
  sizes: Sizes,
  rest: Partial<Pick<Architecture, "ropeFactors" | "tiedHead" | "epsilon">> = {},
): Architecture {
  return {
    name,
    ...families.get(name)!,
    ...sizes,
    trainedLength: sizes.contextLength,
    ropeScale: 1,
    ropeFactors: false,
    epsilon: 1e-5,
    tiedHead: true,
    ...rest,
  };
}
