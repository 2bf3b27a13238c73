"""From the target's GGUF to checked drafts: `python3 tools/distill/make.py --help`."""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # Spinning threads starve a shared machine.

import torch
from tokenizers import Tokenizer

from evaluate import answer_only, evaluate
from gguf_file import load_model, load_tokenizer, save_model, sha256
from model import Llama
from overlap import WORDS, evaluation_ngrams
from recipes import ALL, FAMILY, PRESETS, Preset, Recipe
from states import write_states
from text import (
    TEMPERATURES, TOP_K, Conversation, load_shards, places_of, seconds_of, shards_of, write_text,
)
from train import Settings, train

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("SPECBOUND_CACHE", Path.home() / ".cache" / "specbound"))
TRAIN_SEED, HELD_OUT_SEED = 1, 2
CURVE_SHARE = 3  # Learning curves are read on every third held-out conversation.


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    target = CACHE / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    parser.add_argument("--target", type=Path, default=target, help="the target's GGUF")
    parser.add_argument("--preset", choices=PRESETS, default="cpu", help="how much text, how long")
    parser.add_argument("--text-tokens", type=int, help="how much text (default: the preset's)")
    parser.add_argument("--drafts", nargs="*", help="names of recipes (default: the preset's)")
    parser.add_argument("--out", type=Path, default=CACHE / "distill", help="where text is kept")
    parser.add_argument("--models", type=Path, default=ROOT / "data" / "models",
                        help="where drafts and their manifest go")
    parser.add_argument("--prompts", type=Path, default=ROOT / "data" / "prompts",
                        help="prompts that training text must not contain")
    parser.add_argument("--loss", choices=("kl", "ce"), default="kl", help="what drafts learn by")
    parser.add_argument("--seed", type=int, default=1, help="of the weights and the order of text")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compare", type=Path,
                        help="a manifest: fail if a loss is not within the spread of the one there")
    args = parser.parse_args()
    for name in set(args.drafts or ()).difference(ALL):
        parser.error(f"Cannot make {name} as there is no such recipe: use {', '.join(ALL)}")
    if not args.target.is_file():
        parser.error(f"Cannot read {args.target} as there is no such file: "
                     "fetch it with `deno task models smollm2-135m-instruct`, or give --target")
    return args


def hardware(device: str) -> str:
    """The machine in words."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), None)
    return f"{name or platform.processor()}, {torch.get_num_threads()} threads"


def read_clean(
    shards: list[Path], tokenizer: Tokenizer, prompts: Path, layers: tuple[int, ...] = (),
) -> tuple[list[Conversation], int]:
    """The conversations that share no n-gram with the prompts, and how many were left out."""
    forbidden, rows = evaluation_ngrams(prompts), load_shards(shards, layers)
    clean = [
        row for row in rows
        if not forbidden.found_in(tokenizer.decode(row.tokens, skip_special_tokens=False))
    ]
    return clean, len(rows) - len(clean)


def unseen(held_out: list[Conversation], rows: list[Conversation]) -> list[Conversation]:
    """The held-out conversations whose request is none of the training text's."""
    def request(row: Conversation) -> bytes:
        return row.tokens[: answer_only(row).places[0]].tobytes()

    known = {request(row) for row in rows}
    return [row for row in held_out if request(row) not in known]


def summary(score: dict[str, object]) -> dict[str, float]:
    """A score over all kinds of task."""
    rates = {name: score[name]["all"] for name in ("greedy", "sampled", "chain")}
    return {"loss": score["loss"], **rates}


