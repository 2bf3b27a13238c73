"""What more text would do: `python3 tools/distill/curve.py --drafts draft-feature`.

Trains a recipe on parts of the text, each for the same number of tokens, so that amounts of text
differ and compute does not. What is found stands beside the draft's losses in the manifest (`byText`),
and how long the draft's own curve says to learn (`byLearnt`). Each result is kept beside the text, so
a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from dataclasses import replace

import numpy as np

from make import (
    arguments, digest, open_source, read_manifest, read_text, settings_of, summary, write_manifest,
)
from evaluate import evaluate
from model import Llama
from recipes import FAMILY, PRESETS, Recipe
from text import Conversation, places_of
from train import Settings, train

COMPUTE = 1 / 2  # of the draft's own training
PARTS = ((8, 0), (4, 0), (2, 0), (1, 0), (8, 7), (4, 3))  # into how many like parts, and which
GOALS = (0.55, 0.65)
LAWS = ("power", "logarithm")
MOST_TEXT = 1e15  # More than has ever been written: an amount above it is none.


def part_of(rows: list[Conversation], count: int, index: int) -> list[Conversation]:
    """One of `count` like parts, in the order in which they were written."""
    return rows[round(index * len(rows) / count) : round((index + 1) * len(rows) / count)]


def needed(tokens: np.ndarray, rates: np.ndarray, goal: float, law: str) -> float:
    """How much text would reach a goal, by a law fitted by least squares, as a logarithm.

    - "power": 1 − α = a · tokens^b (for a loss: Kaplan et al., arXiv 2001.08361, section 3);
    - "logarithm": α = a + b · ln tokens.

    Infinite if more text was no better.
    """
    scale = np.log1p if law == "power" else np.positive  # Both are of −α, so they fall.
    slope, intercept = np.polyfit(np.log(tokens), scale(-rates), 1)
    return (scale(-goal) - intercept) / slope if slope < 0 else np.inf


def spread(tokens: np.ndarray, rates: np.ndarray, goal: float, law: str) -> float:
    """Twice the standard error of what `needed` says: the jackknife (Efron 1982, chapter 3)."""
    count = len(tokens)
    without = np.array([
        needed(np.delete(tokens, place), np.delete(rates, place), goal, law)
        for place in range(count)
    ])
    if np.isinf(without).any():
        return np.inf
    return 2 * float(np.sqrt((count - 1) / count * np.square(without - without.mean()).sum()))


def predictions(
    points: list[dict[str, float]], size: str, names: tuple[str, ...],
) -> list[dict[str, object]]:
    """How much of `size` each goal needs for the rates `names`, and between what that may lie.

    Null where the law says nothing: for no amount, one beyond all text, one below what was tried.
    """
    tokens = np.array([point[size] for point in points], float)

    def amount(logarithm: float) -> float | None:
        says = np.log(tokens.min()) <= logarithm <= np.log(MOST_TEXT)
        return float(f"{np.exp(logarithm):.1e}") if says else None

    found = []
    for name in names:
        rates = np.array([point[name] for point in points])
        for law, goal in itertools.product(LAWS, GOALS):
            middle = needed(tokens, rates, goal, law)
            wide = spread(tokens, rates, goal, law)
            ends = (middle, middle - wide, middle + wide)
            amounts = zip(("tokens", "low", "high"), map(amount, ends), strict=True)
            found.append({"rate": name, "goal": goal, "law": law, **dict(amounts)})
    return found


def measure(
    target: Llama, text: dict[str, list[Conversation]], recipe: Recipe, settings: Settings,
    args: argparse.Namespace,
) -> dict[str, float]:
    """Trains a draft and evaluates it, or reads what an earlier run found."""
    part, held_out = text["train"], text["held-out"]
    facts = [recipe.name, vars(settings), digest(part), digest(held_out)]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    path = args.out / args.preset / "curve" / f"{recipe.name}-{key}.json"
    if not path.exists():
        draft = recipe.start(target, part, args.seed).to(args.device)
        train(draft, part, settings, lambda tokens, _: print(f"{tokens} tokens", flush=True))
        point = {"text": places_of(part), **summary(evaluate(draft, held_out))}
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(point) + "\n")
    return json.loads(path.read_text())


def main() -> None:
    """Text, drafts of its parts, laws."""
    args = arguments(__doc__)
    preset, path = PRESETS[args.preset], args.models / "manifest.json"
    source = open_source(args, preset)
    for recipe in FAMILY:
        if recipe.name not in (args.drafts or preset.drafts):
            continue
        text, _ = read_text(source, recipe, args.prompts)
        settings = settings_of(recipe, preset, args)
        settings = replace(settings, tokens=round(settings.tokens * COMPUTE))
        points = []
        for count, index in PARTS:
            part = {**text, "train": part_of(text["train"], count, index)}
            points.append(measure(source.target, part, recipe, settings, args))
            print(f"{recipe.name}: {points[-1]}", flush=True)
        points.sort(key=lambda point: point["text"])
        manifest = read_manifest(path)
        entry = manifest["drafts"][recipe.name]
        needed_text = predictions(points, "text", ("greedy", "chain"))
        entry["byText"] = {"learnt": settings.tokens, "points": points, "needed": needed_text}
        learnt = [point for point in entry["curve"] if point["tokens"] > 0]
        entry["byLearnt"] = {"needed": predictions(learnt, "tokens", ("greedy", "sampled"))}
        write_manifest(path, manifest)


if __name__ == "__main__":
    main()
