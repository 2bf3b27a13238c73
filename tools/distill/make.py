"""From the target's GGUF to checked drafts: `python3 tools/distill/make.py --help`."""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # Spinning threads starve a shared machine.

import torch
from tokenizers import Tokenizer

from evaluate import answer_only, evaluate
from gguf_file import load_model, load_tokenizer, save_model, sha256
from model import Llama, quick_dtype
from overlap import WORDS, evaluation_ngrams
from recipes import ALL, FAMILY, PRESETS, Preset, Recipe
from states import write_states
from text import (
    TEMPERATURES, TOP_K, Conversation, load_shards, places_of, seconds_of, shards_of, write_text,
)
from train import Settings, train

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("SPECBOUND_CACHE", Path.home() / ".cache" / "specbound"))
SEEDS = {"train": 1, "held-out": 2}  # of the text
CURVE_SHARE = 3  # Learning curves are read on every third held-out conversation.


def arguments(description: str) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter,
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


def settings_of(recipe: Recipe, preset: Preset, args: argparse.Namespace) -> Settings:
    """How a recipe's draft is trained under a preset."""
    return Settings(round(recipe.tokens * preset.training), recipe.rate, preset.batch, args.loss,
                    args.seed, recipe.steps, recipe.regression, muon=not recipe.copied)


def make_draft(
    target: Llama, text: dict[str, list[Conversation]], recipe: Recipe, settings: Settings,
    args: argparse.Namespace,
) -> dict[str, object]:
    """Trains a draft, writes it, reads it back and evaluates what was written."""
    rows, held_out = text["train"], text["held-out"]
    draft = recipe.start(target, rows, args.seed).to(args.device)
    curve: list[dict[str, object]] = []

    def observe(tokens: int, loss: float | None = None) -> None:
        point = {"tokens": tokens, "training": loss and round(loss, 4),
                 **summary(evaluate(draft, held_out[::CURVE_SHARE]))}
        print(f"{recipe.name}: {point}", flush=True)
        curve.append(point)

    observe(0)
    seconds = train(draft, rows, settings, observe)
    path = args.models / f"{recipe.name}.gguf"
    save_model(draft, path, recipe.kind, args.target, recipe.name, recipe.role or None)
    score = evaluate(load_model(path, target).to(args.device), held_out)
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


@dataclass(frozen=True)
class Source:
    """The target, a copy of it that writes, its tokenizer, and what it wrote."""

    target: Llama
    writer: Llama
    tokenizer: Tokenizer
    shards: dict[str, list[Path]]


def open_source(args: argparse.Namespace, preset: Preset) -> Source:
    """Reads the target and has it write what text is still missing."""
    target, tokenizer = load_model(args.target), load_tokenizer(args.target)
    writer = copy.deepcopy(target).to(args.device, quick_dtype(args.device))
    amounts = {
        "train": args.text_tokens or preset.text_tokens,
        "held-out": preset.held_out_tokens,
    }
    shards = {}
    for part, tokens in amounts.items():
        folder = args.out / args.preset / part
        write_text(writer, tokenizer, folder, tokens=tokens, rows=preset.rows, seed=SEEDS[part],
                   lengths=preset.lengths)
        shards[part] = shards_of(folder, tokens)
    return Source(target, writer, tokenizer, shards)


def read_text(
    source: Source, recipe: Recipe, prompts: Path,
) -> tuple[dict[str, list[Conversation]], dict[str, object]]:
    """The text "train" and "held-out", with the states that a recipe needs; what to say of it."""
    layers = recipe.reads(source.target)
    parts: dict[str, list[Conversation]] = {}
    facts: dict[str, object] = {"topK": TOP_K, "temperatures": TEMPERATURES}
    for part, shards in source.shards.items():
        write_states(source.writer, shards, layers)
        rows, dropped = read_clean(shards, source.tokenizer, prompts, layers)
        parts[part] = rows if part == "train" else unseen(rows, parts["train"])
        facts[part] = {
            "seed": SEEDS[part],
            "tokens": places_of(parts[part]),
            "conversations": len(parts[part]),
            "overlapping": {"words": WORDS, "leftOut": dropped},
            "seconds": round(seconds_of(shards)),
            "sha256": digest(parts[part]),
        }
    return parts, facts


def read_manifest(path: Path) -> dict:
    """A manifest, or one without drafts where there is none yet."""
    return json.loads(path.read_text()) if path.exists() else {"drafts": {}}


def write_manifest(path: Path, manifest: dict) -> None:
    """Writes a manifest; what holds only numbers and words stands on one line."""
    text = json.dumps(manifest, indent=1)
    flat = re.compile(r"([\[{])\s+([^\[\]{}]+?)\s+([\]}])")
    path.write_text(flat.sub(lambda m: m[1] + re.sub(r",\n\s+", ", ", m[2]) + m[3], text) + "\n")


def main() -> None:
    """Text, check, drafts, manifest."""
    args = arguments(__doc__)
    preset = PRESETS[args.preset]
    args.models.mkdir(parents=True, exist_ok=True)
    source = open_source(args, preset)
    path = args.models / "manifest.json"
    for recipe in FAMILY:
        if recipe.name not in (args.drafts or preset.drafts):
            continue
        parts, text = read_text(source, recipe, args.prompts)
        settings = settings_of(recipe, preset, args)
        draft = make_draft(source.target, parts, recipe, settings, args)
        manifest = read_manifest(path)
        manifest["target"] = {"file": args.target.name, "sha256": sha256(args.target)}
        manifest["drafts"][recipe.name] = {
            "preset": args.preset, **draft, "spread": preset.spread, "text": text,
            "hardware": hardware(args.device), "torch": torch.__version__,
        }
        write_manifest(path, manifest)
    if args.compare and (faults := off(read_manifest(path), json.loads(args.compare.read_text()))):
        sys.exit(f"Cannot reproduce {', '.join(faults)} as the loss is outside the spread")


if __name__ == "__main__":
    main()
