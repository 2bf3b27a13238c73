/**
 * Verification with a mistake in it. A gate that lets one of these through proves nothing.
 *
 * @module
 */

import type { Drafter, Proposal } from "../../lib/decoding/drafters/drafter.ts";
import { modelDrafter } from "../../lib/decoding/drafters/model.ts";
import { treeDrafter } from "../../lib/decoding/drafters/tree.ts";
import { type Distribution, distribution, sample } from "../../lib/decoding/sampling.ts";
import { chain, type Verdict, type verify } from "../../lib/decoding/verify.ts";
import type { LanguageModel } from "../../lib/engine/language_model.ts";
import type { Random } from "../../lib/random.ts";

/** Where a mistake can be put in; all left out, this is `verify`. */
interface Parts {
  readonly ratio?: (p: number, q: number) => number;
  readonly residual?: (p: Distribution, q: Distribution) => Distribution;
  readonly afterAll?: (parent: Distribution, last: Distribution) => Distribution;
  readonly redraw?: boolean;
}

/** The rule of `verify` for drawn tokens, in parts that can be replaced. */
export function assemble({
  ratio = (p, q) => p / q,
  residual = positivePart,
  afterAll = (_, last) => last,
  redraw = true,
}: Parts): typeof verify {
  return (draft: Proposal, p: (node: number) => Distribution, random: Random): Verdict => {
    const { tokens, parents = chain(tokens.length), distributions } = draft;
    const path: number[] = [];
    const tested: number[] = [];
    let [before, target] = [p(-1), p(-1)];
    let draw = 0;
    let accepted = true;
    for (const [node, token] of tokens.entries()) {
      if (parents[node] !== (path.at(-1) ?? -1)) continue;
      tested.push(node);
      const q = distributions![node]!;
      draw = random();
      accepted = draw < ratio(target[token]!, q[token]!);
      if (accepted) path.push(node);
      [before, target] = accepted ? [target, p(node)] : [before, residual(target, q)];
    }
    const last = accepted && tested.length > 0 ? afterAll(before, target) : target;
    return { path, tested, next: sample(last, redraw ? random : () => draw) };
  };
}

/** The mistakes, by name. */
export const mutants: Readonly<Record<string, typeof verify>> = {
  "the correction is drawn from p instead of the residual": assemble({ residual: (p) => p }),
  "the residual is not cut at 0": assemble({ residual: (p, q) => normalise(p, q, Math.abs) }),
  "the residual is of q over p": assemble({ residual: (p, q) => positivePart(q, p) }),
  "the bonus is drawn from the distribution before the last token": assemble({
    afterAll: (before) => before,
  }),
  "the acceptance draw is used again for the next token": assemble({ redraw: false }),
  "the acceptance ratio is turned over": assemble({ ratio: (p, q) => q / p }),
  "every drafted token is accepted": assemble({ ratio: () => 1 }),
};

/**
 * Drafters that tell verification something else than what they did.
 *
 * @param model The draft model.
 */
export function draftMutants(model: LanguageModel): Readonly<Record<string, () => Drafter>> {
  const pairs = () => treeDrafter(model, { widths: [2] });
  return {
    "the draft samples at another temperature than it tells": () =>
      altered(modelDrafter(model), (draft) => ({
        ...draft,
        // From q at the temperature of sampling to what it would be at a third of it.
        distributions: draft.distributions!.map((q) =>
          distribution(q.map(Math.log), { temperature: 1 / 3 })
        ),
      })),
    "equal siblings are left out": () =>
      altered(pairs(), (draft) => {
        const [first, second] = draft.tokens;
        return first === second ? select(draft, [0]) : draft;
      }),
    "siblings are drawn until they differ": () =>
      altered(pairs(), (draft, random) => {
        const [first, second] = draft.tokens;
        let other = second!;
        while (other === first) other = sample(draft.distributions![1]!, random);
        return { ...draft, tokens: [first!, other] };
      }),
    "of two siblings the likelier is put first": () =>
      altered(pairs(), (draft) => {
        const [a, b] = draft.tokens.map((token) => draft.distributions![0]![token]!);
        return a! < b! ? select(draft, [1, 0]) : draft;
      }),
  };
}

/** A drafter whose proposals are changed before anyone sees them. */
function altered(drafter: Drafter, change: (draft: Proposal, random: Random) => Proposal): Drafter {
  return {
    ...drafter,
    propose: async (text, request) => change(await drafter.propose(text, request), request.random),
  };
}

/** Some of the roots of a draft. */
function select(draft: Proposal, nodes: readonly number[]): Proposal {
  return {
    tokens: nodes.map((node) => draft.tokens[node]!),
    parents: nodes.map(() => -1),
    distributions: nodes.map((node) => draft.distributions![node]!),
  };
}

function positivePart(p: Distribution, q: Distribution): Distribution {
  return normalise(p, q, (difference) => Math.max(0, difference));
}

function normalise(
  p: Distribution,
  q: Distribution,
  part: (difference: number) => number,
): Distribution {
  const rest = Float64Array.from(p, (mass, i) => part(mass - q[i]!));
  const total = rest.reduce((sum, mass) => sum + mass, 0);
  return total === 0 ? p : rest.map((mass) => mass / total);
}
