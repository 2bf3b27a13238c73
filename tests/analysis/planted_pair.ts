/** A target and its draft in the head: costs that are known, to an error that is. */

import type { CostLayer, CostPair } from "../../lib/analysis/boundary.ts";
import { fitCosts } from "../../lib/analysis/cost_model.ts";

/** A model whose passes take `ms(w, n, B)`, known to `error`. */
function layer(ms: (width: number, context: number, batch: number) => number, error = 0.01) {
  const cells = (contexts: readonly number[], of: typeof ms) =>
    contexts.flatMap((context) =>
      [1, 2, 4].flatMap((batch) =>
        Array.from({ length: 9 }, (_, i) => {
          return { width: i + 1, context, batch, ms: of(i + 1, context, batch), error };
        })
      )
    );
  const host = fitCosts(cells([0], (_, __, batch) => 0.05 * batch));
  return { pass: fitCosts(cells([64, 1024, 4096], ms)), host } satisfies CostLayer;
}

const slow = (width: number, context: number, batch: number) =>
  20 + batch * (1.5 * (width - 1) + 0.002 * context * (1 + 0.2 * width));
/** Costs measured at widths to 9, contexts 64 to 4,096 and batches to 4. */
export function plantedPair(error = 0.01): CostPair {
  return { target: layer(slow, error), draft: layer((...shape) => slow(...shape) / 10, error) };
}