def make_draft(
    target: Llama, rows: list[Conversation], held_out: list[Conversation], recipe: Recipe,
    preset: Preset, args: argparse.Namespace,
) -> dict[str, object]:
    """Trains a draft, writes it, reads it back and evaluates what was written.

    Drafts of the same recipe that see only a share of the text, as often, tell what more would do.
    """
    settings = Settings(round(recipe.tokens * preset.training), recipe.rate, preset.batch,
                        args.loss, args.seed, recipe.steps)
    draft = recipe.start(target, rows, args.seed).to(args.device)
    curve: list[dict[str, object]] = []

    def observe(tokens: int, loss: float) -> None:
        point = {"tokens": tokens, "training": round(loss, 4),
                 **summary(evaluate(draft, held_out[::CURVE_SHARE]))}
        print(f"{recipe.name}: {point}", flush=True)
        curve.append(point)

    seconds = train(draft, rows, settings, observe)
    path = args.models / f"{recipe.name}.gguf"
    save_model(draft, path, recipe.kind, args.target, recipe.name, recipe.role or None)
    score = evaluate(load_model(path, target).to(args.device), held_out)

    by_text: list[dict[str, object]] = []
    for share in recipe.shares:
        part = rows[: round(share * len(rows))]
        other = recipe.start(target, part, args.seed).to(args.device)
        less = replace(settings, tokens=round(settings.tokens * share))
        train(other, part, less, lambda *_: None)
        by_text.append({"text": places_of(part), **summary(evaluate(other, held_out))})
        print(f"{recipe.name}: {by_text[-1]}", flush=True)
    if by_text:
        by_text.append({"text": places_of(rows), **summary(score)})
    return {
        "file": path.name,
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "parameters": sum(weight.numel() for weight in draft.parameters() if weight.requires_grad),
        "kind": recipe.kind,
        "role": recipe.role or "whole",
        "copied": list(recipe.copied),
        "shape": vars(draft.shape),
        "training": vars(settings),
        "seconds": round(seconds),
        "curve": curve,
        "byText": by_text,
        "score": score,
    }


def digest(rows: list[Conversation]) -> str:
    """A SHA-256 over all tokens of the text."""
    return hashlib.sha256(b"".join(row.tokens.tobytes() for row in rows)).hexdigest()


def off(manifest: dict, recorded: dict) -> list[str]:
    """What differs from a recorded manifest's losses by more than its spread."""
    faults = []
    for name, draft in manifest["drafts"].items():
        other = recorded["drafts"][name]
        loss, before, spread = draft["score"]["loss"], other["score"]["loss"], other["spread"]
        print(f"{name}: loss {loss}, recorded {before} ± {spread}")
        if abs(loss - before) > spread:
            faults.append(name)
    return faults


def main() -> None:
    """Text, check, drafts, manifest."""
    args = arguments()
    preset, folder = PRESETS[args.preset], args.out / args.preset
    args.models.mkdir(parents=True, exist_ok=True)
    target, tokenizer = load_model(args.target), load_tokenizer(args.target)
    writer = copy.deepcopy(target).to(args.device, torch.bfloat16)
    wanted = {
        "train": (args.text_tokens or preset.text_tokens, TRAIN_SEED),
        "held-out": (preset.held_out_tokens, HELD_OUT_SEED),
    }
    for part, (tokens, seed) in wanted.items():
        write_text(writer, tokenizer, folder / part, tokens=tokens, rows=preset.rows, seed=seed,
                   lengths=preset.lengths)

    path = args.models / "manifest.json"
    for recipe in FAMILY:
        if recipe.name not in (args.drafts or preset.drafts):
            continue
        layers = recipe.reads(target)
        parts: dict[str, list[Conversation]] = {}
        text: dict[str, object] = {"topK": TOP_K, "temperatures": TEMPERATURES}
        for part, (tokens, seed) in wanted.items():
            shards = shards_of(folder / part, tokens)
            write_states(writer, shards, layers)
            rows, dropped = read_clean(shards, tokenizer, args.prompts, layers)
            parts[part] = rows if part == "train" else unseen(rows, parts["train"])
            text[part] = {
                "seed": seed,
                "tokens": places_of(parts[part]),
                "conversations": len(parts[part]),
                "overlapping": {"words": WORDS, "leftOut": dropped},
                "seconds": round(seconds_of(shards)),
                "sha256": digest(parts[part]),
            }
        draft = make_draft(target, parts["train"], parts["held-out"], recipe, preset, args)
        entry = {
            "preset": args.preset, **draft, "spread": preset.spread, "text": text,
            "hardware": hardware(args.device), "torch": torch.__version__,
        }
        manifest = json.loads(path.read_text()) if path.exists() else {"drafts": {}}
        manifest["target"] = {"file": args.target.name, "sha256": sha256(args.target)}
        manifest["drafts"][recipe.name] = entry
        path.write_text(json.dumps(manifest, indent=1) + "\n")
    if args.compare and (faults := off(manifest, json.loads(args.compare.read_text()))):
        sys.exit(f"Cannot reproduce {', '.join(faults)} as the loss is outside the spread")


if __name__ == "__main__":
    main()
