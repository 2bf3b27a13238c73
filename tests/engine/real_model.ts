/** The real weights that tests run on, or word that they cannot be had here. */

import { type LoadedModel, loadModel, type LoadOptions } from "../../lib/engine/load.ts";
import { fetchModel } from "../../lib/models/fetch.ts";
import { Runtime } from "../../lib/onnx/mod.ts";

/** The model of most tests. */
export const MODEL = "smollm2-135m-instruct";

/**
 * Whether tests on real weights must be skipped: no source could be reached. Where
 * SPECBOUND_REQUIRE_MODEL is set, as in CI, that is an error instead.
 */
export const skipped: boolean = await fetchModel(MODEL).then(() => false, (error) => {
  if (Deno.env.get("SPECBOUND_REQUIRE_MODEL")) throw error;
  console.error(`Tests on real weights are skipped: ${error.message}`);
  return true;
});

/** Loads the model in a runtime of its own, calls `use`, and disposes of both. */
export async function withModel(
  options: Omit<LoadOptions, "runtime"> & { readonly threads?: number },
  use: (model: LoadedModel) => Promise<void>,
): Promise<void> {
  const { threads = 2, ...rest } = options;
  using runtime = new Runtime({ threads });
  await using model = await loadModel(MODEL, { runtime, ...rest });
  await use(model);
}
