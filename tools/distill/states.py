"""The target's states over its text, computed once and kept beside the shards as float16."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch

from model import Llama
from text import Conversation, load_shards, states_path

BATCH = 8192  # tokens a pass


@torch.inference_mode()
def states_of(target: Llama, rows: list[Conversation], layers: tuple[int, ...]) -> list[np.ndarray]:
    """The states after each of `layers` layers, of all rows' tokens, one row after the other.

    After the last layer they are normalised: what the target's output head reads.
    """
    ends = np.cumsum([len(row.tokens) for row in rows])
    kept = [np.empty((ends[-1], target.shape.hidden), np.float16) for _ in layers]
    order = sorted(range(len(rows)), key=lambda index: len(rows[index].tokens))
    while order:
        length = len(rows[order[-1]].tokens)
        part = [order.pop() for _ in range(min(len(order), max(1, BATCH // length)))]
        tokens = torch.zeros((len(part), length), dtype=torch.int64)
        for place, index in enumerate(part):
            tokens[place, : len(rows[index].tokens)] = torch.from_numpy(
                np.asarray(rows[index].tokens, np.int64),
            )
        residuals = target.residuals(tokens.to(target.token_embd.weight.device))
        for layer, x in enumerate(itertools.islice(residuals, max(layers)), 1):
            if layer not in layers:
                continue
            if layer == target.shape.layers:
                x = target.output_norm(x)
            found = x.half().cpu().numpy()
            for place, index in enumerate(part):
                end, count = ends[index], len(rows[index].tokens)
                kept[layers.index(layer)][end - count : end] = found[place, :count]
    return kept


def write_states(target: Llama, shards: list[Path], layers: tuple[int, ...]) -> None:
    """Computes and stores what is not yet there."""
    for shard in shards:
        missing = tuple(layer for layer in layers if not states_path(shard, layer).exists())
        if not missing:
            continue
        found = states_of(target, load_shards([shard]), missing)
        for layer, states in zip(missing, found, strict=True):
            path = states_path(shard, layer)
            partial = path.with_suffix(".partial.npy")
            np.save(partial, states)
            partial.rename(path)
        print(f"states: {shard.stem}", flush=True)
