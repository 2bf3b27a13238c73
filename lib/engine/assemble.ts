/**
 * From built graphs to a model that runs: load, and find out what runs best here.
 *
 * @module
 */

import type { Architecture } from "../models/architecture.ts";
import type { BuiltGraphs } from "../models/build.ts";
import { FORMS } from "../models/graph.ts";
import type { TrimmedVocabulary } from "../models/trimmed_vocabulary.ts";
import type { Runtime } from "../onnx/mod.ts";
import { findForms, type FormFinding } from "./form_probe.ts";
import { type FormRule, formsOf, GROUPED, sayForms, SCATTERED } from "./form_rule.ts";
import { Graphs } from "./graphs.ts";
import { LoadedModel, type ModelDetails } from "./loaded_model.ts";
import type { TextSide } from "./model_source.ts";
import { OnnxModel } from "./onnx_model.ts";
import { remember } from "./remember.ts";
import { probeWidths } from "./width_probe.ts";

/** What a model is assembled from. */
export interface Parts
  extends Pick<ModelDetails, "id" | "sha256" | "precision" | "headPrecision" | "exact"> {
  /** Short name for records. */
  readonly name: string;
  /** The network's sizes. */
  readonly architecture: Architecture;
  /** Its graphs. */
  readonly built: BuiltGraphs;
  /** The tokens that the graphs score. Default: all. */
  readonly vocabulary: TrimmedVocabulary | undefined;
  /** Its text side. */
  readonly text: TextSide | null;
  /** Whether it can be tried alone: a model that reads hidden states can not. Default true. */
  readonly alone?: boolean;
}

/** Where a model is loaded. */
export interface Place {
  /** The runtime. */
  readonly runtime: Runtime;
  /** The cache directory. */
  readonly cache: string;
  /** Hears what comes next. */
  readonly onStage?: ((stage: string) => void) | undefined;
}

/**
 * Loads a model's graphs and, unless that was done before on this machine, finds the faster form of
 * attention and the widths that agree. A model that reads hidden states is not probed: it runs in the
 * scattered form, at the width asked for.
 *
 * @param parts Graphs, sizes, names.
 * @param place Runtime and cache.
 * @returns The model; dispose it before the runtime.
 */
export async function assemble(parts: Parts, place: Place): Promise<LoadedModel> {
  const { name, architecture, built, vocabulary, text, alone = true, ...described } = parts;
  const { precision, exact } = described;
  const { runtime, cache, onStage } = place;
  using taken = new DisposableStack();
  const graphs = taken.use(
    new Graphs(runtime, built, (form) => onStage?.(`loading the ${precision} graph, ${form}`)),
  );
  const ask = <T>(
    what: string,
    about: readonly unknown[],
    find: () => Promise<T>,
    stands?: (answer: T) => boolean,
  ): Promise<T> =>
    remember(cache, [what, built.hash, ...about, runtime.threads], () => {
      onStage?.(`finding ${what} of ${precision}`);
      return find();
    }, stands);
  const trial = (attention: FormRule): OnnxModel =>
    new OnnxModel(graphs, architecture, { name: sayForms(attention), attention, vocabulary });

  const findRule = async (): Promise<FormAnswer> => {
    const forms = { scattered: trial(SCATTERED), grouped: trial(GROUPED) };
    const found = await findForms(forms);
    const wanted = formsOf(found.rule);
    for (const form of FORMS) if (!wanted.includes(form)) graphs.close(form);
    return { ...found, asked: Date.now() };
  };
  const attention = alone && !exact
    ? (await ask("the faster forms", [], findRule, stands)).rule
    : SCATTERED;
  const probe = alone
    ? await ask("widths that agree", [attention], () => probeWidths(trial(attention)))
    : null;
  const details: ModelDetails = {
    ...described,
    layers: architecture.layers,
    scoredTokens: vocabulary?.tokens.length ?? architecture.vocabularySize,
    attention,
    graph: built.hash,
    probe,
  };
  const model = new LoadedModel(graphs, architecture, { name, vocabulary, text, details });
  taken.move();
  return model;
}

/** What was found, and when that was asked, in milliseconds since 1970. */
interface FormAnswer extends FormFinding {
  readonly asked: number;
}

/** On a machine that was busy, the question is put again the next day. */
function stands({ isSure, asked }: FormAnswer): boolean {
  return isSure || Date.now() - asked < 24 * 60 * 60 * 1000;
}
