"""Ranks tokens by how often the target writes them: `python3 tools/distill/rank.py FOLDER OUT`.

A token counts by the probability that the target gave it wherever it wrote, not by whether it was
drawn: little text then ranks many tokens. Those that it never gave one follow by id, which in a
byte-pair vocabulary is the order of its merges, the commonest first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from gguf import GGUFReader

from make import CACHE
from text import Conversation, load_shards, shards_of


def fingerprint(gguf: Path) -> str:
    """The hash that tells tokenizers apart in `lib/models/tokenizer.ts`."""
    reader = GGUFReader(gguf)
    facts = [reader.get_field(f"tokenizer.ggml.{key}").contents() for key in ("tokens", "merges")]
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def expected_counts(rows: list[Conversation], size: int) -> np.ndarray:
    """How often each token is expected where the target wrote."""
    counts = np.zeros(size)
    for row in rows:
        np.add.at(counts, row.top_ids.astype(np.int64), np.exp(row.top_log_probs.astype(np.float64)))
    return counts


def coverage(rows: list[Conversation], kept: np.ndarray) -> float:
    """The share of the tokens that the target wrote which are kept."""
    written = np.concatenate([row.tokens[row.places] for row in rows])
    return float(np.isin(written, kept).mean())


def main() -> None:
    """Ranks, writes, and says what the most frequent tokens cover."""
    parser = argparse.ArgumentParser(description=__doc__)
    target = CACHE / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    parser.add_argument("folder", type=Path, help="shards that the target wrote")
    parser.add_argument("out", type=Path, help="the ranking, a JSON file")
    parser.add_argument("--held-out", type=Path, help="other shards, to measure coverage on")
    parser.add_argument("--target", type=Path, default=target, help="the target's GGUF")
    parser.add_argument("--keep", type=int, default=16_384, help="tokens to rank")
    args = parser.parse_args()
    size = len(GGUFReader(args.target).get_field("tokenizer.ggml.tokens").contents())
    rows = load_shards(shards_of(args.folder))
    counts = expected_counts(rows, size)
    ranking = np.argsort(-counts, kind="stable")[: args.keep]
    written = {"tokenizer": fingerprint(args.target), "tokens": ranking.tolist()}
    args.out.write_text(json.dumps(written, separators=(",", ":")) + "\n")
    print(f"{sum(len(row.places) for row in rows)} tokens written, {(counts > 0).sum()} kinds")
    measured = load_shards(shards_of(args.held_out)) if args.held_out else rows
    for kept in (1024, 2048, 4096, 8192, 16_384):
        if kept <= args.keep:
            print(f"{kept} tokens cover {coverage(measured, ranking[:kept]):.4f}")


if __name__ == "__main__":
    main()
