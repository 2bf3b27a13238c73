"""A draft learns to say what the target would: KL to the target's stored likeliest tokens."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from heads import Head
from model import Llama, quick_dtype
from text import Conversation

NEGATIVES = 4096  # tokens drawn a step to stand for all that no stored list names
SORTED_BATCHES = 16  # Batches of one length are cut from so many batches' worth of rows.


@dataclass(frozen=True)
class Settings:
    """How to train. `tokens` counts places learnt from, over all epochs."""

    tokens: int
    rate: float
    batch: int = 2048
    loss: str = "kl"
    seed: int = 1
    steps: int = 1  # drafted tokens in a row that a loss looks at
    regression: float = 0.0  # weight of the distance to the target's states, for feature heads
    muon: bool = True  # for the matrices of layers, where they are new


@dataclass(frozen=True)
class Batch:
    """Padded rows, the places in them that are learnt from, and what the target says there."""

    tokens: Tensor  # [rows, length]
    rows: Tensor  # [places]
    columns: Tensor  # [places]: of the token before
    drawn: Tensor  # [places]
    top_ids: Tensor  # [places, k]
    top_log_probs: Tensor  # [places, k]
    states: Tensor | None  # [rows, length, hidden]: of the target


def make_batch(rows: list[Conversation], device: torch.device) -> Batch:
    """Pads rows at their ends, where causal attention never looks."""
    length = max(len(row.tokens) for row in rows)
    tokens = np.zeros((len(rows), length), np.int64)
    for index, row in enumerate(rows):
        tokens[index, : len(row.tokens)] = row.tokens
    where = np.repeat(np.arange(len(rows)), [len(row.places) for row in rows])
    places = np.concatenate([row.places for row in rows]).astype(np.int64)
    ids = np.concatenate([row.top_ids for row in rows]).astype(np.int64)
    values = np.concatenate([row.top_log_probs for row in rows]).astype(np.float32)
    arrays = (tokens, where, places - 1, tokens[where, places], ids, values)
    states = None
    if rows[0].states is not None:
        padded = [torch.from_numpy(np.array(row.states)) for row in rows]
        states = pad_sequence(padded, batch_first=True).to(device).float()
    return Batch(*(torch.from_numpy(array).to(device) for array in arrays), states)


def batches(
    rows: list[Conversation], size: int, rng: random.Random, device: torch.device,
) -> Iterator[Batch]:
    """Goes through all rows for ever, in batches of about `size` tokens and rows of like length."""
    while True:
        order = rng.sample(rows, len(rows))
        each = max(1, sum(len(row.tokens) for row in rows) // len(rows))
        window = max(1, SORTED_BATCHES * size // each)
        for start in range(0, len(order), window):
            like = sorted(order[start : start + window], key=lambda row: len(row.tokens))
            groups: list[list[Conversation]] = [[]]
            for row in like:
                if (len(groups[-1]) + 1) * len(row.tokens) > size and groups[-1]:
                    groups.append([])
                groups[-1].append(row)
            rng.shuffle(groups)
            for group in groups:
                yield make_batch(group, device)


def divergence(draft: Llama | Head, hidden: Tensor, batch: Batch, loss: str) -> Tensor:
    """KL(target ‖ draft), or plain cross-entropy of the drawn tokens.

    The target's stored probabilities are made to sum to 1: what lies beyond them is not worth
    drafting.

    The normaliser sums over all tokens that the batch's lists name, and over a sample that stands
    for the others (importance sampling: Bengio & Senécal 2008, section III).
    """
    named = torch.cat((batch.top_ids.flatten(), batch.drawn)).unique()
    others = torch.ones(draft.shape.vocabulary, dtype=torch.bool, device=named.device)
    others[named] = False
    pool = others.nonzero()[:, 0]
    sample = pool[torch.randperm(len(pool), device=pool.device)[:NEGATIVES]]
    candidates, order = torch.cat((named, sample)).sort()
    weight = torch.zeros(len(candidates), device=named.device)
    weight[order >= len(named)] = np.log(max(1, len(pool)) / max(1, len(sample)))
    logits = draft.logits(hidden, candidates).float()
    normaliser = (logits + weight).logsumexp(-1, keepdim=True)
    if loss == "ce":
        at = torch.searchsorted(candidates, batch.drawn)[:, None]
        return (normaliser - logits.gather(1, at)).mean()
    said = logits.gather(1, torch.searchsorted(candidates, batch.top_ids)) - normaliser
    wanted = batch.top_log_probs.log_softmax(-1)
    return (wanted.exp() * (wanted - said)).sum(-1).mean()


def distance(read: list[Tensor], batch: Batch) -> Tensor:
    """Smooth L1 between a feature head's states and the target's (EAGLE, section 3.2)."""
    wanted = batch.states[batch.rows, batch.columns]
    return torch.stack([F.smooth_l1_loss(hidden.float(), wanted) for hidden in read]).mean()


def optimizers_of(draft: Llama | Head, rate: float, muon: bool) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of layers if told so, AdamW for the rest.

    Muon's updates are scaled to AdamW's size (arXiv 2502.16982, section 2.2): one rate fits both.
    """
    matrices, rest = [], []
    for name, weight in draft.named_parameters():
        if weight.requires_grad:
            is_matrix = muon and weight.dim() == 2 and name != "token_embd.weight"
            (matrices if is_matrix else rest).append(weight)
    found: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(rest, rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    if matrices:
        found.append(
            torch.optim.Muon(matrices, rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        )
    return found


def train(
    draft: Llama | Head, rows: list[Conversation], settings: Settings,
    observe: Callable[[int, float], None],
) -> float:
    """Trains in place; `observe(tokens, loss)` is called about 6 times. Returns the seconds.

    The rate rises over the first 5 % of the tokens and declines to zero after them, linearly.
    """
    start, rng = perf_counter(), random.Random(settings.seed)
    torch.manual_seed(settings.seed)
    device = draft.token_embd.weight.device
    dtype = quick_dtype(device)
    optimizers = optimizers_of(draft, settings.rate, settings.muon)
    seen, reported, losses = 0, 0, []
    draft.train()
    for batch in batches(rows, settings.batch, rng, device):
        done = seen / settings.tokens
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = settings.rate * min((done + 1e-3) / 0.05, (1 - done) / 0.95)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            unrolled = draft.unroll(batch.tokens, batch.states, settings.steps)
            read = [hidden[batch.rows, batch.columns] for hidden in unrolled]
            by_step = [divergence(draft, hidden, batch, settings.loss) for hidden in read]
            loss = torch.stack(by_step).mean()
            total = loss
            if settings.regression > 0:
                total = loss + settings.regression * distance(read, batch)
        draft.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(draft.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        seen += len(batch.drawn)
        losses.append(loss.item())
        if seen - reported >= settings.tokens / 6 or seen >= settings.tokens:
            observe(seen, float(np.mean(losses)))
            reported, losses = seen, []
            draft.train()
        if seen >= settings.tokens:
            return perf_counter() - start
    raise AssertionError("batches never end")
